"""Chapter 08, opinions: `set-to-centre`."""

from __future__ import annotations

import torch

from mi_tutor.lab.biology import set_to_centre
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Property, Style, Tolerance
from mi_tutor.teach.exercises.making import normal


def _cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("one direction, not of length one", (12,), 1, 11, torch.float32, 0.0),
        ("one activation, two directions", (1,), 2, 6, torch.float32, 0.0),
        ("three directions that overlap much", (5,), 3, 12, torch.float32, 2.0),
        ("prompts and positions", (3, 4), 2, 13, torch.float32, 1.0),
        ("as many directions as dimensions", (4,), 4, 4, torch.float32, 0.0),
        ("float64", (6,), 2, 5, torch.float64, 1.0),
    ]
    cases = []
    for label, shape, n, d, dtype, common in settings:
        directions = 3 * normal(g, n, d, dtype=dtype) + common * normal(g, 1, d, dtype=dtype)
        inputs = {
            "x": 2 * normal(g, *shape, d, dtype=dtype),
            "directions": directions,
            "centre": 3 + normal(g, d, dtype=dtype),
        }
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _by_inverse(x, directions, centre):
    """The span's projection from the directions' own products."""
    D = directions
    return x - (x - centre) @ D.T @ torch.linalg.inv(D @ D.T) @ D


def _one_by_one(x, directions, centre):
    """Each direction made orthogonal to those before it, by Gram and Schmidt."""
    basis = []
    for d in directions:
        for _ in range(2):
            for u in basis:
                d = d - (d @ u) * u
        basis.append(d / d.norm())
    for u in basis:
        x = x - ((x - centre) @ u)[..., None] * u
    return x


def _by_svd(x, directions, centre):
    V = torch.linalg.svd(directions, full_matrices=False).Vh
    return x + ((centre - x) @ V.mT) @ V


def _as_if_orthogonal(x, directions, centre):
    u = directions / directions.norm(dim=-1, keepdim=True)
    return x - (x - centre) @ u.mT @ u


def _in_turn(x, directions, centre):
    for d in directions:
        u = d / d.norm()
        x = x - ((x - centre) @ u)[..., None] * u
    return x


def _inside(x, directions):
    basis = torch.linalg.qr(directions.mT)[0]
    return x @ basis @ basis.mT


def _right_way(value, x, directions, centre) -> bool:
    along = directions.double().mT
    wanted = (centre.double() @ along).expand(*x.shape[:-1], -1)
    return torch.allclose(value.double() @ along, wanted, rtol=1e-3, atol=1e-2)


SET_TO_CENTRE = Exercise(
    slug="set-to-centre",
    title="An opinion set to the middle",
    chapter="08",
    points=3,
    minutes=18,
    difficulty=3,
    objective="Take what some directions say out of a stream, without leaving a hole where the model expects a middle.",
    cases=_cases,
    reference=set_to_centre,
    tolerance=Tolerance(rtol=1e-3, atol=1e-3),
    properties=(
        Property(
            name="the centre's value along each direction",
            holds=_right_way,
            sentence="Along each of the directions the result should have the centre's value. Yours has another one.",
        ),
    ),
    styles=(
        Style(name="inverse of the directions' products", right=_by_inverse),
        Style(name="Gram-Schmidt", right=_one_by_one),
        Style(name="singular vectors", right=_by_svd),
    ),
    mistakes=(
        Mistake(
            name="to zero",
            wrong=lambda x, directions, centre: x - _inside(x, directions),
            sentence="You set the part along the directions to zero. Zero is nobody's middle: the stream has a mean, and a value far from "
            "it says something as well. Set it to the centre's.",
        ),
        Mistake(
            name="lengths left in",
            wrong=lambda x, directions, centre: x - (x - centre) @ directions.mT @ directions,
            sentence="You project with directions that have not length one, so as much as their squared length too much is taken away.",
        ),
        Mistake(
            name="as if orthogonal",
            wrong=_as_if_orthogonal,
            sentence="What two directions have in common is taken away twice: they need not be orthogonal. Make an orthonormal basis of "
            "their span first.",
        ),
        Mistake(
            name="one after the other",
            wrong=_in_turn,
            sentence="You set one direction after the other. The later ones, where they overlap, move what the earlier ones had set. "
            "Their span has to be set at once.",
        ),
        Mistake(
            name="only the centre's part added",
            wrong=lambda x, directions, centre: x + _inside(centre, directions),
            sentence="You add the centre's part and leave the stream's own in. It is exchanged: the own part out, the centre's in.",
        ),
        Mistake(
            name="all of the centre",
            wrong=lambda x, directions, centre: x - _inside(x, directions) + centre,
            sentence="You add the whole centre. Only its part along the directions belongs there; orthogonal to them nothing should change.",
        ),
        Mistake(
            name="everything but the directions",
            wrong=lambda x, directions, centre: centre + _inside(x - centre, directions),
            sentence="You keep the directions and set all the rest to the centre's. It is the other way round.",
        ),
    ),
    hints=(
        "First one direction: u of length one, and the part of x - centre along it taken away.",
        "Several directions: an orthonormal basis of their span. `torch.linalg.qr` makes one from the columns of a matrix.",
        "With the basis in the columns of Q the part of v in the span is v @ Q @ Q.mT.",
    ),
)
