"""What else an index, a slice or a range could be, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from mi_tutor.teach.structure.calls import Call, Other


def other_index(call: Call) -> Iterator[tuple[str, Other]]:
    """Another entry, another slice, all in place of some."""
    x, index = call.args[:2]
    whole = index if isinstance(index, tuple) else (index,)
    axis = 0
    for place, part in enumerate(whole):
        if part is Ellipsis:
            axis += x.ndim - sum(_axes(each) for each in whole)
            continue
        on = f"on axis {axis} of {list(x.shape)}"
        for words, other in _other_part(part):
            yield f"{words} {on}", _at(place, other)
        axis += _axes(part)


def _axes(part: Any) -> int:
    """How many axes of a tensor a part of an index speaks of."""
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if isinstance(part, Tensor) and part.dtype == torch.bool else 1


def _at(place: int, other: Callable[[Any], Any]) -> Other:
    def made(call: Call) -> Any:
        x, index, *value = call.args
        if not isinstance(index, tuple):
            return call.func(x, other(index), *value)
        there = tuple(other(part) if i == place else part for i, part in enumerate(index))
        return call.func(x, there, *value)

    return made


def _other_part(part: Any) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    if isinstance(part, Tensor) and part.dtype == torch.bool:
        yield "a mask takes all", torch.ones_like
        yield "a mask is the opposite one", torch.logical_not
    elif isinstance(part, Tensor) and not part.is_floating_point():
        yield "places are one more", lambda i: i + 1
        yield "places are one less", lambda i: i - 1
    elif type(part) is int:
        if part == -1:
            yield "the last place (-1) is the first", lambda i: 0
        elif part >= 0:
            yield f"the place {part} is {part + 1}", lambda i: i + 1
        if part == 0:
            yield "the first place (0) is the last", lambda i: -1
        else:
            yield f"the place {part} is {part - 1}", lambda i: i - 1
    elif isinstance(part, slice) and part.step is None:
        yield from _other_slice(part)


def _other_slice(part: slice) -> Iterator[tuple[str, Callable[[slice], slice]]]:
    said = _written(part)
    for step in (1, -1):
        for start, stop in ((step, 0), (0, step), (step, step)):
            if (start and part.start is None) or (stop and part.stop is None):
                continue
            new = _moved(part, start, stop)
            if new != part:
                yield (
                    f"the slice {said} is {_written(new)}",
                    lambda s, a=start, b=stop: _moved(s, a, b),
                )


def _moved(part: slice, start: int, stop: int) -> slice:
    def moved(at: int | None, by: int) -> int | None:
        if at is None or by == 0:
            return at
        return None if at + by in (0,) and at < 0 else max(at + by, 0) if at >= 0 else at + by

    return slice(moved(part.start, start), moved(part.stop, stop))


def _written(part: slice) -> str:
    return ":".join("" if each is None else str(each) for each in (part.start, part.stop))


def other_range(call: Call) -> Iterator[tuple[str, Other]]:
    ends = call.args if len(call.args) <= 2 else call.args[:2]
    if not ends or not all(isinstance(each, int) for each in ends):
        return
    said = f"a range from {ends[0] if len(ends) > 1 else 0} to {ends[-1]}"
    for step, word in ((1, "later"), (-1, "earlier")):
        for start, stop, words in (
            (step, step, f"lies one {word}"),
            (step, 0, f"begins one {word}"),
            (0, step, f"ends one {word}"),
        ):
            yield f"{said} {words}", _range(start, stop)


def _range(start: int, stop: int) -> Other:
    def made(call: Call) -> Tensor:
        ends = call.args if len(call.args) > 1 else (0, *call.args)
        return call.func(ends[0] + start, ends[1] + stop, *ends[2:], **call.kwargs)

    return made
