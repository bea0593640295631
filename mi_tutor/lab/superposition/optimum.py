"""A finer theory of the phase diagram: the best weights for two features in one dimension.

`phase` compares three fixed models. Here each of them may still move its two weights and two
biases to the minimum of the exact expected loss, which is an integral over at most two uniform
variables and needs no sampling.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground.device import one_thread
from mi_tutor.lab.superposition.geometry import feature_fates


class PhaseOptimum(NamedTuple):
    """The best model of each cell of the phase diagram."""

    loss: Float[Tensor, "*grid"]
    W: Float[Tensor, "*grid 1 feature"]
    b: Float[Tensor, "*grid feature"]
    fate: Int[Tensor, "*grid"]


def pair_loss(
    W: Float[Tensor, "model 1 feature"],
    b: Float[Tensor, "model feature"],
    density: Float[Tensor, "model"],
    relative_importance: Float[Tensor, "model"],
    n_nodes: int = 16,
) -> Float[Tensor, "model"]:
    """Expected `weighted_loss` of two-feature, one-dimension toy models, by quadrature.

    Four events: no feature on (1-p)², one of them p(1-p) each, both p². Gauss-Legendre nodes stand
    for the uniform magnitudes. The ReLU's kink limits the accuracy, to about 0.3 % at 16 nodes.

    >>> W, b = torch.tensor([[[1.0, -1.0]]]), torch.zeros(1, 2)
    >>> loss = pair_loss(W, b, density=torch.tensor([0.6]), relative_importance=torch.ones(1))
    >>> round(loss.item(), 3)  # (1 + r) p² / 6
    0.12
    """
    x, weight = _events(density, n_nodes)
    x_hat = torch.relu(W.mT @ (W @ x) + b.unsqueeze(2))
    error = (x_hat - x) ** 2
    weighted = error[:, 0] + relative_importance.unsqueeze(1) * error[:, 1]
    return (weight * weighted).sum(dim=1)


@one_thread()
def phase_optimum(
    density: Float[Tensor, "*#grid"],
    relative_importance: Float[Tensor, "*#grid"],
    n_steps: int = 300,
) -> PhaseOptimum:
    """The best two-feature model in each cell, started from each of the three candidates.

    Gradient descent (Adam) on `pair_loss`, all cells and starts at once. The fate is read off the
    winner's weights, because a start may move on to another phase.

    >>> optimum = phase_optimum(torch.tensor([1.0, 0.1, 1.0]), torch.tensor([0.1, 1.0, 10.0]))
    >>> optimum.fate
    tensor([0, 1, 2])
    """
    p, r = torch.broadcast_tensors(density, relative_importance)
    starts = torch.tensor([[1.0, 0.0], [1.0, -1.0], [0.0, 1.0]], device=p.device, dtype=p.dtype)
    W = starts.repeat_interleave(p.numel(), dim=0).unsqueeze(1).requires_grad_()
    p_all, r_all = p.flatten().repeat(3), r.flatten().repeat(3)
    # A feature without weight starts from its best constant, its mean p/2.
    b = (
        (starts == 0).repeat_interleave(p.numel(), dim=0) * p_all.unsqueeze(1) / 2
    ).requires_grad_()
    optimizer = torch.optim.Adam([W, b])
    for step in range(n_steps):
        optimizer.param_groups[0]["lr"] = 0.01 * (1 - step / n_steps)
        loss = pair_loss(W, b, p_all, r_all)
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
    loss = pair_loss(W, b, p_all, r_all).detach().view(3, -1)
    best = loss.argmin(dim=0)
    cell = torch.arange(p.numel(), device=p.device)
    W_best = W.detach().view(3, -1, 1, 2)[best, cell]
    return PhaseOptimum(
        loss=loss[best, cell].view(p.shape),
        W=W_best.view(*p.shape, 1, 2),
        b=b.detach().view(3, -1, 2)[best, cell].view(*p.shape, 2),
        fate=feature_fates(W_best)[:, 1].view(p.shape),
    )


def _events(
    p: Float[Tensor, "model"], n_nodes: int
) -> tuple[Float[Tensor, "feature node"], Float[Tensor, "model node"]]:
    """Values of the two features at every quadrature node, and each node's probability."""
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)  # on [-1, 1]
    t = torch.tensor((nodes + 1) / 2, device=p.device, dtype=p.dtype)
    w = torch.tensor(weights / 2, device=p.device, dtype=p.dtype)
    zero = t.new_zeros(1)
    first_of_both, second_of_both = torch.meshgrid(t, t, indexing="ij")
    x = torch.stack(
        [
            torch.cat([zero, t, 0 * t, first_of_both.flatten()]),
            torch.cat([zero, 0 * t, t, second_of_both.flatten()]),
        ]
    )
    p = p.unsqueeze(1)
    both = torch.outer(w, w).flatten()
    return x, torch.cat([(1 - p) ** 2, p * (1 - p) * w, p * (1 - p) * w, p**2 * both], dim=1)
