"""Chapter 02, other ways to be sparse: `top-k`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal, strided, uniform


def _top_k_cases(g: torch.Generator) -> list[Case]:
    few = normal(g, 5, 8) - 1.2  # hardly any is above 0
    settings = [
        ("3 of 10 latents", normal(g, 6, 10), 3),
        ("fewer than k are above 0", few, 4),
        ("a single sample", normal(g, 1, 7), 2),
        ("k = 1", normal(g, 7, 7), 1),
        ("all of them", normal(g, 4, 5), 5),
        ("all of them, all above 0", uniform(g, 4, 5, low=0.1), 5),
        ("12 of 14 latents", 1 + normal(g, 13, 14), 12),
        ("large negative values", normal(g, 6, 9) * torch.tensor([-4.0, 1, 1, 1, 1, 1, 1, 1, 1]), 3),
        ("texts with positions", normal(g, 2, 3, 12), 2),
        ("double precision", normal(g, 5, 8, dtype=torch.float64), 3),
        ("not contiguous in memory", strided(normal(g, 6, 8)), 3),
    ]  # fmt: skip
    return [Case(label=label, inputs={"pre": pre, "k": k}) for label, pre, k in settings]


def _kept(pre: Tensor, order: Tensor, k: int, dim: int = -1) -> Tensor:
    """A mask of the k largest of `order` along an axis."""
    places = order.topk(min(k, order.shape[dim]), dim=dim).indices
    return torch.zeros_like(pre, dtype=torch.bool).scatter(dim, places, True)


def _masked(choose, values=torch.relu):
    return lambda pre, k: values(pre) * choose(pre, k)


def _whole_batch(pre: Tensor, k: int) -> Tensor:
    flat = pre.flatten()
    n = min(len(flat), k * (len(flat) // pre.shape[-1]))
    return _kept(flat, flat, n).view_as(pre)


def _by_sorting(pre, k):
    order = pre.argsort(dim=-1, descending=True)
    rank = order.argsort(dim=-1)
    return torch.where((rank < k) & (pre > 0), pre, 0.0)


def _by_loop(pre, k):
    rows = []
    for row in pre.reshape(-1, pre.shape[-1]):
        best = sorted(range(len(row)), key=lambda i, row=row: -row[i].item())[:k]
        rows.append(
            torch.stack([row[i].clamp(min=0) if i in best else 0 * row[i] for i in range(len(row))])
        )
    return torch.stack(rows).reshape(pre.shape)


TOP_K = Exercise(
    slug="top-k",
    title="Only the k largest",
    chapter="02",
    points=2,
    minutes=5,
    difficulty=2,
    objective="Write the TopK activation: sparsity that is set, not weighed.",
    cases=and_near_zero(_top_k_cases, "pre"),
    reference=lab.top_k,
    gradients=("pre",),
    styles=(
        Style(name="ranks by sorting twice", right=_by_sorting),
        Style(
            name="the k-th largest as a threshold",
            right=lambda pre, k: torch.relu(pre) * (pre >= pre.topk(k, dim=-1).values[..., -1:]),
        ),
        Style(name="loops", right=_by_loop),
    ),
    mistakes=(
        Mistake(
            name="negative values kept",
            wrong=_masked(lambda pre, k: _kept(pre, pre, k), values=lambda pre: pre),
            sentence="Where fewer than k pre-activations are above 0 you keep negative ones. Latents are at least 0: a ReLU belongs to TopK.",
        ),
        Mistake(
            name="the largest by absolute value",
            wrong=_masked(lambda pre, k: _kept(pre, pre.abs(), k)),
            sentence="You choose by absolute value, so a strongly NEGATIVE pre-activation takes the place of a positive one.",
        ),
        Mistake(
            name="by absolute value, sign kept",
            wrong=_masked(lambda pre, k: _kept(pre, pre.abs(), k), values=lambda pre: pre),
            sentence="You keep the k largest absolute values, negative ones among them. Choose by the value itself, and keep only what is above 0.",
        ),
        Mistake(
            name="over the batch",
            wrong=_masked(_whole_batch),
            sentence="You keep k per sample on AVERAGE, the largest of the whole batch. That is BatchTopK; here every sample has its own k.",
        ),
        Mistake(
            name="over samples",
            wrong=_masked(lambda pre, k: _kept(pre, pre, k, dim=0)),
            sentence="You keep, for each latent, its k largest samples. Choose among the latents of each sample: the last axis.",
        ),
        Mistake(
            name="ones",
            wrong=_masked(
                lambda pre, k: _kept(pre, pre, k), values=lambda pre: (pre > 0).to(pre.dtype)
            ),
            sentence="You return 1 where a latent is on. Its value is the pre-activation itself, which says how much it writes.",
        ),
        Mistake(
            name="no selection",
            wrong=lambda pre, k: torch.relu(pre),
            sentence="This is a plain ReLU: more than k latents are on in some samples.",
        ),
        Mistake(
            name="the smallest",
            wrong=_masked(lambda pre, k: _kept(pre, -pre, k)),
            sentence="You keep the k smallest. `topk` gives the largest; sorting gives the smallest first.",
        ),
        Mistake(
            name="one too few",
            wrong=_masked(lambda pre, k: pre > pre.topk(k, dim=-1).values[..., -1:]),
            sentence="One latent is missing: the k-th largest is above the threshold that it sets only if you ask for at least, not for more than.",
        ),
        Mistake(
            name="values without their places",
            wrong=lambda pre, k: torch.relu(pre).topk(k, dim=-1).values,
            sentence="These are the k values without their places. The result has the shape of the input, with 0 where a latent is off.",
        ),
        Mistake(
            name="detached",
            wrong=lambda pre, k: lab.top_k(pre, k).detach(),
            sentence="The numbers are right, but no gradient reaches the pre-activations, so nothing could be trained.",
        ),
    ),
    hints=(
        "`pre.topk(k, dim=-1)` gives values and places.",
        "Zeros of the same shape, then the values at their places: `torch.zeros_like(pre).scatter(-1, places, values)`.",
        "What is kept may still be negative, if fewer than k are above 0.",
    ),
)
