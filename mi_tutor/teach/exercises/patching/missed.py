"""Chapter 04, what an estimate misses: `where-attribution-fails`."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from mi_tutor.lab.patching.attribution import attribution_patching, false_negatives
from mi_tutor.lab.patching.sweeps import SweepResult, denoise
from mi_tutor.teach.exercise import Mistake, Style, ValueExercise
from mi_tutor.teach.exercises.patching.inputs import atlas
from mi_tutor.teach.exercises.patching.stories import story_batch

Head = Callable[[], tuple[int, int]]


@functools.cache
def head_sweeps() -> tuple[SweepResult, SweepResult]:
    """The exact and the estimated denoising of every head, on stories about people who never met in training."""
    batch, metric = story_batch()
    arguments = (atlas(), batch.clean, batch.corrupted, metric, "z", ("layer", "head"))
    return denoise(*arguments), attribution_patching(*arguments)


def most_missed() -> tuple[int, int]:
    """The head whose effect is underestimated most."""
    site = false_negatives(*head_sweeps(), k=1)[0].site
    return site.layer, site.head


def _head(table: Tensor) -> tuple[int, int]:
    return divmod(int(table.argmax()), table.shape[1])


def _distinct(wrong: Head, *before: Head) -> Head:
    """A wrong value; where it happens to be the right one or one of those before, a head that does not exist."""

    def value() -> tuple[int, int]:
        taken = [most_missed(), *(other() for other in before)]
        return (-1, -len(taken)) if wrong() in taken else wrong()

    return value


def _exchanged() -> tuple[int, int]:
    return most_missed()[::-1]


def _from_one() -> tuple[int, int]:
    layer, head = most_missed()
    return layer + 1, head + 1


def _strongest() -> tuple[int, int]:
    return _head(head_sweeps()[0].effect.abs())


def _overestimated() -> tuple[int, int]:
    exact, estimate = (sweep.effect.abs() for sweep in head_sweeps())
    return _head(estimate - exact)


WHERE_ATTRIBUTION_FAILS = ValueExercise(
    slug="where-attribution-fails",
    title="The head the gradient misses",
    chapter="04",
    points=2,
    minutes=5,
    difficulty=3,
    objective="Find the worst false negative: the head whose patch does most beyond what the estimate says.",
    expected=most_missed,
    form="a pair (layer, head) of whole numbers, counted from 0",
    accepts=lambda value: len(value) == 2 and all(type(number) is int for number in value),
    styles=(
        Style(name="a list", right=lambda: list(most_missed())),
        Style(name="tensors of one number", right=lambda: tuple(torch.tensor(most_missed()))),
    ),
    mistakes=(
        Mistake(
            name="layer and head exchanged",
            wrong=_distinct(_exchanged),
            sentence="These two numbers are right in the other order: layer first, then head.",
        ),
        Mistake(
            name="counted from one",
            wrong=_distinct(_from_one, _exchanged),
            sentence="You count from 1. Layers and heads are counted from 0.",
        ),
        Mistake(
            name="the largest effect",
            wrong=_distinct(_strongest, _exchanged, _from_one),
            sentence="This is the head whose patch does most. Asked is the one that does most BEYOND its estimate: take the estimate away.",
        ),
        Mistake(
            name="the most overestimated",
            wrong=_distinct(_overestimated, _exchanged, _from_one, _strongest),
            sentence="This head is estimated as more than it is. A false negative is the other way round: |exact| - |estimate|.",
        ),
    ),
    hints=(
        "A false negative: the exact effect is large and the estimate is small, or has the wrong sign.",
        "missing = |exact| - |estimate|, where an estimate of the wrong sign counts as 0. Its largest entry, with divmod(index, n_heads).",
    ),
)
