"""What a wrong shape says: which axis is too many, missing, exchanged, or one entry too long."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import Tensor


def shape_sentence(pairs: Sequence[Any]) -> str:
    """The first sentence that holds in every case, or ""; `pairs` as in `structure`."""
    n_seen, n_expected = ({getattr(p, side).ndim for p in pairs} for side in ("seen", "expected"))
    if len(n_seen) > 1 or len(n_expected) > 1:
        return ""
    return _first(_readings(n_seen.pop(), n_expected.pop()), pairs)


def axes_sentence(pairs: Sequence[Any]) -> str:
    """How many axes there are, or which one has another length: said where numbers do not fit either."""
    n_seen, n_expected = ({getattr(p, side).ndim for p in pairs} for side in ("seen", "expected"))
    if len(n_seen) > 1 or len(n_expected) > 1:
        return ""
    return _first(_axes_readings(n_seen.pop(), n_expected.pop()), pairs)


def _first(readings: Iterator, pairs: Sequence[Any]) -> str:
    """The first sentence that holds wherever something is wrong."""
    wrong = [pair for pair in pairs if pair.seen.shape != pair.expected.shape or pair.wrong.any()]
    found = (text for text, turned in readings if all(_holds(turned, pair) for pair in wrong))
    return next(found, "")


def _holds(turned: Callable[[Any], bool], pair: Any) -> bool:
    try:
        return turned(pair)
    except (RuntimeError, IndexError):  # no such axis, or nothing on it
        return False


def _close(pair: Any, seen: Tensor, expected: Tensor) -> bool:
    return pair._replace(seen=seen, expected=expected).fits(expected)


def _seen_is(made: Callable[[Tensor], Tensor]) -> Callable[[Any], bool]:
    return lambda pair: _close(pair, pair.seen, made(pair.expected))


def _expected_is(made: Callable[[Tensor], Tensor]) -> Callable[[Any], bool]:
    return lambda pair: _close(pair, made(pair.seen), pair.expected)


def _readings(n_seen: int, n_expected: int) -> Iterator[tuple[str, Callable[[Any], bool]]]:
    """Sentences that can be true of results with so many axes, each with how to see whether it is."""
    if n_seen == n_expected:
        yield from _same_number_of_axes(n_seen)
    for axis in range(n_seen):
        if n_seen == n_expected + 1:
            yield (
                f"The numbers are right, but axis {axis}, of length 1, is too many.",
                _expected_is(lambda s, axis=axis: s.squeeze(axis)),
            )
            for word, made in _reduced(axis):
                yield (
                    f"Axis {axis} of yours is too many: its {word} is what is expected.",
                    _expected_is(made),
                )
    for axis in range(n_expected):
        if n_expected == n_seen + 1:
            yield (
                f"The numbers are right, but axis {axis}, of length 1, is missing.",
                _seen_is(lambda e, axis=axis: e.squeeze(axis)),
            )
            for word, made in _reduced(axis):
                yield f"Axis {axis} is missing: you return its {word}.", _seen_is(made)
    if n_seen == 0:
        yield "You return one number: the mean of what is expected.", _seen_is(lambda e: e.mean())
        yield "You return one number: the sum of what is expected.", _seen_is(lambda e: e.sum())
    if n_expected == 0:
        yield (
            "You return many numbers; their mean is what is expected.",
            _expected_is(lambda s: s.mean()),
        )
        yield (
            "You return many numbers; their sum is what is expected.",
            _expected_is(lambda s: s.sum()),
        )
    if n_seen == n_expected == 1:
        yield "All that is expected is there, and more than that.", _holds_all(1)
        yield "All of yours is expected, and something is missing.", _holds_all(-1)
    yield (
        "The numbers are right and in the right order, but divided into axes in another way.",
        lambda pair: _close(pair, pair.seen.flatten(), pair.expected.flatten()),
    )


def _holds_all(which: int) -> Callable[[Any], bool]:
    """Whether what was seen (1: has; -1: is in) all numbers of what is expected."""

    def holds(pair: Any) -> bool:
        seen, expected = pair.seen.tolist(), pair.expected.tolist()
        more, less = (seen, expected) if which > 0 else (expected, seen)
        return len(less) > 0 and set(less) < set(more) and len(set(less)) == len(less)

    return holds


def _axes_readings(n_seen: int, n_expected: int) -> Iterator[tuple[str, Callable[[Any], bool]]]:
    for axis in range(n_seen if n_seen == n_expected > 1 else 0):
        yield (
            f"Only axis {axis} has another length than expected.",
            lambda pair, axis=axis: _differ(pair) in ([axis], []),
        )
    if n_seen != n_expected:
        yield (
            f"It has {_axes(n_seen)} where {_axes(n_expected)} {'is' if n_expected == 1 else 'are'} expected.",
            lambda pair: True,
        )


def _differ(pair: Any) -> list[int]:
    """The axes whose lengths differ."""
    return [
        i
        for i, (a, b) in enumerate(zip(pair.seen.shape, pair.expected.shape, strict=True))
        if a != b
    ]


def _same_number_of_axes(n: int) -> Iterator[tuple[str, Callable[[Any], bool]]]:
    for order in itertools.permutations(range(n)):
        if n > 1 and order != tuple(range(n)):
            said = (
                "transposed"
                if n == 2
                else f"in another order: yours are the expected ones' {list(order)}"
            )
            yield (
                f"The numbers are right, but the axes are {said}.",
                _seen_is(lambda e, order=order: e.permute(order)),
            )
    for axis in range(n):
        on = f" along axis {axis}" if n > 1 else ""
        yield (
            f"There is one entry too many{on}, the first; the others are right.",
            _expected_is(lambda s, axis=axis: s.narrow(axis, 1, s.shape[axis] - 1)),
        )
        yield (
            f"There is one entry too many{on}, the last; the others are right.",
            _expected_is(lambda s, axis=axis: s.narrow(axis, 0, s.shape[axis] - 1)),
        )
        yield (
            f"The first entry{on} is missing; the others are right.",
            _seen_is(lambda e, axis=axis: e.narrow(axis, 1, e.shape[axis] - 1)),
        )
        yield (
            f"The last entry{on} is missing; the others are right.",
            _seen_is(lambda e, axis=axis: e.narrow(axis, 0, e.shape[axis] - 1)),
        )
        yield (
            f"Only the first of the entries{on} is there.",
            _seen_is(lambda e, axis=axis: e.narrow(axis, 0, 1)),
        )


def _reduced(axis: int) -> Iterator[tuple[str, Callable[[Tensor], Tensor]]]:
    """What can become of an axis, and its name."""
    yield "mean", lambda x: x.mean(axis)
    yield "sum", lambda x: x.sum(axis)
    yield "maximum", lambda x: x.amax(axis)
    yield "first entry", lambda x: x.select(axis, 0)
    yield "last entry", lambda x: x.select(axis, -1)


def _axes(n: int) -> str:
    return "no axis" if n == 0 else "1 axis" if n == 1 else f"{n} axes"
