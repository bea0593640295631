"""Train many toy models at once, written to be read. `sweep` has the same computation made fast."""

from typing import NamedTuple

import torch
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor


class TrainedToy(NamedTuple):
    """Weights after training, one model per instance."""

    W: Float[Tensor, "instance hidden feature"]
    b: Float[Tensor, "instance feature"]


def train_toy(
    W: Float[Tensor, "instance hidden feature"],
    b: Float[Tensor, "instance feature"],
    batches: Float[Tensor, "step instance batch feature"],
    importance: Float[Tensor, "feature"],
    learning_rate: float,
) -> TrainedToy:
    """Train every instance of the ReLU toy model with Adam, all in one batched einsum.

    Each step minimises the SUM over instances of `weighted_loss`. No weight is shared between
    instances and Adam treats each weight on its own, so this is the same as training them one
    after another.

    Args:
        W: starting weights. They are left unchanged.
        b: starting biases. They are left unchanged.
        batches: one batch per step and instance.
        importance: weight of each feature in the loss.
        learning_rate: Adam's step size.

    >>> W, b = torch.ones(1, 1, 2), torch.zeros(1, 2)
    >>> trained = train_toy(W, b, torch.tensor([[[[1.0, 0.0]]]]), torch.ones(2), learning_rate=0.1)
    >>> trained.W  # the second feature was not there and should not have answered
    tensor([[[0.9000, 0.9000]]])
    """
    W = W.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([W, b], lr=learning_rate)

    for x in batches:
        hidden = einsum(
            x, W, "instance batch feature, instance hidden feature -> instance batch hidden"
        )
        x_hat = einsum(
            hidden, W, "instance batch hidden, instance hidden feature -> instance batch feature"
        )
        x_hat = torch.relu(x_hat + rearrange(b, "instance feature -> instance 1 feature"))
        error = importance * (x - x_hat) ** 2
        loss = error.sum(dim=-1).mean(dim=-1).sum()  # features, then batch, then instances
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return TrainedToy(W.detach(), b.detach())
