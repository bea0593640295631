"""Chapter 01: `feature-fates`."""

from __future__ import annotations

import torch

from mi_tutor.lab.superposition import feature_dimensionality, feature_fates, interference
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal


def _fate_cases(g: torch.Generator) -> list[Case]:
    plane = torch.tensor([[1.0, -1.0, 0.05, 0.0], [0.0, 0.1, 0.02, 0.9]])
    angle = torch.arange(5) * (2 * torch.pi / 5)
    pentagon = torch.stack([angle.cos(), angle.sin()])
    random = [normal(g, 3, n) * torch.rand(n, generator=g) for n in (9, 12)]
    settings = [
        ("a pair, one alone, one dropped", plane),
        ("a pentagon", pentagon),
        ("two dimensions of their own", torch.tensor([[1.0, 0.0, 0.1], [0.0, 1.0, 0.1]])),
        ("one short feature next to a long one", torch.tensor([[1.3, 0.3, 0.0], [0.0, 0.45, 0.7]])),
        (
            "lengths just above and below the limit",
            torch.tensor([[0.45, 0.0, 0.0], [0.0, 0.6, 0.0], [0.0, 0.0, 0.8]]),
        ),
        ("lengths and overlaps of all sizes", torch.tensor([[0.8, 0.4, 0.4], [0.0, 0.1, -0.1]])),
        ("just at both limits", torch.tensor([[1.0, 0.5], [0.0, 0.0]])),
        ("random weights", random[0]),
        ("more random weights, in double precision", random[1].double()),
    ]
    return [Case(label=label, inputs={"W": W}) for label, W in settings]


def _fates(norm, crowd, min_norm=0.5, min_interference=0.25):
    shared = torch.where(crowd >= min_interference, 1, 2)
    return torch.where(norm >= min_norm, shared, 0)


def _fates_loop(W):
    crowd = interference(W)
    result = []
    for i in range(W.shape[1]):
        if W[:, i].norm() < 0.5:
            result.append(0)
        else:
            result.append(1 if crowd[i] >= 0.25 else 2)
    return torch.tensor(result)


FATES = Exercise(
    slug="feature-fates",
    title="Three fates",
    chapter="01",
    points=2,
    minutes=5,
    difficulty=1,
    objective="Say for each feature whether a trained model drops it, superposes it, or gives it a dimension of its own.",
    cases=and_near_zero(_fate_cases, "W"),
    reference=feature_fates,
    mistakes=(
        Mistake(
            name="no length test",
            wrong=lambda W: torch.where(interference(W) >= 0.25, 1, 2),
            sentence="You ask only whether features overlap. A feature that is too short is not represented (0), whatever its overlaps.",
        ),
        Mistake(
            name="only two fates",
            wrong=lambda W: torch.where(W.norm(dim=0) >= 0.5, 1, 0),
            sentence="You tell represented from not represented, which is two fates. A represented feature can be dedicated "
            "(2) or superposed (1): look at its interference with OTHER features (its overlap with itself does not count).",
        ),
        Mistake(
            name="superposed and dedicated exchanged",
            wrong=lambda W: torch.where(
                W.norm(dim=0) >= 0.5, torch.where(interference(W) >= 0.25, 2, 1), 0
            ),
            sentence="Your codes 1 and 2 are exchanged: 1 is superposed (it overlaps with others), 2 is dedicated.",
        ),
        Mistake(
            name="by dimensionality",
            wrong=lambda W: torch.where(
                feature_dimensionality(W) > 0.75, 2, torch.where(W.norm(dim=0) >= 0.5, 1, 0)
            ),
            sentence="You decide by dimensionality before you ask whether the feature is represented at all: a tiny vector "
            "on its own has D near 1 and still counts as not represented.",
        ),
        Mistake(
            name="squared length against the limit",
            wrong=lambda W: _fates((W**2).sum(0), interference(W)),
            sentence="You compare the squared length with 0.5; the limit is on the length ‖W_i‖ itself.",
        ),
        Mistake(
            name="interference first",
            wrong=lambda W: torch.where(
                interference(W) >= 0.25, 1, torch.where(W.norm(dim=0) >= 0.5, 2, 0)
            ),
            sentence="A feature that is not represented has overlaps as well, and you call it superposed. Ask for its length "
            "first.",
        ),
        Mistake(
            name="rows for columns",
            wrong=lambda W: _fates(W.norm(dim=1), interference(W.T)),
            sentence="You judge the rows of W, which are hidden dimensions. Features are columns.",
        ),
        Mistake(
            name="counted from the other end",
            wrong=lambda W: 2 - feature_fates(W),
            sentence="0 means not represented and 2 means dedicated; yours are the other way round.",
        ),
    ),
    styles=(
        Style(name="a loop", right=_fates_loop),
        Style(
            name="arithmetic",
            right=lambda W: (W.norm(dim=0) >= 0.5).long() * (2 - (interference(W) >= 0.25).long()),
        ),
        Style(
            name="boolean indexing, int32",
            right=lambda W: _fates(W.norm(dim=0), interference(W)).to(torch.int32),
        ),
    ),
    hints=(
        "Two questions in order: is the feature represented? If so, does it share its direction?",
        "`torch.where(condition, a, b)` picks entry by entry; one can stand inside another.",
        "Length of column i: `W.norm(dim=0)`. You wrote `interference` above.",
    ),
)
