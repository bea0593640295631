"""Privileged basis: with a ReLU on the hidden layer, single neurons become special directions.

In `toy_forward` the hidden space has no preferred axes: rotate it and nothing changes. A ReLU acts
on each axis separately, so it singles the axes out, and it makes sense to ask what one neuron
answers to (Elhage et al. 2022, "Superposition in a privileged basis").
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def neuron_forward(
    x: Float[Tensor, "*batch feature"],
    W: Float[Tensor, "neuron feature"],
    b: Float[Tensor, "feature"],
) -> Float[Tensor, "*batch feature"]:
    """x' = ReLU(Wᵀ ReLU(W x) + b): the toy model with neurons in the middle.

    >>> W = torch.tensor([[1.0, -1.0]])  # the second feature drives the neuron below zero
    >>> neuron_forward(torch.tensor([[0.5, 0.0], [0.0, 0.5]]), W, torch.zeros(2))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    neurons = torch.relu(x @ W.T)
    return torch.relu(neurons @ W + b)


def features_per_neuron(
    W: Float[Tensor, "neuron feature"], threshold: float
) -> Int[Tensor, "neuron"]:
    """How many features drive each neuron: 1 is monosemantic, 2 or more polysemantic.

    Feature i, alone and at value 1, gives neuron n the activation ReLU(W[n, i]). It drives the
    neuron when that exceeds `threshold` times the neuron's largest such activation. A neuron that
    no feature excites counts 0.

    Args:
        W: weights into the neurons.
        threshold: share of the neuron's largest activation, in [0, 1).

    Raises:
        ValueError: if the threshold lies outside [0, 1).

    >>> W = torch.tensor([[1.0, 0.1, 0.0], [0.8, 1.0, -1.0], [-1.0, 0.0, -2.0]])
    >>> features_per_neuron(W, threshold=0.5)
    tensor([1, 2, 0])
    """
    if not 0 <= threshold < 1:
        raise ValueError(
            f"threshold must lie in [0, 1), a share of the largest activation; saw {threshold}."
        )
    activation = torch.relu(W)
    largest = activation.amax(dim=1, keepdim=True)
    return (activation > threshold * largest).sum(dim=1)
