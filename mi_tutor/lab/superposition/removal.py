"""What a neuron does to each output of the absolute-value network, by its weights and by taking it away.

A neuron n raises output i where W_out[i, n] > 0 (it *pushes*) and lowers it where that is negative (it
*holds back*). It does so when feature i itself drives it (its *own* path) and when any other feature
does (a *cross* path).
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.superposition.absolute import absolute_forward


class NeuronPaths(NamedTuple):
    """The four ways from inputs through neuron n to output i, as sizes that are never negative."""

    own_push: Float[Tensor, "neuron feature"]
    own_hold: Float[Tensor, "neuron feature"]
    cross_push: Float[Tensor, "neuron feature"]
    cross_hold: Float[Tensor, "neuron feature"]


def neuron_paths(
    W_in: Float[Tensor, "neuron feature"], W_out: Float[Tensor, "feature neuron"]
) -> NeuronPaths:
    """Own and cross paths, pushing and holding back.

    own_push[n, i] = |W_in[n, i]| · ReLU(W_out[i, n]), own_hold the same with ReLU(-W_out[i, n]); in the cross
    paths Σ_{j≠i} |W_in[n, j]| stands for |W_in[n, i]|.

    >>> paths = neuron_paths(torch.tensor([[1.0, -3.0]]), torch.tensor([[0.5], [-2.0]]))
    >>> paths.own_push, paths.cross_hold
    (tensor([[0.5000, 0.0000]]), tensor([[0., 2.]]))
    """
    own = W_in.abs()
    cross = own.sum(dim=1, keepdim=True) - own
    push, hold = torch.relu(W_out.T), torch.relu(-W_out.T)
    return NeuronPaths(own * push, own * hold, cross * push, cross * hold)


def removal_rises(
    x: Float[Tensor, "sample feature"],
    W_in: Float[Tensor, "neuron feature"],
    W_out: Float[Tensor, "feature neuron"],
    b: Float[Tensor, "feature"],
) -> Float[Tensor, "neuron feature"]:
    """How much the mean of output i rises (falls, if negative) over the samples when neuron n is taken away.

    >>> W_in, W_out = torch.tensor([[1.0], [-1.0]]), torch.tensor([[1.0, 1.0]])
    >>> removal_rises(torch.tensor([[0.5], [0.0]]), W_in, W_out, torch.zeros(1))
    tensor([[-0.2500],
            [ 0.0000]])
    """
    whole = absolute_forward(x, W_in, W_out, b)
    rises = []
    for neuron in range(len(W_in)):
        without = W_out.clone()
        without[:, neuron] = 0
        rises.append((absolute_forward(x, W_in, without, b) - whole).mean(dim=0))
    return torch.stack(rises)
