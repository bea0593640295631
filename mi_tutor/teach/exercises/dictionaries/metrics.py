"""Chapter 02, how good is it? `sae-metrics` and `loss-recovered`.: `sae-metrics`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import and_near_zero, normal


def l0_and_fvu(x: Tensor, x_hat: Tensor, latents: Tensor) -> tuple[float, float]:
    """L0, and the fraction of variance unexplained."""
    return lab.l0(latents), lab.fvu(x, x_hat)


def _metric_cases(g: torch.Generator) -> list[Case]:
    def case(label, n, d, n_latents, mean=0.0, error=0.5, dtype=torch.float32):
        scale = 1 + 3 * torch.rand(d, generator=g, dtype=torch.float64).to(dtype)
        x = normal(g, n, d, dtype=dtype) * scale + mean * (1 + normal(g, d, dtype=dtype).abs())
        x_hat = x + error * normal(g, n, d, dtype=dtype) + 0.3 * error
        latents = torch.relu(normal(g, n, n_latents, dtype=dtype) - 0.5)
        return Case(label=label, inputs={"x": x, "x_hat": x_hat, "latents": latents})

    return [
        case("12 samples", 12, 11, 13),
        case("activations with a large mean", 15, 5, 7, mean=6.0),
        case("as many samples as latents and dimensions", 6, 6, 6, mean=1.0),
        case("a reconstruction worse than the mean", 9, 3, 8, mean=2.0, error=4.0),
        case("double precision", 8, 4, 10, mean=2.0, dtype=torch.float64),
    ]


def _l0(latents: Tensor) -> Tensor:
    return (latents > 0).to(latents.dtype).sum(-1).mean()


def _fvu(x: Tensor, x_hat: Tensor, around: Tensor | float | None = None) -> Tensor:
    mean = x.mean(0) if around is None else around
    return (x - x_hat).square().sum() / (x - mean).square().sum()


def _metrics(first=_l0, second=_fvu):
    return lambda x, x_hat, latents: (first(latents), second(x, x_hat))


def _metrics_loop(x, x_hat, latents):
    on = sum(int(value > 0) for row in latents for value in row) / len(latents)
    mean = [sum(float(v) for v in column) / len(x) for column in x.T]
    wrong = sum(
        float(a - b) ** 2 for p, q in zip(x, x_hat, strict=True) for a, b in zip(p, q, strict=True)
    )
    varied = sum((float(a) - m) ** 2 for p in x for a, m in zip(p, mean, strict=True))
    return on, wrong / varied


SAE_METRICS = Exercise(
    slug="sae-metrics",
    title="How sparse, how faithful?",
    chapter="02",
    points=2,
    minutes=5,
    difficulty=2,
    objective="Measure a dictionary with two numbers: L0, and the fraction of variance unexplained.",
    cases=and_near_zero(_metric_cases, "x", "x_hat", positive=("latents",), zero_rows=("latents",)),
    reference=l0_and_fvu,
    tolerance=Tolerance(rtol=1e-4, atol=1e-6),
    styles=(
        Style(name="loops over numbers", right=_metrics_loop),
        Style(
            name="count_nonzero and biased variance",
            right=lambda x, x_hat, latents: (
                latents.count_nonzero() / len(latents),
                (x - x_hat).pow(2).mean(0).sum() / x.var(dim=0, correction=0).sum(),
            ),
        ),
        Style(
            name="norms",
            right=lambda x, x_hat, latents: (
                (latents > 0).sum(dim=1).double().mean().item(),
                ((x - x_hat).norm() / (x - x.mean(0, keepdim=True)).norm()).item() ** 2,
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="L0 averaged over latents",
            wrong=_metrics(first=lambda f: (f > 0).to(f.dtype).mean()),
            sentence="Your L0 is a share: it is averaged over latents too. L0 is a COUNT over latents, and a mean over samples only.",
        ),
        Mistake(
            name="L0 summed over samples",
            wrong=_metrics(first=lambda f: (f > 0).to(f.dtype).sum()),
            sentence="Your L0 counts over all samples together, so it grows with their number. Take the mean over samples.",
        ),
        Mistake(
            name="L0 over samples",
            wrong=_metrics(first=lambda f: (f > 0).to(f.dtype).sum(0).mean()),
            sentence="You count, for each latent, the samples in which it is on. L0 counts, for each sample, the latents that are on.",
        ),
        Mistake(
            name="L1 in place of L0",
            wrong=_metrics(first=lambda f: f.sum(-1).mean()),
            sentence="This is the sum of the latents, L1. L0 asks only how many of them are on.",
        ),
        Mistake(
            name="FVU without centring",
            wrong=_metrics(second=lambda x, y: _fvu(x, y, 0.0)),
            sentence="You divide by the squared length of x itself. Variance is measured around the mean sample; without centring, a large mean "
            "makes any reconstruction look good.",
        ),
        Mistake(
            name="one mean for all dimensions",
            wrong=_metrics(second=lambda x, y: _fvu(x, y, x.mean())),
            sentence="You centre with one number, the mean over everything. The mean sample has one entry per dimension.",
        ),
        Mistake(
            name="mean over each sample's dimensions",
            wrong=_metrics(second=lambda x, y: _fvu(x, y, x.mean(1, keepdim=True))),
            sentence="You centre each sample with the mean of its own dimensions. The mean is over samples: which activation is typical?",
        ),
        Mistake(
            name="variance explained",
            wrong=_metrics(second=lambda x, y: 1 - _fvu(x, y)),
            sentence="This is the fraction that IS explained. FVU is what is left over: 0 is perfect.",
        ),
        Mistake(
            name="not divided by the variance",
            wrong=_metrics(second=lambda x, y: (x - y).square().mean()),
            sentence="This is a mean squared error. It depends on how large activations are; divide by the variance.",
        ),
        Mistake(
            name="mean of each dimension's fraction",
            wrong=_metrics(
                second=lambda x, y: (
                    (x - y).square().sum(0) / (x - x.mean(0)).square().sum(0)
                ).mean()
            ),
            sentence="You average one fraction per dimension, so a dimension in which little happens counts as much as a large one. Sum both sides "
            "over everything first, then divide.",
        ),
        Mistake(
            name="mean of each sample's fraction",
            wrong=_metrics(
                second=lambda x, y: (
                    (x - y).square().sum(1) / (x - x.mean(0)).square().sum(1)
                ).mean()
            ),
            sentence="You average one fraction per sample, so a sample close to the mean counts enormously. Sum both sides over everything first, "
            "then divide.",
        ),
        Mistake(
            name="variance of the error",
            wrong=_metrics(second=lambda x, y: _fvu(x, y + (x - y).mean(0))),
            sentence="You take the mean error out before squaring, so that a reconstruction that is off by a constant looks perfect. Only the "
            "denominator is centred.",
        ),
        Mistake(
            name="variance with n - 1",
            wrong=_metrics(second=lambda x, y: (x - y).square().sum(1).mean() / x.var(0).sum()),
            sentence="`torch.var` divides by n - 1 and your error by n, so the two do not fit together. Use sums in both, or `correction=0`.",
        ),
        Mistake(
            name="root of the fraction",
            wrong=_metrics(second=lambda x, y: _fvu(x, y).sqrt()),
            sentence="This is the ratio of lengths. The fraction of variance is the ratio of their squares.",
        ),
        Mistake(
            name="order exchanged",
            wrong=lambda x, x_hat, latents: (_fvu(x, x_hat), _l0(latents)),
            sentence="Your pair is exchanged: first L0, then FVU.",
        ),
    ),
    hints=(
        "Two numbers, (L0, FVU). For L0: which latents are above 0? Count over the last axis, then the mean.",
        "The mean sample: x.mean over the batch axis, one entry per dimension.",
        "FVU: the sum of all squared errors, divided by the sum of all squared distances from the mean sample.",
    ),
)
