"""Chapter 02, how sparse should it be? `pareto` and `pick-lambda`.: `pareto`."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, uniform


def _front_cases(g: torch.Generator) -> list[Case]:
    def case(label, l0, loss):
        order = torch.randperm(len(l0), generator=g)
        return Case(label=label, inputs={"l0": torch.tensor(l0)[order], "loss": torch.tensor(loss)[order]})  # fmt: skip

    random = uniform(g, 14, low=1.0, high=50.0), uniform(g, 14)
    return [
        case("one is beaten", [2.0, 4.0, 8.0, 16.0], [0.5, 0.3, 0.35, 0.1]),
        case("beaten by one that is far away", [2.0, 20.0, 30.0, 40.0], [0.2, 0.5, 0.25, 0.1]),
        case("equally sparse, one is better", [3.0, 3.0, 6.0], [0.4, 0.3, 0.1]),
        case("equally good, one is sparser", [3.0, 5.0, 9.0], [0.4, 0.2, 0.2]),
        case("two that are the same", [3.0, 3.0, 7.0], [0.4, 0.4, 0.1]),
        case("not on the straight line between its neighbours", [1.0, 5.0, 10.0], [0.9, 0.8, 0.1]),
        case("a single one", [4.0], [0.5]),
        case("losses near 0", [1.0, 2.0, 3.0, 4.0], [0.0015, 0.001, 0.0012, 0.0]),
        case("sparsities near 0", [0.001, 0.0, 0.0015, 1.0], [0.2, 0.5, 0.1, 0.3]),
        Case(label="fourteen at random", inputs={"l0": random[0], "loss": random[1]}),
    ]


def _beaten(by) -> Tensor:
    """Whether any other point beats each, by a rule on (l0, loss, other l0, other loss)."""

    def front(l0, loss):
        return ~by(l0[:, None], loss[:, None], l0[None], loss[None]).any(dim=1)

    return front


def _front_loop(l0, loss):
    found = []
    for i in range(len(l0)):
        beaten = False
        for j in range(len(l0)):
            as_good = l0[j] <= l0[i] and loss[j] <= loss[i]
            beaten |= bool(as_good and (l0[j] < l0[i] or loss[j] < loss[i]))
        found.append(not beaten)
    return torch.tensor(found)


def _front_sorted(l0, loss):
    """From the sparsest on: on the front if better than everything sparser."""
    on = torch.zeros(len(l0), dtype=torch.bool)
    best, last = math.inf, None
    for i in sorted(range(len(l0)), key=lambda i: (float(l0[i]), float(loss[i]))):
        here = (float(l0[i]), float(loss[i]))
        if here[1] < best or here == last:
            on[i], best, last = True, here[1], here
    return on


def _neighbours(l0, loss):
    order = l0.argsort(stable=True)
    on = torch.ones(len(l0), dtype=torch.bool)
    on[order[1:]] = loss[order][1:] < loss[order][:-1]
    return on


def _hull(l0, loss):
    """Points of the front below every straight line between two others."""
    on = lab.pareto_front(l0, loss)
    for i in range(len(l0)):
        for j in range(len(l0)):
            for k in range(len(l0)):
                if l0[j] < l0[i] < l0[k]:
                    share = (l0[i] - l0[j]) / (l0[k] - l0[j])
                    on[i] &= bool(loss[i] <= loss[j] + share * (loss[k] - loss[j]))
    return on


PARETO = Exercise(
    slug="pareto",
    title="Which ones are beaten?",
    chapter="02",
    points=2,
    minutes=7,
    difficulty=2,
    objective="Compare dictionaries that trade sparsity against faithfulness: find those that no other one beats.",
    cases=and_near_zero(_front_cases, positive=("l0", "loss")),
    reference=lab.pareto_front,
    styles=(
        Style(name="two loops", right=_front_loop),
        Style(name="from the sparsest on", right=_front_sorted),
        Style(
            name="numpy",
            right=lambda l0, loss: np.array(
                [
                    not any(
                        (a <= c and b <= d and (a, b) != (c, d))
                        for a, b in zip(l0.tolist(), loss.tolist(), strict=True)
                    )
                    for c, d in zip(l0.tolist(), loss.tolist(), strict=True)
                ]
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="must be beaten in both",
            wrong=_beaten(lambda l0, loss, a, b: (a < l0) & (b < loss)),
            sentence="You keep a point that another one equals in one number and beats in the other. Beaten means: as good in both, better in at "
            "least one.",
        ),
        Mistake(
            name="beaten by itself",
            wrong=_beaten(lambda l0, loss, a, b: (a <= l0) & (b <= loss)),
            sentence="Every point is as good as itself, so in yours all are beaten. It has to be better in at least one of the two.",
        ),
        Mistake(
            name="beaten in either",
            wrong=_beaten(lambda l0, loss, a, b: (a < l0) | (b < loss)),
            sentence="In yours a point is beaten by whatever is better in ONE of the two, though it may be worse in the other. Both have to be at "
            "least as good.",
        ),
        Mistake(
            name="larger is better",
            wrong=lambda l0, loss: lab.pareto_front(-l0, -loss),
            sentence="You keep the points with the most latents and the highest loss, those that beat no other one. Of both numbers less is better; and check the "
            "axis over which you ask whether ANY other point beats this one.",
        ),
        Mistake(
            name="denser is better",
            wrong=lambda l0, loss: lab.pareto_front(-l0, loss),
            sentence="In yours a larger L0 is better. Fewer latents are easier to read, so less is better, of both numbers.",
        ),
        Mistake(
            name="neighbours only",
            wrong=_neighbours,
            sentence="You compare each point with its next sparser neighbour only. One that is far sparser may beat it, too.",
        ),
        Mistake(
            name="the beaten ones",
            wrong=lambda l0, loss: ~lab.pareto_front(l0, loss),
            sentence="You mark the points that ARE beaten: the answer upside down.",
        ),
        Mistake(
            name="the convex hull",
            wrong=_hull,
            sentence="You drop points that lie above a straight line between two others. There is no dictionary on that line: only a dictionary can "
            "beat a dictionary.",
        ),
        Mistake(
            name="only the best",
            wrong=lambda l0, loss: loss == loss.min(),
            sentence="You keep the one with the lowest loss. A sparser one with a higher loss is not beaten by it.",
        ),
        Mistake(
            name="places in place of a mask",
            wrong=lambda l0, loss: lab.pareto_front(l0, loss).nonzero().flatten(),
            sentence="These are the numbers of the points. Give one True or False per point.",
        ),
    ),
    hints=(
        "Compare every point with every other: `l0[:, None]` against `l0[None]` is a table of pairs.",
        "j beats i if it is at most as large in both numbers AND smaller in at least one.",
        "On the front: no j beats it. `.any(dim=...)` over j.",
    ),
)
