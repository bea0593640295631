"""The right result for another input: which one, if it is the same change in every case.

The reference is run on inputs that are changed in one simple way. What fits everywhere is a fact about the answer,
and says where to look: `b` counts as 0, the first row of `x` is taken for all, two arguments are exchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mi_tutor.teach.exercise import Case
from mi_tutor.teach.structure.changes import Change, changes
from mi_tutor.teach.structure.pairs import SMALL_REST, leaves, pairs_at

ENOUGH = 3  # wrong numbers that have to agree: two may do so by luck


def input_sentence(
    cases: Sequence[Case],
    seen: Sequence[Any],
    expected: Sequence[Any],
    tolerance: Any,
    reference: Callable[[Case, Change], Any],
) -> str:
    """The first change of inputs whose right result was seen, in every case, or "".

    seen, expected: one value per case. reference: the right value for a case with changed inputs; it may raise.
    """
    counts = [_wrong_numbers(*each, tolerance) for each in zip(seen, expected, strict=True)]
    if sum(counts) < ENOUGH:
        return ""
    wrong_first = sorted(range(len(cases)), key=lambda i: not counts[i])

    def explains(change: Change, i: int) -> bool:
        try:
            made = reference(cases[i], change)
        except Exception:  # no such change of these inputs
            return False
        return _explains(made, seen[i], expected[i], tolerance)

    for change in changes([case.inputs for case in cases]):
        if all(explains(change, i) for i in wrong_first):
            return f"It is the right result for another input: {change.words}."
    return ""


def _wrong_numbers(seen: Any, expected: Any, tolerance: Any) -> int:
    """How many numbers are not the expected ones; enough of them where shapes differ."""
    count = 0
    for path in leaves(expected):
        for pair in pairs_at(path, [seen], [expected], tolerance):
            same = pair.seen.shape == pair.expected.shape
            count += int(pair.wrong.sum()) if same else ENOUGH
    return count


def _explains(made: Any, seen: Any, expected: Any, tolerance: Any) -> bool:
    """Whether a result leaves next to nothing of what was wrong. A mere fit can be luck: tolerances are wide."""
    if not leaves(made) or list(leaves(made)) != list(leaves(expected)):
        return False
    for path in leaves(made):
        fits = list(pairs_at(path, [seen], [made], tolerance))
        errors = list(pairs_at(path, [seen], [expected], tolerance))
        if not fits or fits[0].seen.shape != fits[0].expected.shape or fits[0].wrong.any():
            return False
        if errors[0].seen.shape == errors[0].expected.shape and errors[0].wrong.any():
            rest, error = (
                (p.seen - p.expected).abs().nan_to_num(0).max() for p in (fits[0], errors[0])
            )
            if rest > SMALL_REST * error:
                return False
    return True
