"""Chapter 02, decoder rows of norm 1: `unit-decoder` and `remove-parallel`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mi_tutor.lab.dictionaries import remove_parallel, unit_decoder
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal, strided

# --- unit-decoder ---------------------------------------------------------------------------------


def _unit_cases(g: torch.Generator) -> list[Case]:
    with_zeros = normal(g, 6, 4)
    with_zeros[2] = 0
    short = 0.05 * normal(g, 5, 3)
    short[0] /= 10
    return [
        Case(label="12 latents in 11 dimensions", inputs={"W_dec": normal(g, 12, 11)}),
        Case(label="as many latents as dimensions", inputs={"W_dec": 3 * normal(g, 4, 4)}),
        Case(label="a row of zeros", inputs={"W_dec": with_zeros}),
        Case(label="very short rows", inputs={"W_dec": short}),
        Case(label="a single latent, double precision", inputs={"W_dec": normal(g, 1, 6, dtype=torch.float64)}),
        Case(label="not contiguous in memory", inputs={"W_dec": strided(normal(g, 7, 3))}),
    ]  # fmt: skip


def _guarded(norm: Tensor) -> Tensor:
    return torch.where(norm > 0, norm, 1.0)


def _in_place(W_dec):
    W_dec /= _guarded(W_dec.norm(dim=1, keepdim=True))
    return W_dec


def _by_loop(W_dec):
    rows = []
    for row in W_dec:
        length = float((row**2).sum()) ** 0.5
        rows.append(row / length if length else row.clone())
    return torch.stack(rows)


UNIT_DECODER = Exercise(
    slug="unit-decoder",
    title="A direction has length 1",
    chapter="02",
    points=1,
    minutes=4,
    difficulty=1,
    objective="Hold every latent's direction at length 1, so that its value alone says how much it writes.",
    cases=_unit_cases,
    reference=unit_decoder,
    styles=(
        Style(name="nn.functional.normalize", right=lambda W_dec: F.normalize(W_dec, dim=-1)),
        Style(name="row by row", right=_by_loop),
        Style(
            name="a diagonal matrix",
            right=lambda W_dec: (1 / _guarded(W_dec.square().sum(1).sqrt())).diag() @ W_dec,
        ),
    ),
    mistakes=(
        Mistake(
            name="columns",
            wrong=lambda W_dec: W_dec / _guarded(W_dec.norm(dim=0, keepdim=True)),
            sentence="You scale the columns to length 1. A latent's direction is a ROW of W_dec, which is [latent d].",
        ),
        Mistake(
            name="columns, by broadcasting",
            wrong=lambda W_dec: W_dec / _guarded(W_dec.norm(dim=1)),
            sentence="Your norms are right and divide the wrong axis: without `keepdim=True` they line up with the columns.",
        ),
        Mistake(
            name="the whole matrix",
            wrong=lambda W_dec: W_dec / W_dec.norm(),
            sentence="You divide everything by one number, the norm of the whole matrix. Each row has a length of its own.",
        ),
        Mistake(
            name="squared norm",
            wrong=lambda W_dec: W_dec / _guarded(W_dec.square().sum(1, keepdim=True)),
            sentence="You divide by the squared length. A row divided by its length has length 1; yours has 1 over its length.",
        ),
        Mistake(
            name="sum of absolute values",
            wrong=lambda W_dec: W_dec / _guarded(W_dec.abs().sum(1, keepdim=True)),
            sentence="In your rows the absolute values add up to 1. Length means the root of the sum of squares.",
        ),
        Mistake(
            name="largest entry 1",
            wrong=lambda W_dec: W_dec / _guarded(W_dec.abs().amax(1, keepdim=True)),
            sentence="You scale each row so that its largest entry is 1. Length means the root of the sum of squares.",
        ),
        Mistake(
            name="only rows that are too long",
            wrong=lambda W_dec: W_dec / W_dec.norm(dim=1, keepdim=True).clamp_min(1.0),
            sentence="Rows shorter than 1 keep their length. All rows are to have length 1, short ones too.",
        ),
        Mistake(
            name="zero divided by zero",
            wrong=lambda W_dec: W_dec / W_dec.norm(dim=1, keepdim=True),
            sentence="A row of zeros comes out as NaN: 0 / 0. It has no direction, so leave it as it is.",
        ),
        Mistake(
            name="in place",
            wrong=_in_place,
            sentence="The result is right, but the weights that you were given have changed too. Here return a new matrix.",
        ),
    ),
    hints=(
        "One norm per row: `W_dec.norm(dim=...)`. Which axis is summed away?",
        "`keepdim=True` leaves [latent 1], which divides row by row.",
        "For rows of zeros divide by 1 in place of 0: `torch.where`.",
    ),
)


# --- remove-parallel ------------------------------------------------------------------------------


def _parallel_cases(g: torch.Generator) -> list[Case]:
    def case(label, n_latents, d, length=1.0, dtype=torch.float32):
        W_dec = length * F.normalize(normal(g, n_latents, d, dtype=dtype), dim=1)
        inputs = {"gradient": normal(g, n_latents, d, dtype=dtype), "W_dec": W_dec}
        return Case(label=label, inputs=inputs)

    return [
        case("rows of length 1", 12, 11),
        case("as many latents as dimensions", 5, 5),
        case("rows of another length", 6, 4, length=2.5),
        case("short rows, double precision", 7, 3, length=0.3, dtype=torch.float64),
        case("a single latent", 1, 6, length=1.7),
    ]


def _along(gradient: Tensor, W_dec: Tensor) -> Tensor:
    unit = F.normalize(W_dec, dim=-1)
    return (gradient * unit).sum(-1, keepdim=True) * unit


def _rows_by_loop(gradient, W_dec):
    return torch.stack([g - (g @ w) / (w @ w) * w for g, w in zip(gradient, W_dec, strict=True)])


REMOVE_PARALLEL = Exercise(
    slug="remove-parallel",
    title="Stay on the sphere",
    chapter="02",
    points=2,
    minutes=6,
    difficulty=2,
    objective="Take out of the decoder's gradient what would only change lengths.",
    cases=and_near_zero(_parallel_cases, "gradient", "W_dec", zero_rows=("gradient",)),
    reference=remove_parallel,
    styles=(
        Style(name="row by row", right=_rows_by_loop),
        Style(
            name="einsum, divided by the squared length",
            right=lambda gradient, W_dec: (
                gradient
                - (torch.einsum("ld,ld->l", gradient, W_dec) / W_dec.square().sum(1))[:, None]
                * W_dec
            ),
        ),
        Style(
            name="a projector for each row",
            right=lambda gradient, W_dec: torch.einsum(
                "lde,le->ld",
                torch.eye(W_dec.shape[1], dtype=W_dec.dtype)
                - torch.einsum("ld,le->lde", F.normalize(W_dec, dim=1), F.normalize(W_dec, dim=1)),
                gradient,
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="rows not normalised",
            wrong=lambda gradient, W_dec: (
                gradient - (gradient * W_dec).sum(-1, keepdim=True) * W_dec
            ),
            sentence="Your formula is right for rows of length 1 only. Make unit vectors of the rows first.",
        ),
        Mistake(
            name="normalised once of two times",
            wrong=lambda gradient, W_dec: (
                gradient - (gradient * W_dec).sum(-1, keepdim=True) * F.normalize(W_dec, dim=-1)
            ),
            sentence="The direction occurs twice in (g · u) u, and only one of the two is a unit vector in yours.",
        ),
        Mistake(
            name="only the parallel part",
            wrong=_along,
            sentence="This is the part ALONG each row. Return what is left when it is taken away.",
        ),
        Mistake(
            name="added",
            wrong=lambda gradient, W_dec: gradient + _along(gradient, W_dec),
            sentence="You add the parallel part once more. It is to be taken away.",
        ),
        Mistake(
            name="along the columns",
            wrong=lambda gradient, W_dec: gradient - _along(gradient.T, W_dec.T).T,
            sentence="You work on columns. Each latent's direction is a row, and so is its gradient.",
        ),
        Mistake(
            name="the matrix as one long vector",
            wrong=lambda gradient, W_dec: (
                gradient - (gradient * W_dec).sum() / W_dec.square().sum() * W_dec
            ),
            sentence="You treat the whole matrix as one vector. Each row moves on its own sphere: one inner product per row.",
        ),
        Mistake(
            name="all directions at once",
            wrong=lambda gradient, W_dec: (
                gradient - (gradient @ F.normalize(W_dec, dim=1).T) @ F.normalize(W_dec, dim=1)
            ),
            sentence="From each row's gradient you remove the parts along ALL rows. Only its own row is to be removed.",
        ),
        Mistake(
            name="roles exchanged",
            wrong=lambda gradient, W_dec: W_dec - _along(W_dec, gradient),
            sentence="You remove from W_dec what lies along the gradient. It is the other way round: from the gradient, what lies along W_dec.",
        ),
        Mistake(
            name="the gradient as it is",
            wrong=lambda gradient, W_dec: gradient.clone(),
            sentence="This is the gradient as it came; its part along each row is still in it.",
        ),
    ),
    hints=(
        "For one row: g - (g · u) u, with u the row's unit vector. You have a function that makes unit vectors.",
        "One inner product per row: multiply element by element, then sum over the last axis.",
        "Keep that axis (`keepdim=True`), so that the number multiplies its own row.",
    ),
)
