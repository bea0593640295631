"""Chapter 06, what the graph does not explain: `error-nodes`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab import tracing as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.tracing.inputs import random_graph


def unexplained(adjacency, is_error) -> Tensor:
    """Each node's share of errors, along all paths."""
    return lab.unexplained(lab.shares(adjacency), is_error)


def _cases(g: torch.Generator) -> list[Case]:
    def case(label, *sizes, **more):
        graph = random_graph(g, *sizes, **more)
        return Case(label=label, inputs={"adjacency": graph.adjacency, "is_error": graph.is_error})

    def none():
        graph = random_graph(g, 6, 2, 3, 1)
        nothing = torch.zeros_like(graph.is_error)
        return Case(
            label="no errors at all", inputs={"adjacency": graph.adjacency, "is_error": nothing}
        )

    return [
        case("twelve latents", 12, 4, 4, 1),
        case("a latent without any input", 9, 3, 3, 2, orphan=True),
        case("mostly errors", 8, 9, 1, 2),
        none(),
        case("double precision", 7, 3, 3, 1, dtype=torch.float64),
    ]


def _paths(A: Tensor, start: Tensor, most: int | None = None) -> Tensor:
    total, now = torch.zeros_like(start), start
    for _ in range(len(start) if most is None else most):
        now = A @ now
        total = total + now
    return total


def _by_solving(adjacency, is_error):
    size = adjacency.abs()
    A = size / size.sum(dim=1, keepdim=True).clamp(min=1e-12)
    e = is_error.to(A)
    return torch.linalg.solve(torch.eye(len(A), dtype=A.dtype) - A, e) - e


def _by_inverse(adjacency, is_error):
    A = lab.shares(adjacency)
    one = torch.eye(len(A), dtype=A.dtype)
    return (torch.linalg.inv(one - A) - one)[:, is_error].sum(dim=1)


def _again_and_again(adjacency, is_error):
    """Each node's share is the mean of its sources', an error's 1: until nothing changes."""
    A = lab.shares(adjacency)
    found = torch.zeros_like(A[0])
    for _ in range(len(A)):
        found = A @ torch.where(is_error, torch.ones_like(found), found)
    return found


ERROR_NODES = Exercise(
    slug="error-nodes",
    title="What the graph does not explain",
    chapter="06",
    points=3,
    minutes=15,
    difficulty=3,
    objective="Say of every node how much of it comes from errors, and so which parts of a graph not to trust.",
    cases=_cases,
    reference=unexplained,
    tolerance=Tolerance(rtol=1e-4, atol=1e-6),
    styles=(
        Style(name="a system of equations", right=_by_solving),
        Style(name="an inverse", right=_by_inverse),
        Style(name="until nothing changes", right=_again_and_again),
    ),
    mistakes=(
        Mistake(
            name="direct errors only",
            wrong=lambda A, e: lab.shares(A) @ e.to(A),
            sentence="These are the errors that go straight into a node. A latent that is made of latents that are made of errors is not explained either.",
        ),
        Mistake(
            name="two steps",
            wrong=lambda A, e: _paths(lab.shares(A), e.to(A), 2),
            sentence="Your paths end after two steps. Errors farther away count, too.",
        ),
        Mistake(
            name="errors count as 1",
            wrong=lambda A, e: unexplained(A, e) + e.to(A),
            sentence="Your errors are unexplained themselves. Asked is about the INPUT of each node, and errors have none: 0.",
        ),
        Mistake(
            name="the explained share",
            wrong=lambda A, e: 1 - unexplained(A, e),
            sentence="This is one minus it. Asked is the share that comes from errors; what has no input has 0 of it.",
        ),
        Mistake(
            name="the errors' influence",
            wrong=lambda A, e: _paths(lab.shares(A).T, e.to(A)),
            sentence="You follow edges away from sources in the wrong direction: rows are targets, so `A @ v` gathers from sources.",
        ),
        Mistake(
            name="signs kept",
            wrong=lambda A, e: _paths(A / A.abs().sum(1, keepdim=True).clamp(min=1e-12), e.to(A)),
            sentence="You keep signs, so that errors that push and errors that pull cancel. Shares are of absolute values.",
        ),
        Mistake(
            name="no shares",
            wrong=lambda A, e: _paths(A.abs(), e.to(A)),
            sentence="Your effects are not shares: make each row's absolute values add up to 1 first.",
        ),
        Mistake(
            name="columns",
            wrong=lambda A, e: _paths(
                A.abs() / A.abs().sum(0, keepdim=True).clamp(min=1e-12), e.to(A)
            ),
            sentence="Your columns add up to 1 in place of rows.",
        ),
    ),
    hints=(
        "For a node whose inputs are embeddings and errors it is a sum in its row. For one whose inputs are such nodes?",
        "A node's share is the mean of its sources' shares, weighted with the row; an error as a source counts 1, an embedding 0.",
        "Start from the vector that is 1 at errors; `A @` it once for each step of the longest path, and add up.",
    ),
)
