"""Computing in superposition: a network that outputs |x| of more features than it has pairs of
neurons for (Elhage et al. 2022).

|x| = ReLU(x) + ReLU(-x), so two neurons per feature solve the task exactly. With fewer, a network
whose inputs are sparse can let neurons serve several features at once.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def absolute_forward(
    x: Float[Tensor, "*batch feature"],
    W_in: Float[Tensor, "neuron feature"],
    W_out: Float[Tensor, "feature neuron"],
    b: Float[Tensor, "feature"],
) -> Float[Tensor, "*batch feature"]:
    """y' = ReLU(W_out ReLU(W_in x) + b), trained towards y = |x|.

    >>> W_in = torch.tensor([[1.0], [-1.0]])  # one neuron per sign
    >>> absolute_forward(torch.tensor([[-0.5], [0.25]]), W_in, W_in.abs().T, torch.zeros(1))
    tensor([[0.5000],
            [0.2500]])
    """
    neurons = torch.relu(x @ W_in.T)
    return torch.relu(neurons @ W_out.T + b)
