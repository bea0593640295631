"""Chapter 05: `other-hops`."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import cosine_similarity, normalize

from mi_tutor.lab.swaps import direction_agreement
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import normal


def _cases(g: torch.Generator) -> list[Case]:
    """Two tables that share a large common part, and their classes' differences in part."""
    settings = [
        ("half in common", 12, 14, 1.0, torch.float32),
        ("nothing in common but the mean", 6, 30, 3.0, torch.float32),
        ("two classes", 2, 7, 0.5, torch.float32),
        ("lengths that differ", 4, 9, 0.7, torch.float32),
        ("double precision", 7, 16, 1.5, torch.float64),
    ]
    cases = []
    for label, n, d_model, noise, dtype in settings:
        shared = normal(g, n, d_model, dtype=dtype)
        common = 4 * normal(g, d_model, dtype=dtype)
        first = common + shared
        second = common + noise * normal(g, n, d_model, dtype=dtype)
        if not label.startswith("nothing"):
            second = second + shared
        if label.startswith("lengths"):
            shared_lengths = torch.linspace(0.2, 4.0, n, dtype=dtype)[:, None]
            first, second = common + shared_lengths * shared, common - (second - common)
        cases.append(Case(label=label, inputs={"first": first, "second": second}))
    return cases


def _pairs(means):
    n = len(means)
    return torch.stack([means[b] - means[a] for a in range(n) for b in range(n) if a != b])


def _by_loop(first, second):
    found = []
    for a in range(len(first)):
        for b in range(len(first)):
            if a != b:
                u, v = first[b] - first[a], second[b] - second[a]
                found.append(u @ v / (u.norm() * v.norm()))
    return sum(found) / len(found)


def _by_unordered_pairs(first, second):
    rows, columns = torch.triu_indices(len(first), len(first), offset=1)
    u, v = first[rows] - first[columns], second[rows] - second[columns]
    return torch.einsum("p d, p d -> p", normalize(u, dim=-1), normalize(v, dim=-1)).mean()


def _by_numpy(first, second):
    u, v = (_pairs(means).numpy() for means in (first, second))
    cosine = (u * v).sum(-1) / np.linalg.norm(u, axis=-1) / np.linalg.norm(v, axis=-1)
    return float(cosine.mean())


OTHER_HOPS = Exercise(
    slug="other-hops",
    title="The same directions?",
    chapter="05",
    points=2,
    minutes=10,
    difficulty=3,
    objective="Compare the directions between states in two languages, and not what all their activations have in common.",
    cases=_cases,
    reference=direction_agreement,
    dtype="any",
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="two loops", right=_by_loop),
        Style(name="each pair once", right=_by_unordered_pairs),
        Style(name="numpy", right=_by_numpy),
    ),
    mistakes=(
        Mistake(
            name="means for differences",
            wrong=lambda first, second: cosine_similarity(first, second, dim=-1).mean(),
            sentence="You compare the means themselves. Most of a mean is common to all states, so any two look alike: compare the DIFFERENCES "
            "between states.",
        ),
        Mistake(
            name="a class with itself",
            wrong=lambda first, second: cosine_similarity(
                first[None] - first[:, None], second[None] - second[:, None], dim=-1
            ).mean(),
            sentence="You average over the pairs of a state with itself, too. Their difference is zero and has no direction: leave them out.",
        ),
        Mistake(
            name="not divided by the lengths",
            wrong=lambda first, second: (_pairs(first) * _pairs(second)).sum(-1).mean(),
            sentence="These are dot products. A cosine is divided by both lengths.",
        ),
        Mistake(
            name="absolute values",
            wrong=lambda first, second: (
                cosine_similarity(_pairs(first), _pairs(second), dim=-1).abs().mean()
            ),
            sentence="You take absolute values, so opposite directions count as alike, and unrelated ones as a little alike. Keep the sign.",
        ),
        Mistake(
            name="from the first class only",
            wrong=lambda first, second: cosine_similarity(
                first[1:] - first[0], second[1:] - second[0], dim=-1
            ).mean(),
            sentence="You only take directions that start at class 0. All ordered pairs of two different classes count.",
        ),
        Mistake(
            name="from the mean of all",
            wrong=lambda first, second: cosine_similarity(
                first - first.mean(dim=0), second - second.mean(dim=0), dim=-1
            ).mean(),
            sentence="You compare each state with the mean of all states. Asked are the directions from one state to another.",
        ),
        Mistake(
            name="one long vector",
            wrong=lambda first, second: cosine_similarity(
                _pairs(first).flatten(), _pairs(second).flatten(), dim=0
            ),
            sentence="You put all directions into one long vector and take one cosine, so long directions count for more. One cosine per pair, "
            "then the mean.",
        ),
    ),
    hints=(
        "`means[None] - means[:, None]` is [class class d_model]: every difference at once.",
        "`torch.cosine_similarity(u, v, dim=-1)` compares row by row.",
        "Which pairs have no direction? `~torch.eye(n, dtype=bool)` leaves them out.",
    ),
)
