"""The ReLU toy model: squeeze features through a few dimensions and read them out again."""

import torch
from jaxtyping import Float
from torch import Tensor


def toy_forward(
    x: Float[Tensor, "*batch feature"],
    W: Float[Tensor, "hidden feature"],
    b: Float[Tensor, "feature"],
) -> Float[Tensor, "*batch feature"]:
    """x' = ReLU(Wᵀ W x + b), the ReLU output model of Elhage et al. 2022.

    W takes the features down to the hidden dimensions and its transpose takes them up again, so
    column W[:, i] is both the direction that feature i is written to and the one it is read from.
    Samples are rows here, therefore W x becomes `x @ W.T`.

    >>> W = torch.tensor([[1.0, -1.0]])  # two features, opposite ways along one dimension
    >>> toy_forward(torch.tensor([[0.5, 0.0], [0.0, 0.5]]), W, torch.zeros(2))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.5000]])
    """
    hidden = x @ W.T
    return torch.relu(hidden @ W + b)


def weighted_loss(
    x: Float[Tensor, "batch feature"],
    x_hat: Float[Tensor, "batch feature"],
    importance: Float[Tensor, "feature"],
) -> Float[Tensor, ""]:
    """L = mean over the batch of Σ_i I_i (x_i - x'_i)² (Elhage et al. 2022).

    Mean over the batch, SUM over the features: a model with more features has a larger loss.

    >>> x, x_hat = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    >>> weighted_loss(x, x_hat, importance=torch.tensor([1.0, 0.5]))
    tensor(1.5000)
    """
    return (importance * (x - x_hat) ** 2).sum(dim=-1).mean()
