"""Chapter 02, other ways to be sparse: `jump-relu`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal, uniform


def jump_relu(pre: Tensor, threshold: Tensor, bandwidth: float) -> Tensor:
    """JumpReLU with a straight-through gradient for the threshold."""
    return lab.jump_relu(pre, threshold, bandwidth)


def _jump_cases(g: torch.Generator) -> list[Case]:
    def case(label, batch, n_latents, bandwidth, dtype=torch.float32):
        threshold = uniform(g, n_latents, low=0.3, high=2.0, dtype=dtype)
        near = threshold + 1.5 * bandwidth * uniform(g, batch, n_latents, low=-1.0, dtype=dtype)
        far = 2 * normal(g, batch, n_latents, dtype=dtype)
        is_near = uniform(g, batch, n_latents) < 0.6
        inputs = {"pre": torch.where(is_near, near, far), "threshold": threshold}
        return Case(label=label, inputs=inputs | {"bandwidth": bandwidth})

    return [
        case("a batch of 40", 40, 6, 0.2),
        case("a narrow band", 60, 4, 0.02),
        case("a wide band", 30, 5, 0.8),
        case("a batch of 1", 1, 30, 0.4),
        case("as many samples as latents, double precision", 12, 12, 0.3, dtype=torch.float64),
    ]


def _ste(backward, on=lambda z, t: z > t):
    """JumpReLU whose backward pass is `backward(z, threshold, bandwidth, grad)` -> two gradients."""

    class Jump(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, pre, threshold, bandwidth):
            ctx.save_for_backward(pre, threshold)
            ctx.bandwidth = bandwidth
            return pre * on(pre, threshold)

        @staticmethod
        def backward(ctx: Any, grad):
            pre, threshold = ctx.saved_tensors
            return *backward(pre, threshold, ctx.bandwidth, grad), None

    return lambda pre, threshold, bandwidth: Jump.apply(pre, threshold, bandwidth)


def _near(z: Tensor, t: Tensor, bandwidth: float, half: float = 0.5) -> Tensor:
    return ((z - t).abs() < half * bandwidth).to(z.dtype)


def _gradients(for_pre=None, for_threshold=None):
    """Both gradients, one of them perhaps another than the right one."""
    for_pre = for_pre or (lambda z, t, e, grad: grad * (z > t))
    for_threshold = for_threshold or (lambda z, t, e, grad: (-t / e * _near(z, t, e) * grad).sum(0))
    return _ste(lambda *a: (for_pre(*a), for_threshold(*a)))


def _without_a_class(pre, threshold, bandwidth):
    """The forward value, plus something that is 0 and has the wanted gradient."""
    on = (pre > threshold).to(pre.dtype).detach()
    t, z = threshold, pre.detach()
    slope = -(t / bandwidth * _near(z, t, bandwidth)).detach()
    return pre * on + slope * (t - t.detach())


class _Readable(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pre, threshold, bandwidth):
        ctx.save_for_backward(pre, threshold)
        ctx.bandwidth = bandwidth
        return torch.where(pre > threshold, pre, 0.0)

    @staticmethod
    def backward(ctx: Any, grad):
        pre, threshold = ctx.saved_tensors
        inside = ((pre - threshold) / ctx.bandwidth).abs() < 0.5
        to_threshold = torch.einsum("bl,bl,l->l", grad, inside.to(grad.dtype), -threshold)
        return torch.where(pre > threshold, grad, 0.0), to_threshold / ctx.bandwidth, None


JUMP_RELU = Exercise(
    slug="jump-relu",
    optional=True,
    title="A threshold that learns",
    chapter="02",
    points=3,
    minutes=15,
    difficulty=4,
    objective="Write JumpReLU, and give its threshold a gradient where calculus gives none: the straight-through estimator.",
    cases=and_near_zero(_jump_cases, "pre", positive=("threshold",), zero_rows=("pre",)),
    reference=jump_relu,
    gradients=("pre", "threshold"),
    styles=(
        Style(name="autograd.Function, where and einsum", right=_Readable.apply),
        Style(name="zero with a gradient", right=_without_a_class),
    ),
    mistakes=(
        Mistake(
            name="no estimator",
            wrong=lambda pre, threshold, bandwidth: pre * (pre > threshold),
            sentence="The values are right, and no gradient reaches the threshold: a comparison has none. That is what the estimator is for.",
        ),
        Mistake(
            name="the threshold subtracted",
            wrong=lambda pre, threshold, bandwidth: torch.relu(pre - threshold),
            sentence="You subtract the threshold from what is kept, so every latent is too small: shrinkage, which JumpReLU was made to avoid. What "
            "is above the threshold stays as it is.",
        ),
        Mistake(
            name="a plain ReLU",
            wrong=lambda pre, threshold, bandwidth: torch.relu(pre),
            sentence="This is a plain ReLU: the threshold does not come into it.",
        ),
        Mistake(
            name="the wrong sign",
            wrong=_gradients(
                for_threshold=lambda z, t, e, grad: (t / e * _near(z, t, e) * grad).sum(0)
            ),
            sentence="The gradient of the threshold has the wrong sign. Raising a threshold can only switch latents off, so the output falls.",
        ),
        Mistake(
            name="the step's gradient",
            wrong=_gradients(
                for_threshold=lambda z, t, e, grad: (-1 / e * _near(z, t, e) * grad).sum(0)
            ),
            sentence="This is the estimator of the STEP function: a latent that switches off loses its whole value, θ, not 1. The factor θ is "
            "missing.",
        ),
        Mistake(
            name="no bandwidth",
            wrong=_gradients(
                for_threshold=lambda z, t, e, grad: (-t * _near(z, t, e) * grad).sum(0)
            ),
            sentence="The factor 1/ε is missing: a narrower band hears from fewer samples, and each counts for more.",
        ),
        Mistake(
            name="a band twice as wide",
            wrong=_gradients(
                for_threshold=lambda z, t, e, grad: (-t / e * _near(z, t, e, half=1.0) * grad).sum(
                    0
                )
            ),
            sentence="Your band reaches a whole ε to each side. K is a rectangle of width 1, so the band is ε wide: ε/2 to each side.",
        ),
        Mistake(
            name="every sample counts",
            wrong=_gradients(for_threshold=lambda z, t, e, grad: (-t / e * grad).sum(0)),
            sentence="All samples push the threshold, however far from it they are. Only those within the band count: K((z - θ)/ε).",
        ),
        Mistake(
            name="z in place of θ",
            wrong=_gradients(
                for_threshold=lambda z, t, e, grad: (-z / e * _near(z, t, e) * grad).sum(0)
            ),
            sentence="Your factor is the pre-activation itself. The estimator has the threshold θ there.",
        ),
        Mistake(
            name="mean over the batch",
            wrong=_gradients(
                for_threshold=lambda z, t, e, grad: (-t / e * _near(z, t, e) * grad).mean(0)
            ),
            sentence="You take the mean over the batch. One threshold serves all samples, so its gradient is the SUM of theirs; the mean is in the "
            "loss already.",
        ),
        Mistake(
            name="what comes from above forgotten",
            wrong=_gradients(for_threshold=lambda z, t, e, grad: (-t / e * _near(z, t, e)).sum(0)),
            sentence="The gradient that arrives from the loss does not come into the threshold's: the chain rule multiplies by it.",
        ),
        Mistake(
            name="the gradient passes everywhere",
            wrong=_gradients(for_pre=lambda z, t, e, grad: grad),
            sentence="You pass the gradient on to all pre-activations, also to those of latents that are off. It passes only where z > θ.",
        ),
        Mistake(
            name="the band's gradient for z too",
            wrong=_gradients(
                for_pre=lambda z, t, e, grad: grad * (z > t) + t / e * _near(z, t, e) * grad
            ),
            sentence="You give the pre-activation a share of the estimator too. Only the threshold gets it; z has its ordinary gradient, 1 where the "
            "latent is on.",
        ),
        Mistake(
            name="detached",
            wrong=lambda pre, threshold, bandwidth: (pre * (pre > threshold)).detach(),
            sentence="The values are right, and no gradient flows at all, not even to the pre-activations.",
        ),
    ),
    hints=(
        "Forward: multiply z with (z > θ). Save what `backward` needs with `ctx.save_for_backward`.",
        "Backward gets the gradient of the loss with respect to your output, and returns one gradient per argument of forward: for z, for θ, and None "
        "for the bandwidth.",
        "For θ: grad · (-θ/ε) · [|z - θ| < ε/2], summed over the batch, since all samples share it.",
    ),
)
