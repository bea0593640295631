"""Simple changes of inputs, each in words: what an answer could have done instead of what was asked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.teach.exercise import Handle

Inputs = dict[str, Any]


class Change(NamedTuple):
    """A change of inputs in words, and what makes it; `made` may raise where there is nothing to change."""

    words: str
    made: Callable[[Inputs], Inputs]


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
    elif isinstance(value, Tensor):
        yield from (() if value.dtype == torch.bool else WHOLE)
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


def _rolled(step: int, axis: int) -> Callable[[Tensor], Tensor]:
    return lambda x: x.roll(step, axis)


def _along_middle(change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """A change along axis 1 of a tensor that has three or more: first and last axes have their own."""

    def made(x: Tensor) -> Tensor:
        if x.ndim < 3:
            raise ValueError("no middle axis")
        return change(x)

    return made


def _unit(axis: int) -> Callable[[Tensor], Tensor]:
    return lambda x: torch.nn.functional.normalize(x, dim=axis)


FLOATS: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("all of {} is 0", torch.zeros_like),
    ("all of {} is 1", torch.ones_like),
    ("{} with the opposite sign", torch.neg),
    ("the absolute values of {}", torch.abs),
    ("{} with negative numbers set to 0", torch.relu),
    ("{} cut off at 0 and 1", lambda x: x.clamp(0, 1)),
    ("{}, squared", torch.square),
    ("twice {}", lambda x: 2 * x),
    ("half of {}", lambda x: x / 2),
    ("{} rounded to one digit", lambda x: x.round(decimals=1)),
    ("{} rounded to two digits", lambda x: x.round(decimals=2)),
    ("{} minus its mean", lambda x: x - x.mean()),
)
WHOLE: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("all of {} is 0", torch.zeros_like),
    ("{} plus 1", lambda x: x + 1),
    ("{} minus 1", lambda x: x - 1),
)
FEW = 4
SHAPED: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("the first of {} for all", lambda x: x[:1].expand_as(x).clone()),
    ("the last of {} for all", lambda x: x[-1:].expand_as(x).clone()),
    ("{} in reversed order", lambda x: x.flip(0)),
    ("{} transposed", lambda x: x.mT.contiguous() if x.ndim > 1 else x[:0]),
    ("{} in reversed order along its last axis", lambda x: x.flip(-1)),
    ("{} moved on by one", _rolled(1, 0)),
    ("{} moved back by one", _rolled(-1, 0)),
    ("{} moved on by one along its last axis", _rolled(1, -1)),
    ("{} moved back by one along its last axis", _rolled(-1, -1)),
    ("the mean of {} over axis 0 for all", lambda x: x.mean(0, keepdim=True).expand_as(x).clone()),
    ("{} minus its mean over axis 0", lambda x: x - x.mean(0, keepdim=True)),
    ("{} minus its mean over the last axis", lambda x: x - x.mean(-1, keepdim=True)),
    ("{} scaled to length 1 along the last axis", _unit(-1)),
    ("{} scaled to length 1 along axis 0", _unit(0)),
    ("the softmax of {}", lambda x: x.softmax(-1)),
    ("{} moved on by one along axis 1", _along_middle(_rolled(1, 1))),
    ("{} moved back by one along axis 1", _along_middle(_rolled(-1, 1))),
    ("{} in reversed order along axis 1", _along_middle(lambda x: x.flip(1))),
    ("the softmax of {} along axis 1", _along_middle(lambda x: x.softmax(1))),
    ("only the first of {}", lambda x: x[:1]),
    ("only the last of {}", lambda x: x[-1:]),
    ("{} without its first entry", lambda x: x[1:]),
    ("{} without its last entry", lambda x: x[:-1]),
    ("the first ten of {}", lambda x: x[:10]),
)
BATCH: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("the first row alone", lambda x: x[:1]),
    ("the last row alone", lambda x: x[-1:]),
    ("all rows but the first", lambda x: x[1:]),
    ("all rows but the last", lambda x: x[:-1]),
    ("the first ten rows alone", lambda x: x[:10]),
    ("all inputs transposed", lambda x: x.mT.contiguous()),
)
NUMBERS: tuple[tuple[str, Callable[[int], int]], ...] = (
    ("{} is one more", lambda x: x + 1),
    ("{} is one less", lambda x: x - 1),
    ("{} is 0", lambda x: 0),
    ("{} is 1", lambda x: 1),
    ("{} is the last, -1", lambda x: -1),
    ("{} is 10 at most", lambda x: min(x, 10)),
    ("{} is twice as large", lambda x: 2 * x),
    ("{} has the opposite sign", lambda x: -x),
)
SCALARS: tuple[tuple[str, Callable[[float], float]], ...] = (
    ("{} is 0", lambda x: 0.0),
    ("{} is 1", lambda x: 1.0),
    ("{} has the opposite sign", lambda x: -x),
    ("{} is twice as large", lambda x: 2 * x),
    ("{} is half as large", lambda x: x / 2),
    ("{} is squared", lambda x: x * x),
    ("{} is 1 divided by it", lambda x: 1 / x),
    ("{} is its square root", lambda x: x**0.5),
)
LISTS: tuple[tuple[str, Callable[[list], list]], ...] = (
    ("only the first entry of {}", lambda x: x[:1]),
    ("only the last entry of {}", lambda x: x[-1:]),
    ("{} without its first entry", lambda x: x[1:]),
    ("{} without its last entry", lambda x: x[:-1]),
    ("{} is empty", lambda x: []),
    ("{} in reversed order", lambda x: x[::-1]),
    ("{} sorted", sorted),
    ("the first ten of {}", lambda x: x[:10]),
)
