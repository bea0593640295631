"""The right result for another input: which one, if it is the same change in every case.

The reference is run on inputs that are changed in one simple way. What fits everywhere is a fact about the answer,
and says where to look: `b` counts as 0, the first row of `x` is taken for all, two arguments are exchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.teach.exercise import Case
from mi_tutor.teach.structure.changes import Change, changes
from mi_tutor.teach.structure.pairs import Pair, leaves, pairs_at

ENOUGH = 3  # wrong numbers that have to agree: two may do so by luck


def _nearer(seen: Tensor, right: Tensor, other: Tensor) -> Tensor:
    return torch.where((seen - right).abs() <= (seen - other).abs(), right, other)


def _halfway(seen: Tensor, right: Tensor, other: Tensor) -> Tensor:
    return (right + other) / 2


ANOTHER = "It is the right result {about}: {words}."
Combine = Callable[[Tensor, Tensor, Tensor], Tensor]  # of what was seen, the right one, another
# What else a result can be, next to the right one and that for another input: said where no input explains all.
COMBINED: tuple[tuple[str, Combine], ...] = (
    ("It is the right result less the one {about}: {words}.", lambda _, right, other: right - other),
    ("It is the right result {about} less the right one: {words}.", lambda _, right, other: other - right),
    ("It lies halfway between the right result and that {about}: {words}.", _halfway),
    ("It is the sum of the right result and that {about}: {words}.", lambda _, right, other: right + other),
    ("It is the right result divided by that {about}: {words}.", lambda _, right, other: right / other),
    ("Some numbers are right, all others are right {about}: {words}.", _nearer),
)  # fmt: skip


def input_sentence(
    cases: Sequence[Case],
    seen: Sequence[Any],
    expected: Sequence[Any],
    tolerance: Any,
    reference: Callable[[Case, Change], Any],
    before_weaker: Callable[[], str] = str,
) -> str:
    """The first change of inputs whose right result was seen, in every case, or "".

    seen, expected: one value per case. reference: the right value for a case with changed inputs; it may raise.
    before_weaker: makes another sentence, which is better than that two results together explain it.
    """
    results = list(zip(seen, expected, strict=True))
    order = wrong_first(results, tolerance)
    if not order:
        return ""
    wanted = explanations(results, tolerance)
    weaker = ""
    for change in changes([case.inputs for case in cases]):
        alive = {ANOTHER: _explains} if weaker or not change.replaces else wanted
        alive = those_that_fit(alive, change, cases, results, order, tolerance, reference)
        said = next(iter(alive), "").format(about=change.about, words=change.words)
        if ANOTHER in alive:
            return said
        weaker = weaker or said
    return before_weaker() or weaker


def wrong_first(results: Sequence[tuple[Any, Any]], tolerance: Any) -> list[int]:
    """The cases' numbers, those that are wrong first; none if too few numbers are wrong to say anything."""
    counts = [_wrong_numbers(*each, tolerance) for each in results]
    return sorted(range(len(counts)), key=lambda i: not counts[i]) if sum(counts) >= ENOUGH else []


def explanations(results: Sequence[tuple[Any, Any]], tolerance: Any) -> dict[str, Callable]:
    """What a result can be, next to the right one and that for another input."""
    wanted: dict[str, Callable] = {ANOTHER: _explains}
    if _different(results, tolerance) >= ENOUGH:
        wrong = _wrong_parts(results, tolerance)
        wanted |= {text: partial(_combined, made, wrong) for text, made in COMBINED}
    return wanted


def those_that_fit(
    wanted: dict[str, Callable],
    change: Change,
    cases: Sequence[Case],
    results: Sequence[tuple[Any, Any]],
    order: Sequence[int],
    tolerance: Any,
    reference: Callable[[Case, Change], Any],
) -> dict[str, Callable]:
    """Those that fit in every case; the first that does not fit is the last that is run."""
    alive = wanted
    for i in order:
        made = made_or_none(reference, cases[i], change) if alive else None
        alive = {
            text: fits for text, fits in alive.items() if fits(_parts(made, *results[i], tolerance))
        }
    return alive


def made_or_none(reference: Callable[[Case, Change], Any], case: Case, change: Change) -> Any:
    """The right result for changed inputs; None if there is no such change of these."""
    try:
        return reference(case, change)
    except Exception:
        return None


def _all_pairs(seen: Any, expected: Any, tolerance: Any) -> list[Pair]:
    return [
        pair for path in leaves(expected) for pair in pairs_at(path, [seen], [expected], tolerance)
    ]


def _wrong_numbers(seen: Any, expected: Any, tolerance: Any) -> int:
    """How many numbers are not the expected ones; enough of them where shapes differ."""
    return sum(
        int(pair.wrong.sum()) if pair.seen.shape == pair.expected.shape else ENOUGH
        for pair in _all_pairs(seen, expected, tolerance)
    )


def _different(results: Sequence[tuple[Any, Any]], tolerance: Any) -> int:
    """How many different numbers are wrong: few (as of a mask) are those for some other input by luck."""
    wrong = [
        pair.seen[pair.wrong]
        for each in results
        for pair in _all_pairs(*each, tolerance)
        if pair.seen.shape == pair.expected.shape
    ]
    return len(torch.cat(wrong).unique()) if wrong else 0


def _wrong_parts(results: Sequence[tuple[Any, Any]], tolerance: Any) -> set[str]:
    """The parts of the results in which something is wrong in some case."""
    return {
        path
        for each in results
        for path in leaves(each[1])
        if _wrong_numbers(*({path: leaves(x, like=each[1]).get(path)} for x in each), tolerance)
    }


class Part(NamedTuple):
    """A part of a result, held against the right one and against the one for another input."""

    path: str
    right: Pair
    other: Pair


def _parts(made: Any, seen: Any, expected: Any, tolerance: Any) -> list[Part]:
    """Part by part; none if the results are of different kinds."""
    paths = list(leaves(made)) if made is not None else []
    if not paths or paths != list(leaves(expected)):
        return []
    found = []
    for path in paths:
        right, other = (
            next(pairs_at(path, [seen], [each], tolerance), None) for each in (expected, made)
        )
        if right is None or other is None:
            return []
        found.append(Part(path, right, other))
    return found


def _explains(parts: Sequence[Part]) -> bool:
    """Whether a result leaves next to nothing of what was wrong. A mere fit can be luck: tolerances are wide."""
    return bool(parts) and all(part.right.fits(part.other.expected) for part in parts)


def _combined(combine: Combine, wrong: set[str], parts: Sequence[Part]) -> bool:
    """Whether the parts that are wrong in some case are combinations of both results, and the others right."""
    return bool(parts) and all(
        part.right.seen.shape == part.right.expected.shape == part.other.expected.shape
        and part.right.fits(
            combine(part.right.seen, part.right.expected, part.other.expected)
            if part.path in wrong
            else part.right.expected
        )
        for part in parts
    )
