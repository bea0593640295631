"""Chapter 01, room in high dimensions: `almost-orthogonal`."""

from __future__ import annotations

import torch

from mi_tutor.lab.superposition import max_abs_cosine
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Property, Style
from mi_tutor.teach.exercises.making import normal, strided


def _cases(g: torch.Generator) -> list[Case]:
    opposite = normal(g, 3, 4)
    opposite[2] = -1.5 * opposite[0] + 0.3 * opposite[1]
    settings = [
        ("6 directions in 3 dimensions", normal(g, 6, 3)),
        ("30 directions in 12 dimensions", normal(g, 30, 12)),
        ("two directions that point apart", opposite),
        ("lengths far from 1", normal(g, 4, 6) * torch.tensor([[0.01], [1.0], [5.0], [100.0]])),
        (
            "two directions that are the same but for their length",
            normal(g, 2, 4)[[0, 1, 1]] * torch.tensor([[1.0], [1.0], [2.0]]),
        ),
        ("as many directions as dimensions", normal(g, 4, 4)),
        ("two directions", normal(g, 2, 5)),
        ("double precision, not contiguous", strided(normal(g, 5, 3, dtype=torch.float64))),
    ]
    return [Case(label=label, inputs={"directions": value}) for label, value in settings]


def _unit(directions):
    return directions / directions.norm(dim=1, keepdim=True)


def _off_diagonal(matrix):
    return matrix - matrix.diag().diag()


def _by_pairs(directions):
    best = directions.new_zeros(())
    for i in range(len(directions)):
        for j in range(i):
            u, v = directions[i], directions[j]
            best = torch.maximum(best, (u @ v).abs() / (u.norm() * v.norm()))
    return best


def _by_triangle(directions):
    cosine = torch.nn.functional.cosine_similarity(directions[:, None], directions[None], dim=-1)
    rows, columns = torch.triu_indices(len(directions), len(directions), offset=1)
    return cosine[rows, columns].abs().max()


ALMOST_ORTHOGONAL = Exercise(
    slug="almost-orthogonal",
    title="How crowded is it?",
    chapter="01",
    points=2,
    minutes=5,
    difficulty=1,
    objective="Measure how far a set of directions is from orthogonal: the largest |cosine| between two of them.",
    cases=_cases,
    reference=max_abs_cosine,
    properties=(
        Property(
            name="a cosine",
            holds=lambda value, directions: 0 <= float(value) <= 1 + 1e-5,
            sentence="The absolute value of a cosine lies between 0 and 1.",
        ),
    ),
    styles=(
        Style(name="all pairs in a loop", right=_by_pairs),
        Style(name="cosine_similarity and the upper triangle", right=_by_triangle),
        Style(
            name="diagonal filled with 0",
            right=lambda directions: (
                (_unit(directions) @ _unit(directions).T).fill_diagonal_(0).abs().max()
            ),
        ),
        Style(name="a Python float", right=lambda directions: float(max_abs_cosine(directions))),
    ),
    mistakes=(
        Mistake(
            name="includes each direction with itself",
            wrong=lambda d: (_unit(d) @ _unit(d).T).abs().max(),
            sentence="The answer is always 1, because every direction has cosine 1 with itself. Leave the diagonal out.",
        ),
        Mistake(
            name="not normalised",
            wrong=lambda d: _off_diagonal(d @ d.T).abs().max(),
            sentence="These are dot products, which grow with the vectors' lengths. Divide by both lengths.",
        ),
        Mistake(
            name="no absolute value",
            wrong=lambda d: (
                _off_diagonal(_unit(d) @ _unit(d).T)
                .add(-2 * torch.eye(len(d), dtype=d.dtype))
                .max()
            ),
            sentence="You take the largest cosine. Two directions that point apart (cosine near -1) are as far from orthogonal "
            "as two that point the same way: take absolute values first.",
        ),
        Mistake(
            name="mean for maximum",
            wrong=lambda d: (
                _off_diagonal(_unit(d) @ _unit(d).T).abs().sum() / (len(d) * (len(d) - 1))
            ),
            sentence="This is the average |cosine|. One bad pair is enough to spoil a set: take the maximum.",
        ),
        Mistake(
            name="columns for rows",
            wrong=lambda d: _off_diagonal(_unit(d.T) @ _unit(d.T).T).abs().max(),
            sentence="You compare the columns. Here each ROW is a direction.",
        ),
        Mistake(
            name="one length only",
            wrong=lambda d: _off_diagonal(_unit(d) @ d.T).abs().max(),
            sentence="You divide by the length of one of the two vectors; a cosine needs both.",
        ),
        Mistake(
            name="squared cosine",
            wrong=lambda d: (_off_diagonal(_unit(d) @ _unit(d).T) ** 2).max(),
            sentence="This is the largest SQUARED cosine; the exercise asks for the cosine's absolute value.",
        ),
    ),
    hints=(
        "Normalise each row to length 1; then the matrix product of the set with its transpose holds all cosines.",
        "The diagonal is each direction with itself: take it out before the maximum.",
    ),
)
