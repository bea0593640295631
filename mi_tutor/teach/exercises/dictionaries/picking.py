"""Chapter 02, how sparse should it be? `pick-lambda`."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import uniform


def _lambda_cases(g: torch.Generator) -> list[Case]:
    def case(label, n, low, high, slope, order=lambda n: torch.arange(n)):
        sparsity = torch.logspace(math.log10(low), math.log10(high), n, dtype=torch.float64)
        bend = 1 + 0.3 * uniform(g, n, dtype=torch.float64)
        l0 = (40 * (sparsity / low) ** -slope / bend.cumprod(0)).tolist()
        between = int(torch.randint(n - 1, (1,), generator=g))
        share = 0.25 + 0.5 * float(torch.rand(1, generator=g))
        target = l0[between] ** (1 - share) * l0[between + 1] ** share
        tried = [(sparsity[i].item(), l0[i]) for i in order(n).tolist()]
        inputs = {
            "target_l0": target,
            "sparsity": [s for s, _ in tried],
            "l0": [v for _, v in tried],
        }
        return Case(label=label, inputs=inputs)

    return [
        case("four that were tried", 4, 0.1, 10.0, 0.7),
        case("two that were tried, far apart", 2, 0.01, 1.0, 0.9),
        case("in no order", 12, 0.05, 5.0, 0.5, order=lambda n: torch.randperm(n, generator=g)),
        case("the strongest first", 5, 0.2, 3.0, 1.2, order=lambda n: torch.arange(n).flip(0)),
    ]


def _between(target, sparsity, l0, of_sparsity=math.log, of_l0=math.log, back=math.exp, sort=True):
    pairs = sorted(zip(sparsity, l0, strict=True)) if sort else list(zip(sparsity, l0, strict=True))
    for (low, many), (high, few) in pairwise(pairs):
        if few <= target <= many:
            share = (of_l0(many) - of_l0(target)) / (of_l0(many) - of_l0(few))
            return back(of_sparsity(low) + share * (of_sparsity(high) - of_sparsity(low)))
    return float("nan")


def _same(value: float) -> float:
    return value


def _nearest(target_l0, sparsity, l0):
    return min(zip(sparsity, l0, strict=True), key=lambda pair: abs(pair[1] - target_l0))[0]


def _fitted_line(target_l0, sparsity, l0):
    slope, offset = np.polyfit(np.log(l0), np.log(sparsity), 1)
    return float(np.exp(slope * math.log(target_l0) + offset))


PICK_LAMBDA = Exercise(
    slug="pick-lambda",
    title="The λ for a target",
    chapter="02",
    points=2,
    minutes=7,
    difficulty=2,
    objective="Choose λ for the number of latents that you want, from a few that were tried.",
    cases=_lambda_cases,
    reference=lab.sparsity_for,
    tolerance=Tolerance(rtol=1e-4),
    styles=(
        Style(name="a loop over neighbours", right=lambda t, s, v: _between(t, s, v)),
        Style(
            name="np.interp in the logs",
            right=lambda t, s, v: np.exp(
                np.interp(-np.log(t), -np.log(v)[np.argsort(s)], np.log(s)[np.argsort(s)])
            ),
        ),
        Style(
            name="torch, powers",
            right=lambda t, s, v: (
                lambda a, b: a[0] * (b[0] / a[0]) ** (math.log(a[1] / t) / math.log(a[1] / b[1]))
            )(
                min((p for p in zip(s, v, strict=True) if p[1] >= t), key=lambda p: p[1]),
                max((p for p in zip(s, v, strict=True) if p[1] <= t), key=lambda p: p[1]),
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="linear in both",
            wrong=lambda t, s, v: _between(t, s, v, _same, _same, _same),
            sentence="You interpolate the numbers themselves. λ and L0 both range over factors, so take the logarithms of both.",
        ),
        Mistake(
            name="λ not in logs",
            wrong=lambda t, s, v: _between(t, s, v, of_sparsity=_same, back=_same),
            sentence="L0 is in logarithms and λ is not. Take the logarithms of both, and the exponential at the end.",
        ),
        Mistake(
            name="L0 not in logs",
            wrong=lambda t, s, v: _between(t, s, v, of_l0=_same),
            sentence="λ is in logarithms and L0 is not. Take the logarithms of both.",
        ),
        Mistake(
            name="the nearest that was tried",
            wrong=_nearest,
            sentence="This is the λ of the run that came nearest. Go between the two neighbours of the target.",
        ),
        Mistake(
            name="one line through all",
            wrong=_fitted_line,
            sentence="You fit one line through all runs. Interpolate between the two neighbours of the target only, which is right even where the "
            "curve bends.",
        ),
        Mistake(
            name="still a logarithm",
            wrong=lambda t, s, v: _between(t, s, v, back=_same),
            sentence="This is the logarithm of λ: the exponential at the end is missing.",
        ),
        Mistake(
            name="from the wrong end",
            wrong=lambda t, s, v: (
                lambda pair: math.exp(
                    math.log(pair[1][0])
                    + math.log(pair[0][1] / t)
                    / math.log(pair[0][1] / pair[1][1])
                    * math.log(pair[0][0] / pair[1][0])
                )
            )(
                (
                    min((p for p in zip(s, v, strict=True) if p[1] >= t), key=lambda p: p[1]),
                    max((p for p in zip(s, v, strict=True) if p[1] <= t), key=lambda p: p[1]),
                )
            ),
            sentence="You go the right way and start from the wrong neighbour. A larger λ gives fewer latents: at the larger L0 belongs the smaller λ.",
        ),
        Mistake(
            name="the middle of the neighbours",
            wrong=lambda t, s, v: math.sqrt(
                min((p for p in zip(s, v, strict=True) if p[1] >= t), key=lambda p: p[1])[0]
                * max((p for p in zip(s, v, strict=True) if p[1] <= t), key=lambda p: p[1])[0]
            ),
            sentence="You take the middle between the two neighbours, wherever the target lies between them.",
        ),
    ),
    hints=(
        "Sort the pairs by λ, and find the two neighbours whose L0 lie on both sides of the target.",
        "Between them: the share of the way from the larger to the smaller L0, in logarithms; then go that share of the way from the smaller λ to the "
        "larger one, in logarithms too.",
    ),
)
