"""Chapter 07: `directional-ablation`, `ablate-in-weights`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab.steering import orthonormal, project_out
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal, strided

WRITES = ("W_E", "W_pos", "W_O", "b_O", "W_out", "b_out")


def _cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("one stream, two directions", (), 6, 2),
        ("several prompts and positions", (3, 4), 12, 3),
        ("one direction", (12,), 8, 1),
        ("directions far from right angles", (2, 3), 10, 2),
        ("two directions that are the same but for their length", (4,), 9, 2),
        ("as many positions as dimensions", (6,), 6, 2),
        ("double precision", (2, 11), 16, 4),
    ]
    cases = []
    for label, batch, d, n in settings:
        dtype = torch.float64 if "double" in label else torch.float32
        x = normal(g, *batch, d, dtype=dtype) + 0.5
        directions = normal(g, n, d, dtype=dtype) * (0.5 + 2 * torch.rand(n, 1, generator=g)).to(
            dtype
        )
        if "angles" in label:
            directions = directions + 2 * directions.flip(0)
        if "length" in label:
            directions = torch.stack([directions[0], -4 * directions[0]])
        if len(batch) == 1:
            x = strided(x)
        cases.append(Case(label=label, inputs={"x": x, "directions": directions}))
    return cases


def _least_squares(x: Tensor, directions: Tensor) -> Tensor:
    rows = directions.double()
    found = x.double() - (x.double() @ torch.linalg.pinv(rows)) @ rows
    return found.to(x.dtype)


def _gram_schmidt(x: Tensor, directions: Tensor) -> Tensor:
    left = x.double()
    basis: list[Tensor] = []
    for row in directions.double():
        size = row.norm()
        for unit in basis:
            row = row - (row @ unit) * unit
        if row.norm() > 1e-6 * size:
            basis.append(row / row.norm())
            left = left - (left @ basis[-1])[..., None] * basis[-1]
    return left.to(x.dtype)


def _matrix(x: Tensor, directions: Tensor) -> Tensor:
    basis = orthonormal(directions)
    return x @ (torch.eye(x.shape[-1], dtype=x.dtype) - basis.mT @ basis)


def _units(directions: Tensor) -> Tensor:
    return directions / directions.norm(dim=-1, keepdim=True)


def _each_by_itself(x: Tensor, directions: Tensor) -> Tensor:
    units = _units(directions)
    return x - (x @ units.mT) @ units


def _one_after_another(x: Tensor, directions: Tensor) -> Tensor:
    for unit in _units(directions):
        x = x - (x @ unit)[..., None] * unit
    return x


DIRECTIONAL_ABLATION = Exercise(
    slug="directional-ablation",
    title="Project directions out",
    chapter="07",
    points=2,
    minutes=15,
    difficulty=2,
    objective="Take the space that several directions span out of a stream, whatever their lengths and angles.",
    cases=and_near_zero(_cases, "x"),
    reference=project_out,
    styles=(
        Style(name="pseudo-inverse", right=_least_squares),
        Style(name="Gram-Schmidt", right=_gram_schmidt),
        Style(name="one projection matrix", right=_matrix),
    ),
    mistakes=(
        Mistake(
            name="not normalised",
            wrong=lambda x, directions: x - (x @ directions.mT) @ directions,
            sentence="The directions are used with the lengths they come in. A projection does not depend on how long a "
            "direction is: yours takes out too much of the long ones and too little of the short.",
        ),
        Mistake(
            name="each by itself",
            wrong=_each_by_itself,
            sentence="Each direction's part is taken from x by itself. Directions that are not at right angles share a part, "
            "and that part is subtracted twice.",
        ),
        Mistake(
            name="one after another",
            wrong=_one_after_another,
            sentence="One direction goes out after the other. When the second goes, it may bring some of the first back: check "
            "what is left along the first one.",
        ),
        Mistake(
            name="subtracted",
            wrong=lambda x, directions: x - directions.sum(dim=0),
            sentence="This subtracts the directions, the same from every row. A projection takes from each row as much as that "
            "row has of them, and leaves rows that have nothing alone.",
        ),
        Mistake(
            name="the part kept",
            wrong=lambda x, directions: x - project_out(x, directions),
            sentence="This is the part in the directions' space. Asked is what is left without it.",
        ),
        Mistake(
            name="only the first",
            wrong=lambda x, directions: project_out(x, directions[0]),
            sentence="Only the first direction is out. Look at what is left along the others.",
        ),
        Mistake(
            name="their mean",
            wrong=lambda x, directions: project_out(x, directions.mean(dim=0)),
            sentence="You project out the mean of the directions: one dimension. Two directions span two.",
        ),
        Mistake(
            name="at the last position",
            wrong=lambda x, directions: _last_only(x, directions),
            sentence="Only the last position is projected. The text says all: what stays at the others is read by attention.",
        ),
    ),
    hints=(
        "For one direction: make its length 1, then subtract (x . u) u.",
        "Several directions at any angles: first find orthonormal rows that span the same space (a QR or an SVD).",
        "B with orthonormal rows: x - (x B^T) B. Two directions that are multiples of each other are one row.",
    ),
)


def _last_only(x: Tensor, directions: Tensor) -> Tensor:
    if x.ndim == 1:
        return project_out(x, directions)
    return torch.cat([x[..., :-1, :], project_out(x[..., -1:, :], directions)], dim=-2)


def _weight_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("two layers", 2, 11, 6, 8, 24),
        ("one layer", 1, 7, 5, 6, 10),
        ("square matrices", 3, 9, 9, 9, 9),
        ("a direction that is not of length 1", 2, 13, 4, 12, 20),
        ("double precision", 2, 8, 3, 10, 14),
    ]
    cases = []
    for label, layers, vocab, ctx, d, mlp in settings:
        dtype = torch.float64 if "double" in label else torch.float32
        sizes = (vocab, d), (ctx, d), (layers, d, d), (layers, d), (layers, mlp, d), (layers, d)
        inputs = {
            name: normal(g, *size, dtype=dtype) for name, size in zip(WRITES, sizes, strict=True)
        }
        direction = normal(g, d, dtype=dtype)
        inputs["direction"] = direction * (3 if "not" in label else 1.7) / direction.norm()
        cases.append(Case(label=label, inputs=inputs))
    return cases


def ablate_writes(
    W_E: Tensor,
    W_pos: Tensor,
    W_O: Tensor,
    b_O: Tensor,
    W_out: Tensor,
    b_out: Tensor,
    direction: Tensor,
) -> tuple[Tensor, ...]:
    """All that writes to the stream, without a direction."""
    return tuple(project_out(each, direction) for each in (W_E, W_pos, W_O, b_O, W_out, b_out))


def _by_einsum(*inputs: Tensor) -> tuple[Tensor, ...]:
    *writes, direction = inputs
    u = direction / direction.norm()
    return tuple(each - torch.einsum("...d,d,e->...e", each, u, u) for each in writes)


def _by_matrix(*inputs: Tensor) -> tuple[Tensor, ...]:
    *writes, direction = inputs
    keep = torch.eye(len(direction), dtype=direction.dtype) - torch.outer(direction, direction) / (
        direction @ direction
    )
    return tuple(each @ keep for each in writes)


def _forgetting(*names: str):
    def wrong(*inputs: Tensor) -> tuple[Tensor, ...]:
        made = ablate_writes(*inputs)
        return tuple(
            old if name in names else new
            for name, old, new in zip(WRITES, inputs[:-1], made, strict=True)
        )

    return wrong


def _not_unit(*inputs: Tensor) -> tuple[Tensor, ...]:
    *writes, direction = inputs
    return tuple(each - (each @ direction)[..., None] * direction for each in writes)


def _minus(*inputs: Tensor) -> tuple[Tensor, ...]:
    *writes, direction = inputs
    return tuple(each - direction / direction.norm() for each in writes)


ABLATE_IN_WEIGHTS = Exercise(
    slug="ablate-in-weights",
    title="The same in the weights",
    chapter="07",
    points=2,
    minutes=15,
    difficulty=3,
    objective="Edit a model's weights so that nothing in it can write a direction to the stream.",
    cases=_weight_cases,
    reference=ablate_writes,
    styles=(
        Style(name="einsum", right=_by_einsum),
        Style(name="one projection matrix", right=_by_matrix),
        Style(name="a list", right=lambda *inputs: list(ablate_writes(*inputs))),
    ),
    mistakes=(
        Mistake(
            name="only the MLP",
            wrong=_forgetting("W_E", "W_pos", "W_O", "b_O"),
            sentence="Only what the MLPs write is edited. The stream is a sum of everything that is written to it: who else "
            "writes?",
        ),
        Mistake(
            name="the embedding forgotten",
            wrong=_forgetting("W_E", "W_pos"),
            sentence="The blocks can no longer write the direction, but it is there before the first of them: look at what enters "
            "the stream at the very beginning.",
        ),
        Mistake(
            name="the positions forgotten",
            wrong=_forgetting("W_pos"),
            sentence="Each token's embedding is edited, and something else is added to it before the first block.",
        ),
        Mistake(
            name="the biases forgotten",
            wrong=_forgetting("b_O", "b_out"),
            sentence="The matrices are edited and the biases are not. A bias is written to the stream at every position.",
        ),
        Mistake(
            name="attention forgotten",
            wrong=_forgetting("W_O", "b_O"),
            sentence="What attention writes still has the direction in it.",
        ),
        Mistake(
            name="not normalised",
            wrong=_not_unit,
            sentence="The direction is used with the length it comes in: make it a unit vector first, or divide by its squared "
            "length.",
        ),
        Mistake(
            name="subtracted",
            wrong=_minus,
            sentence="The same vector is subtracted from every row. A row should lose as much of the direction as it has.",
        ),
    ),
    hints=(
        "Rows of these matrices are vectors in the stream (x @ W): the last axis of each is d_model.",
        "The same projection for all six: subtract from each row its part along the unit direction.",
        "A bias is one row.",
    ),
)
