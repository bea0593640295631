"""Simple changes of inputs, each in words: what an answer could have done instead of what was asked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.teach.exercise import Handle
from mi_tutor.teach.structure.change_tables import (
    BATCH,
    FEW,
    FLOATS,
    FURTHER,
    FURTHER_SHAPED,
    LISTS,
    NUMBERS,
    SCALARS,
    SHAPED,
    TRUTHS,
    WHOLE,
)

Inputs = dict[str, Any]


class Change(NamedTuple):
    """A change of inputs in words, and what makes it; `made` may raise where there is nothing to change.

    about: what the words speak of. around: what holds while the reference runs. key: by what its result can be
    remembered, if not by the words; None if it has to run each time. instead: a right answer that is run in the
    reference's place.
    """

    words: str
    made: Callable[[Inputs], Inputs]
    about: str = "for another input"
    around: Callable[[], AbstractContextManager] = nullcontext
    key: str | None = ""
    instead: Callable | None = None

    @property
    def replaces(self) -> bool:
        """Whether something else takes an input's place: differences to a distorted one say nothing."""
        return any(word in self.words for word in REPLACED)

    @property
    def compares(self) -> bool:
        """Whether it is what others are measured against: results less this one mean something."""
        return self.words.startswith("nothing is edited")


REPLACED = (
    "all of",
    "for all",
    " is 0",
    " is 1",
    "is empty",
    "as well",
    "exchanged",
    "always",
    "opposite",
)


def changes(of_cases: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    """All changes of one input, of two of a kind, and of the rows of several; fewer where a model has to run."""
    inputs = of_cases[0]
    heavy = any(isinstance(value, Handle) for value in inputs.values())
    for name, value in inputs.items():
        for words, of_one in _of_kind(value, heavy):
            yield Change(words.format(f"`{name}`"), _one(name, of_one))
    for one, other in itertools.combinations(inputs, 2):
        if _alike(inputs[one], inputs[other]):
            yield Change(f"`{one}` and `{other}` exchanged", _exchanged(one, other))
            yield Change(f"`{other}` in place of `{one}` as well", _copied(other, one))
            yield Change(f"`{one}` in place of `{other}` as well", _copied(one, other))
            if isinstance(inputs[one], Tensor) and inputs[one].is_floating_point() and not heavy:
                for words, of_both in PAIRS:
                    for a, b in ((one, other), (other, one)):
                        yield Change(words.format(f"`{a}`", f"`{b}`"), _of_two(a, b, of_both))
    tensors = [name for name in inputs if _same_rows(of_cases, name)]
    if len(tensors) > 1:
        for words, part in BATCH:
            yield Change(words, _of_rows(tensors, part))


def _one(name: str, change: Callable) -> Callable[[Inputs], Inputs]:
    return lambda given: {**given, name: change(given[name])}


def _exchanged(one: str, other: str) -> Callable[[Inputs], Inputs]:
    return lambda given: {**given, one: given[other], other: given[one]}


def _copied(source: str, to: str) -> Callable[[Inputs], Inputs]:
    return lambda given: {**given, to: given[source]}


PAIRS: tuple[tuple[str, Callable[[Tensor, Tensor], Tensor]], ...] = (
    ("{0} minus {1} in place of {0}", torch.sub),
    ("{0} plus {1} in place of {0}", torch.add),
    ("the mean of {0} and {1} in place of {0}", lambda a, b: (a + b) / 2),
    ("the product of {0} and {1} in place of {0}", torch.mul),
)


def _of_two(one: str, other: str, made: Callable) -> Callable[[Inputs], Inputs]:
    def change(given: Inputs) -> Inputs:
        value = made(given[one], given[other])
        if value.shape != given[one].shape:
            raise ValueError("of another shape")
        return {**given, one: value}

    return change


def _of_rows(tensors: Sequence[str], part: Callable) -> Callable[[Inputs], Inputs]:
    return lambda given: {**given, **{name: part(given[name]) for name in tensors}}


def _same_rows(of_cases: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether an input is a tensor with as many rows as the first tensor, in every case."""

    def rows(value: Any) -> int:
        return len(value) if isinstance(value, Tensor) and value.ndim else -1

    first = next((n for n, value in of_cases[0].items() if rows(value) >= 0), name)
    return all(rows(case[name]) == rows(case[first]) >= 0 for case in of_cases)


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.ndim == other.ndim and one.is_floating_point() == other.is_floating_point()
    return type(one) is type(other) and isinstance(one, int | float | str)


def _of_kind(value: Any, heavy: bool) -> Iterator[tuple[str, Callable]]:
    if isinstance(value, Tensor) and value.is_floating_point():
        yield from FLOATS
        if value.ndim:
            yield from SHAPED
        if not heavy:
            yield from FURTHER
            yield from FURTHER_SHAPED if value.ndim else ()
    elif isinstance(value, Tensor):
        yield from TRUTHS if value.dtype == torch.bool else WHOLE
        if value.ndim:
            yield from SHAPED[:FEW] if heavy else SHAPED
    elif isinstance(value, bool):
        yield "{} True, always", lambda x: True
        yield "{} False, always", lambda x: False
        yield "the opposite of {}", lambda x: not x
    elif isinstance(value, int):
        yield from NUMBERS
    elif isinstance(value, float):
        yield from SCALARS
    elif isinstance(value, list):
        yield from LISTS
