"""The gradients of a JumpRelu dictionary written out, as `written` does it for the other kinds.

With z the pre-activations, theta the thresholds, H = 1[z > theta], f = z H, K = 1[|z - theta| < eps/2], n the
norms of the decoder's rows, e = dL/dy_hat = 2/B (y_hat - y), and P what is charged per latent,

    G            = e W_dec^T + lambda/B dP/df                     dL/df, needed where H or K is 1
    dL/dz        = G H
    dL/dtheta    = - 1/eps sum_b K (G theta + [L0] lambda/B)      straight-through, as in `activations`
    P = tanh(c f n):    dP/df = c n (1 - tanh^2),   dP/dn = c f (1 - tanh^2)
    pull max(theta - z, 0) n on top:   -n, +n and max(theta - z, 0) for z, theta and n, where z < theta

and the rest as for a Relu. What is not a matrix product goes through the batch in parts that stay in the
processor's cache (`ROWS`), so that its many passes cost little.
"""

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
        norm: the gradient of the norm of the decoder's row.
    """

    pre: Float[Tensor, "latent"]
    threshold: Float[Tensor, "latent"]
    norm: Float[Tensor, "latent"]


def jumped(
    pre: Float[Tensor, "batch latent"], threshold: Float[Tensor, "latent"], out: Tensor
) -> Float[Tensor, "batch latent"]:
    """`jump_relu`, into memory that is there.

    >>> jumped(torch.tensor([[0.5, 2.0]]), torch.ones(2), torch.empty(1, 2))
    tensor([[0., 2.]])
    """
    for z, f in zip(pre.split(ROWS), out.split(ROWS), strict=True):
        torch.gt(z, threshold, out=f)
        f.mul_(z)
    return out


def jumped_back(
    weights: Weights,
    goal: Goal,
    pre: Float[Tensor, "batch latent"],
    latents: Float[Tensor, "batch latent"],
    g: Float[Tensor, "batch latent"],
) -> Sums:
    """From e W_dec^T to dL/dpre, in place, and the sums over the batch.

    g: e W_dec^T on the way in, dL/dpre on the way out.
    """
    kind, W_dec = weights.template.kind, weights.moved["W_dec"]
    threshold, norm = weights.moved["log_threshold"].exp(), W_dec.norm(dim=-1)
    charge, half = goal.sparsity / len(pre), kind.bandwidth / 2
    by_count = charge / threshold if kind.penalty_kind == "l0" else torch.zeros_like(threshold)
    total = Sums(*(torch.zeros_like(norm) for _ in Sums._fields))
    near, seen = torch.empty_like(pre[:ROWS]), torch.empty_like(pre[:ROWS])
    for z, f, part in zip(*(each.split(ROWS) for each in (pre, latents, g)), strict=True):
        near, seen = near[: len(z)], seen[: len(z)]
        if kind.penalty_kind == "tanh":
            _add_tanh(kind, charge, norm, f, part, total)
        # K (G theta + lambda/B) as K (G + lambda/B / theta) theta. hardtanh's backward is a product with K, and
        # ReLU's one with H: one pass each.
        torch.add(part, by_count, out=seen)
        torch.sub(z, threshold, out=near)
        aten.hardtanh_backward.grad_input(seen, near, -half, half, grad_input=seen)
        total.threshold.addcmul_(seen.sum(dim=0), threshold, value=-1 / kind.bandwidth)
        aten.threshold_backward.grad_input(part, f, 0, grad_input=part)
        if kind.pull:
            _add_pull(charge * kind.pull, norm, threshold, z, part, total)
        total.pre.add_(part.sum(dim=0))
    return total


def _add_tanh(
    kind: JumpRelu, charge: float, norm: Tensor, f: Tensor, part: Tensor, total: Sums
) -> None:
    """lambda/B dP/df to dL/df, and dP/dn."""
    slope = 1 - torch.tanh(f * (kind.tanh_scale * norm)).square_()
    part.addcmul_(slope, norm, value=charge * kind.tanh_scale)
    total.norm.add_((slope * f).sum(dim=0), alpha=charge * kind.tanh_scale)


def _add_pull(
    charge: float, norm: Tensor, threshold: Tensor, z: Tensor, part: Tensor, total: Sums
) -> None:
    """What pulls silent latents towards their thresholds."""
    missing = (threshold - z).clamp_min_(0)
    total.norm.add_(missing.sum(dim=0), alpha=charge)
    silent = (missing > 0).to(z.dtype)
    part.addcmul_(silent, norm, value=-charge)
    total.threshold.addcmul_(silent.sum(dim=0), norm, value=charge)
