"""Chapter 06, how much a node counts along all paths: `influence`."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mi_tutor.lab import tracing as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.tracing.inputs import random_graph

CLOSE = Tolerance(rtol=1e-4, atol=1e-6)


def influence(adjacency, weights) -> Tensor:
    """Shares, and their influence."""
    return lab.influence(lab.shares(adjacency), weights)


def _influence_cases(g: torch.Generator) -> list[Case]:
    def case(label, *sizes, **more):
        graph = random_graph(g, *sizes, **more)
        return Case(label=label, inputs={"adjacency": graph.adjacency, "weights": graph.weights})

    return [
        case("one logit", 9, 3, 4, 1),
        case("three logits of different probability", 12, 4, 3, 3),
        case("a latent without any input", 8, 2, 3, 2, orphan=True),
        case("a small graph, double precision", 4, 1, 2, 1, dtype=torch.float64),
        case("long paths", 24, 2, 3, 2),
    ]


def _size(adjacency: Tensor) -> Tensor:
    return adjacency.abs()


def _over(total: Tensor) -> Tensor:
    return torch.where(total.abs() > 1e-10, total, torch.ones_like(total))


def _sum_of_paths(A: Tensor, weights: Tensor, most: int | None = None) -> Tensor:
    total, now = torch.zeros_like(weights), weights
    for _ in range(len(weights) if most is None else most):
        now = now @ A
        total = total + now
    return total


def _by_inverse(adjacency, weights):
    A = lab.shares(adjacency)
    one = torch.eye(len(A), dtype=A.dtype)
    return weights @ (torch.linalg.inv(one - A) - one)


def _by_solving(adjacency, weights):
    size = adjacency.abs()
    A = size / size.sum(dim=1, keepdim=True).clamp(min=1e-12)
    one = torch.eye(len(A), dtype=A.dtype)
    return torch.linalg.solve((one - A).mT, weights) - weights


def _by_numpy(adjacency, weights):
    size = np.abs(adjacency.numpy())
    total = size.sum(axis=1, keepdims=True)
    A = np.divide(size, total, out=np.zeros_like(size), where=total > 0)
    power, B = A, np.zeros_like(A)
    while power.any():
        B, power = B + power, power @ A
    return torch.from_numpy(weights.numpy() @ B)


INFLUENCE = Exercise(
    slug="influence",
    title="Along all paths",
    chapter="06",
    points=3,
    minutes=15,
    difficulty=3,
    objective="Add up how much a node counts for the logits along paths of every length, from shares of each target's input.",
    cases=_influence_cases,
    reference=influence,
    tolerance=CLOSE,
    styles=(
        Style(name="an inverse", right=_by_inverse),
        Style(name="a system of equations", right=_by_solving),
        Style(name="numpy, powers of the matrix", right=_by_numpy),
        Style(name="step by step", right=lambda A, w: _sum_of_paths(lab.shares(A), w)),
    ),
    mistakes=(
        Mistake(
            name="signs kept",
            wrong=lambda A, w: _sum_of_paths(A / _over(A.sum(1, keepdim=True)), w),
            sentence="You divide signed effects by their sum. That sum can be near 0, and what pulls up and what holds back cancel: shares are of absolute "
            "values.",
        ),
        Mistake(
            name="signs in the numerator",
            wrong=lambda A, w: _sum_of_paths(A / _over(A.abs().sum(1, keepdim=True)), w),
            sentence="You divide by the sum of absolute values and keep signs above it. Influence says how much, not in which direction.",
        ),
        Mistake(
            name="columns",
            wrong=lambda A, w: _sum_of_paths(_size(A) / _over(_size(A).sum(0, keepdim=True)), w),
            sentence="You made COLUMNS add up to 1: how a source divides what it gives. Asked is how a target's input is divided: rows.",
        ),
        Mistake(
            name="no shares",
            wrong=lambda A, w: _sum_of_paths(_size(A), w),
            sentence="You did not make shares: absolute effects of different targets have different units, and along a path they multiply.",
        ),
        Mistake(
            name="direct only",
            wrong=lambda A, w: _sum_of_paths(lab.shares(A), w, 1),
            sentence="These are the paths of one step only. A node counts through others, too.",
        ),
        Mistake(
            name="two steps",
            wrong=lambda A, w: _sum_of_paths(lab.shares(A), w, 2),
            sentence="Your paths end after two steps. There are longer ones.",
        ),
        Mistake(
            name="the logits themselves",
            wrong=lambda A, w: influence(A, w) + w,
            sentence="Your logits count for themselves: a path has at least one step. (The inverse of I - A contains the path of length 0.)",
        ),
        Mistake(
            name="last steps only",
            wrong=lambda A, w: _long_only(lab.shares(A), w),
            sentence="Direct edges to the logits are missing: your paths have two steps at least.",
        ),
        Mistake(
            name="down the other way",
            wrong=lambda A, w: _sum_of_paths(lab.shares(A).T, w),
            sentence="You go from the logits onwards, where no path leads. Rows are targets: from a target to its sources.",
        ),
        Mistake(
            name="logits alike",
            wrong=lambda A, w: influence(A, (w > 0).to(w) / (w > 0).sum() * w.sum()),
            sentence="All your logits count the same. Each counts with its weight.",
        ),
        Mistake(
            name="zero divided by zero",
            wrong=lambda A, w: _sum_of_paths(_size(A) / _size(A).sum(1, keepdim=True), w),
            sentence="There is NaN: a node without inputs has a row of zeros, 0 / 0. Its shares are 0.",
        ),
    ),
    hints=(
        "First make each row's absolute values add up to 1 (a row of zeros stays one). Then think of weight that flows from the logits to their sources, step "
        "by step.",
        "`weights @ A` is what sources have after one step, that `@ A` after two. Nothing leads back, so it ends. What is added up?",
        "Or all at once: A + A² + A³ + … is a geometric series of matrices. What is its sum, and does it contain the power 0?",
    ),
)


def _long_only(A: Tensor, weights: Tensor) -> Tensor:
    return _sum_of_paths(A, weights) - weights @ A
