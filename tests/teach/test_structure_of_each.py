"""How numbers differ is told for every exercise, whatever its shapes, tolerance and inputs are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import torch
from asked import EXERCISES
from faults import numbers as numbers_of_lists
from torch import Tensor

from mi_tutor.teach import judging, structure
from mi_tutor.teach.exercise import Exercise
from mi_tutor.teach.structure.pairs import Pair, leaves, pairs_at, varied

FUNCTIONS = [item for item in EXERCISES if isinstance(item, Exercise) and not item.asked_for]
MANY = 20  # different numbers in the first part: of fewer other sentences may be true as well


class Kind(NamedTuple):
    """A change of right numbers, what has to be said of it (one of these), and of what results."""

    change: Callable[[Tensor], Tensor]
    words: tuple[str, ...]
    asked: Callable[[Pair], bool] = lambda pair: True


def _noise(x: Tensor) -> Tensor:
    """Numbers that have nothing to do with x but their size."""
    seeded = torch.Generator().manual_seed(x.numel())
    made = torch.randn(x.shape, generator=seeded, dtype=torch.float64)
    return made * (1 + x.double().abs().nan_to_num(0).max())


def _every_second_row(x: Tensor) -> Tensor:
    if x.ndim < 2:
        return x
    rows = torch.arange(len(x)).view(-1, *[1] * (x.ndim - 1)) % 2 == 0
    return torch.where(rows, x.double(), _noise(x))


def _half(x: Tensor) -> Tensor:
    return torch.cat([x[: len(x) // 2].double(), _noise(x)[len(x) // 2 :]]) if x.ndim else x


def _has_rows(pair: Pair) -> bool:
    return pair.expected.ndim >= 2 and len(pair.expected) > 3 and pair.expected[0].numel() >= 3


KINDS = {
    "a factor and an offset": Kind(lambda x: 2.5 * x + 3, ("2.5 times what is expected plus 3",)),
    "another part": Kind(_every_second_row, ("Whole lines along axis 0",), _has_rows),
    "from a half on": Kind(
        _half,
        ("wrong from there on", "Only the first entry", "Only the last entry"),
        lambda pair: pair.expected.ndim >= 1 and len(pair.expected) > 3,
    ),
    "above the middle": Kind(
        lambda x: torch.where(x > x.double().nanmedian(), x + 1 + _noise(x).abs(), x.double()),
        ("larger number", "positive number is", "other than 0", "Whole lines", "Only the", "from index"),
    ),
}  # fmt: skip


def numbers(view: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """A compared value with all its numbers changed."""
    if isinstance(view, dict):
        return {key: numbers(part, change) for key, part in view.items()}
    return numbers_of_lists(view, change)


def _first_parts(exercise: Exercise) -> Iterator[tuple[Any, Pair]]:
    """For each case the compared value, and its first part, held against itself."""
    for case in judging.make_cases(exercise, 0):
        view = judging.see(exercise, exercise.reference, case).view
        path = next(iter(leaves(view)), "")
        yield view, next(pairs_at(path, [view], [view], exercise.tolerance), None)


@pytest.mark.parametrize(
    "exercise",
    [
        pytest.param(item, id=item.slug, marks=pytest.mark.recorded("exercises", item.chapter))
        for item in FUNCTIONS
    ],
)
def test_how_numbers_differ_is_told(exercise):
    views, parts = zip(*_first_parts(exercise), strict=True)
    telling = [
        (view, part)
        for view, part in zip(views, parts, strict=True)
        if part is not None
        and bool((part.expected % 1 != 0).any())
        and len(part.expected.unique()) >= MANY
        and varied(part.expected)
    ]
    for name, kind in KINDS.items():
        asked = [
            view
            for view, part in telling
            if kind.asked(part)
            and varied(kind.change(part.expected))
            and part.expected.ndim == telling[0][1].expected.ndim  # an axis is the same in all
        ]
        if asked:
            seen = [numbers(view, kind.change) for view in asked]
            said = structure.sentence(seen, asked, exercise.tolerance)
            assert any(words in said for words in kind.words), (name, said)
