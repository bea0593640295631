"""The gradients of a JumpRelu dictionary written out, as `written` does it for the other kinds.

With z the pre-activations, theta the thresholds, H = 1[z > theta], f = z H, K = 1[|z - theta| < eps/2], n the
norms of the decoder's rows, e = dL/dy_hat = 2/B (y_hat - y), and P what is charged per latent,

    G            = e W_dec^T + lambda/B dP/df                     dL/df, needed where H or K is 1
    dL/dz        = G H
    dL/dtheta    = - 1/eps sum_b K (G theta + [L0] lambda/B)      straight-through, as in `activations`
    P = tanh(c f n):    dP/df = c n (1 - tanh^2),   dP/dn = c f (1 - tanh^2)
    pull max(theta - z, 0) n on top:   -n, +n and max(theta - z, 0) for z, theta and n, where z < theta

and the rest as for a Relu. H and K ask only for z - theta, so that is what the encoder's product gives: the
thresholds are taken off with the biases. What is not a matrix product goes through the batch in parts that stay in
the processor's cache (`ROWS`), so that its many passes cost little.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.dictionaries.gradients import Goal, Weights
from mi_tutor.lab.dictionaries.kinds import JumpRelu

aten = torch.ops.aten
ROWS = 256  # samples of a part: fewer, and the calls cost more than the cache saves


class Sums(NamedTuple):
    """What the batch adds up to, for each latent.

    Attributes:
        pre: of dL/dpre, the gradient of b_enc.
        threshold: the gradient of the threshold.
        norm: the gradient of the norm of the decoder's row, None if nothing is charged by it.
    """

    pre: Float[Tensor, "latent"]
    threshold: Float[Tensor, "latent"]
    norm: Float[Tensor, "latent"] | None = None


def jumped(
    above: Float[Tensor, "batch latent"], threshold: Float[Tensor, "latent"], out: Tensor
) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "latent"]]:
    """`jump_relu` into memory that is there, and its sum over the batch. above: pre-activation less threshold.

    >>> jumped(torch.tensor([[-0.5, 1.0]]), torch.ones(2), torch.empty(1, 2))
    (tensor([[0., 2.]]), tensor([0., 2.]))
    """
    total = torch.zeros_like(threshold)
    for ones, over, f in _parts(above, out):
        torch.add(over, threshold, out=f)
        aten.threshold_backward.grad_input(f, over, 0, grad_input=f)  # f H
        total.addmv_(f.mT, ones)
    return out, total


def jumped_back(
    weights: Weights,
    goal: Goal,
    above: Float[Tensor, "batch latent"],
    latents: Float[Tensor, "batch latent"],
    g: Float[Tensor, "batch latent"],
) -> Sums:
    """From e W_dec^T to dL/dpre, in place, and the sums over the batch.

    above: z - theta.
    g: e W_dec^T on the way in, dL/dpre on the way out.
    """
    kind, W_dec = weights.template.kind, weights.moved["W_dec"]
    threshold = weights.moved["log_threshold"].exp()
    charge, half = goal.sparsity / len(g), kind.bandwidth / 2
    by_count = charge / threshold if kind.penalty_kind == "l0" else None
    norm = W_dec.norm(dim=-1) if by_count is None or kind.pull else None
    total = Sums(*(torch.zeros_like(threshold) for _ in range(3 if norm is not None else 2)))
    crossing = torch.zeros_like(threshold)
    near = torch.empty_like(g[:ROWS])
    for ones, over, f, part in _parts(above, latents, g):
        near = near[: len(part)]
        if by_count is None:
            _add_tanh(kind, charge, norm, ones, f, part, total)
        # K (G theta + lambda/B) as K (G + lambda/B / theta) theta. hardtanh's backward is a product with K, and
        # ReLU's one with H: one pass each.
        counted = part if by_count is None else torch.add(part, by_count, out=near)
        aten.hardtanh_backward.grad_input(counted, over, -half, half, grad_input=near)
        crossing.addmv_(near.mT, ones)
        aten.threshold_backward.grad_input(part, over, 0, grad_input=part)
        if kind.pull:
            _add_pull(charge * kind.pull, norm, ones, over, part, total)
        total.pre.addmv_(part.mT, ones)
    total.threshold.addcmul_(crossing, threshold, value=-1 / kind.bandwidth)
    return total


def _parts(*each: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Some samples of each, and as many ones: a product with these adds up the samples."""
    ones = each[0].new_ones(len(each[0]))
    return zip(*(one.split(ROWS) for one in (ones, *each)), strict=True)


def _add_tanh(
    kind: JumpRelu,
    charge: float,
    norm: Tensor,
    ones: Tensor,
    f: Tensor,
    part: Tensor,
    total: Sums,
) -> None:
    """lambda/B dP/df to dL/df, and dP/dn."""
    slope = 1 - torch.tanh(f * (kind.tanh_scale * norm)).square_()
    part.addcmul_(slope, norm, value=charge * kind.tanh_scale)
    total.norm.addmv_((slope * f).mT, ones, alpha=charge * kind.tanh_scale)


def _add_pull(
    charge: float, norm: Tensor, ones: Tensor, over: Tensor, part: Tensor, total: Sums
) -> None:
    """What pulls silent latents towards their thresholds."""
    missing = (-over).clamp_min_(0)
    total.norm.addmv_(missing.mT, ones, alpha=charge)
    silent = (missing > 0).to(part.dtype)
    part.addcmul_(silent, norm, value=-charge)
    total.threshold.addcmul_(silent.mT @ ones, norm, value=charge)
