"""Chapter 01, geometry: `interference` and `feature-dimensionality`."""

from __future__ import annotations

import einops
import torch
from torch import Tensor

from mi_tutor.lab.superposition import feature_dimensionality, interference
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Property, Style
from mi_tutor.teach.exercises.making import normal, strided


def _weights(g: torch.Generator) -> list[Case]:
    """Shapes of all kinds; columns of different lengths; a feature that is not represented."""

    def matrix(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """No column so short that a guard such as `+ 1e-6` would matter."""
        W = normal(g, *shape, dtype=dtype)
        return W + 0.3 * W.sign()

    dropped = matrix(3, 5)
    dropped[:, 2] = 0
    settings = [
        ("5 features in 2 dimensions", matrix(2, 5)),
        ("a feature that is not represented", dropped),
        ("as many dimensions as features", matrix(4, 4)),
        ("one dimension", matrix(1, 3)),
        ("twelve features, double precision", matrix(3, 12, dtype=torch.float64)),
        ("weights that are not contiguous in memory", strided(matrix(2, 4))),
        ("short features, that hardly meet", 0.2 * matrix(2, 3)),
    ]
    return [Case(label=label, inputs={"W": W}) for label, W in settings]


def _unit(W: Tensor) -> Tensor:
    """Columns of length 1; a column of zeros stays."""
    return W / W.norm(dim=0).clamp(min=1e-12)


def _others(overlaps: Tensor) -> Tensor:
    return overlaps - overlaps.diag().diag()


# --- interference ---------------------------------------------------------------------------------


def _interference_loop(W):
    n = W.shape[1]
    total = torch.zeros(n, dtype=W.dtype)
    for i in range(n):
        length = W[:, i].norm()
        if length == 0:
            continue
        for j in range(n):
            if j != i:
                total[i] += (W[:, i] @ W[:, j] / length) ** 2
    return total


def _interference_masked(W):
    overlaps = einops.einsum(_unit(W), W, "hidden i, hidden j -> i j")
    return overlaps.masked_fill(torch.eye(W.shape[1], dtype=torch.bool), 0).pow(2).sum(1)


INTERFERENCE = Exercise(
    slug="interference",
    title="Interference",
    chapter="01",
    points=2,
    minutes=8,
    difficulty=2,
    objective="Measure how much of the other features lies along each feature's direction.",
    cases=_weights,
    reference=interference,
    properties=(
        Property(
            name="not negative",
            holds=lambda value, W: bool((value >= -1e-6).all()),
            sentence="A sum of squares cannot be negative.",
        ),
    ),
    mistakes=(
        Mistake(
            name="includes the feature itself",
            wrong=lambda W: ((_unit(W).T @ W) ** 2).sum(1),
            sentence="Your sum includes j = i, so a feature interferes with itself. Leave the diagonal out.",
        ),
        Mistake(
            name="not normalised",
            wrong=lambda W: (_others(W.T @ W) ** 2).sum(1),
            sentence="You use W_i itself where the formula has the unit vector Ŵ_i = W_i / ‖W_i‖: only its direction counts.",
        ),
        Mistake(
            name="both normalised",
            wrong=lambda W: (_others(_unit(W).T @ _unit(W)) ** 2).sum(1),
            sentence="You normalise both vectors and get squared cosines. Only W_i becomes a unit vector; W_j keeps its "
            "length, because a longer one interferes more.",
        ),
        Mistake(
            name="the wrong one normalised",
            wrong=lambda W: (_others(_unit(W).T @ W) ** 2).sum(0),
            sentence="You normalise W_j and keep the length of W_i (or sum over the wrong index). The unit vector belongs to "
            "the feature i whose interference you compute; the sum runs over j.",
        ),
        Mistake(
            name="rows for columns",
            wrong=lambda W: (
                _others((W / W.norm(dim=1, keepdim=True).clamp(min=1e-12)) @ W.T) ** 2
            ).sum(1),
            sentence="You compare the rows of W, which are hidden dimensions. Feature i's direction is column W[:, i].",
        ),
        Mistake(
            name="not squared",
            wrong=lambda W: _others(_unit(W).T @ W).sum(1),
            sentence="Overlaps of opposite sign cancel in your sum: square each one before adding.",
        ),
        Mistake(
            name="absolute values",
            wrong=lambda W: _others(_unit(W).T @ W).abs().sum(1),
            sentence="You add absolute overlaps; the formula adds their squares.",
        ),
        Mistake(
            name="0/0",
            wrong=lambda W: (_others((W / W.norm(dim=0)).T @ W) ** 2).sum(1),
            sentence="A feature that is not represented (W_i = 0) has no direction, and 0/0 gives NaN. Its interference is 0 "
            "by definition: guard the division.",
        ),
    ),
    styles=(
        Style(name="einops and a mask", right=_interference_masked),
        Style(name="two loops", right=_interference_loop),
        Style(
            name="all minus own",
            right=lambda W: ((_unit(W).T @ W) ** 2).sum(1) - (W**2).sum(0),
        ),
        Style(
            name="torch.nn.functional.normalize",
            right=lambda W: (_others(torch.nn.functional.normalize(W, dim=0).T @ W) ** 2).sum(-1),
        ),
    ),
    hints=(
        "Make the matrix of all overlaps first: entry (i, j) is Ŵ_i · W_j. One matrix product gives it.",
        "Normalise the columns of W, with a guard for columns of length 0.",
        "Take the diagonal out of the matrix before you square and sum over j.",
    ),
)


# --- feature-dimensionality -------------------------------------------------------------------------


def _share(W: Tensor, crowd: Tensor, own: Tensor | None = None) -> Tensor:
    own = (W**2).sum(0) if own is None else own
    return torch.where((W**2).sum(0) > 0, own / crowd.where(crowd > 0, 1.0), 0.0)


def _dimensionality_loop(W):
    values = []
    for i in range(W.shape[1]):
        w = W[:, i]
        squared = w @ w
        # ‖W_i‖² / Σ_j (Ŵ_i·W_j)² is ‖W_i‖⁴ / Σ_j (W_i·W_j)²
        values.append(squared**2 / ((w @ W) ** 2).sum() if squared > 0 else squared)
    return torch.stack(values)


DIMENSIONALITY = Exercise(
    slug="feature-dimensionality",
    title="What share of a dimension does a feature own?",
    chapter="01",
    points=2,
    minutes=8,
    difficulty=2,
    objective="Compute the feature dimensionality D_i = ‖W_i‖² / Σ_j (Ŵ_i · W_j)².",
    cases=_weights,
    reference=feature_dimensionality,
    properties=(
        Property(
            name="between 0 and 1",
            holds=lambda value, W: bool(((value >= -1e-6) & (value <= 1 + 1e-5)).all()),
            sentence="No feature can own less than nothing or more than one dimension: D lies between 0 and 1.",
        ),
    ),
    mistakes=(
        Mistake(
            name="no norm in the numerator",
            wrong=lambda W: _share(W, ((_unit(W).T @ W) ** 2).sum(1), torch.ones_like(W[0])),
            sentence="Your values are off by a factor ‖W_i‖⁻². Either the numerator ‖W_i‖² is missing, or the denominator "
            "has W_i where the formula has the unit vector Ŵ_i (both come to the same). With vectors of length 1 nobody would "
            "notice; trained vectors are not.",
        ),
        Mistake(
            name="norm not squared",
            wrong=lambda W: _share(W, ((_unit(W).T @ W) ** 2).sum(1), W.norm(dim=0)),
            sentence="The numerator is the SQUARED length of W_i; yours is the length.",
        ),
        Mistake(
            name="leaves j = i out",
            wrong=lambda W: _share(W, (_others(_unit(W).T @ W) ** 2).sum(1)),
            sentence="Your sum leaves j = i out. Here (unlike in the interference) it belongs to the sum: a feature alone in "
            "its dimension then has D = 1.",
        ),
        Mistake(
            name="both normalised",
            wrong=lambda W: _share(W, ((_unit(W).T @ _unit(W)) ** 2).sum(1)),
            sentence="You normalise both vectors in the denominator. Only W_i becomes a unit vector, W_j keeps its length.",
        ),
        Mistake(
            name="cosines only",
            wrong=lambda W: _share(W, ((_unit(W).T @ _unit(W)) ** 2).sum(1), torch.ones_like(W[0])),
            sentence="This comes to 1 / Σ_j cos²: the lengths have cancelled. Either both vectors are normalised, or the sum runs "
            "over the feature with the unit vector. A short feature among long ones should own less.",
        ),
        Mistake(
            name="rows for columns",
            wrong=lambda W: _share(W.T, ((_unit(W.T).T @ W.T) ** 2).sum(1)),
            sentence="You treat the rows of W as features. Feature i's direction is column W[:, i].",
        ),
        Mistake(
            name="0/0",
            wrong=lambda W: (W**2).sum(0) / (((W / W.norm(dim=0)).T @ W) ** 2).sum(1),
            sentence="For a feature that is not represented (W_i = 0) you divide 0 by 0. It owns nothing: D = 0.",
        ),
        Mistake(
            name="denominator not squared",
            wrong=lambda W: _share(W, (_unit(W).T @ W).abs().sum(1)),
            sentence="The overlaps in the denominator are squared before they are added; yours are not.",
        ),
    ),
    styles=(
        Style(name="a loop over features", right=_dimensionality_loop),
        Style(
            name="from the interference",
            right=lambda W: torch.nan_to_num((W**2).sum(0) / ((W**2).sum(0) + interference(W))),
        ),
        Style(
            name="from the Gram matrix",
            right=lambda W: torch.nan_to_num((W.T @ W).diag() ** 2 / ((W.T @ W) ** 2).sum(0)),
        ),
        Style(
            name="einsum",
            right=lambda W: torch.nan_to_num(
                torch.einsum("hi,hi->i", W, W)
                / torch.einsum("hi,hj->ij", torch.nn.functional.normalize(W, dim=0), W)
                .square()
                .sum(-1)
            ),
        ),
    ),
    hints=(
        "You have the matrix of overlaps Ŵ_i · W_j from the last exercise. What is its diagonal?",
        "The denominator is the row sum of the squared overlaps, this time with the diagonal.",
        "‖W_i‖² is the sum of squares of column i. Guard the features with W_i = 0.",
    ),
)
