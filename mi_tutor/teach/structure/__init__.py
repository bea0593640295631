"""What differs between wrong values and right ones, in words, from the values alone.

Said where no known mistake fits. A sentence here is a fact that holds in EVERY case: where two could be meant, the
more special one comes first; where none holds everywhere, how many entries differ, and which, is all that is said.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from mi_tutor.teach.exercise import Tolerance
from mi_tutor.teach.structure.functions import function_sentence, line_sentence
from mi_tutor.teach.structure.given import given_place, given_sentence
from mi_tutor.teach.structure.kept import kept_sentence
from mi_tutor.teach.structure.pairs import Pair, apart, leaves, pairs_at, varied
from mi_tutor.teach.structure.places import counted_sentence, moved_sentence, place_sentence
from mi_tutor.teach.structure.shapes import axes_sentence, shape_sentence


def sentence(
    seen: Sequence[Any],
    expected: Sequence[Any],
    tolerance: Tolerance | Mapping[str, Tolerance],
    otherwise: Callable[[], str] = str,
    given: Sequence[Mapping[str, Any]] = (),
) -> str:
    """One sentence on how `seen` differs from `expected`, one of each per case, or "".

    otherwise: makes a sentence from more than the values; asked where these do not say it in one word.
    given: the inputs of each case.
    """
    if _reordered(seen, expected, tolerance):
        return "The parts of the result are right, but they stand in another order."
    paths = dict.fromkeys(path for each in expected for path in leaves(each))
    by_path = {path: list(pairs_at(path, seen, expected, tolerance)) for path in paths}
    wrong = [path for path, pairs in by_path.items() if not all(map(_right, pairs))]
    if not wrong:
        return otherwise()
    said = _of_part(by_path[wrong[0]], otherwise, given)
    alone = len(wrong) == 1 and len(by_path) > 1 and all(by_path.values())
    alone &= all(map(_same_words, seen, expected))
    return f"{said} All else is right.".strip() if alone else said


def _right(pair: Pair) -> bool:
    return pair.seen.shape == pair.expected.shape and not pair.wrong.any()


def _same_words(seen: Any, expected: Any) -> bool:
    """Whether two results agree in all that is no number."""
    if isinstance(expected, dict) and isinstance(seen, dict):
        return set(seen) == set(expected) and all(_same_words(seen[k], expected[k]) for k in seen)
    if isinstance(expected, list | tuple) and isinstance(seen, list | tuple):
        return len(seen) == len(expected) and all(map(_same_words, seen, expected))
    return isinstance(expected, torch.Tensor | int | float) or seen == expected


def _of_part(
    pairs: Sequence[Pair], otherwise: Callable[[], str], given: Sequence[Mapping[str, Any]]
) -> str:
    """How one part of the results differs."""
    if any(p.seen.shape != p.expected.shape for p in pairs):
        return shape_sentence(pairs) or otherwise() or axes_sentence(pairs)
    return (
        _relation_sentence(pairs)
        or otherwise()
        or given_sentence(pairs, given)
        or line_sentence(pairs)
        or place_sentence(pairs)
        or given_place(pairs, given)
        or kept_sentence(pairs)
        or counted_sentence(pairs)
    )


def _relation_sentence(pairs: Sequence[Pair]) -> str:
    """The first that holds in every case. Two numbers are some function of any two others; so are equal ones."""
    seen, expected = (
        torch.cat([getattr(pair, side).flatten() for pair in pairs])
        for side in ("seen", "expected")
    )
    if len(expected) < 3 or not varied(expected):
        return ""
    if not varied(seen):
        return "" if seen.any() else "Every number of yours is 0."
    return function_sentence(pairs) or moved_sentence(pairs) or _mask(seen, expected)


def _mask(seen: torch.Tensor, expected: torch.Tensor) -> str:
    """Yes and no, where numbers are expected."""
    yes_or_no = bool(((seen == 0) | (seen == 1)).all())
    if yes_or_no and len(expected[expected.isfinite()].unique()) > 2:
        return "All your numbers are 0 or 1, as of a mask; other numbers are expected."
    return ""


def _reordered(seen: Sequence, expected: Sequence, tolerance: Any) -> bool:
    """Whether the parts of each result are the expected ones in one and the same other order."""
    first = expected[0]
    if (
        isinstance(tolerance, Mapping)
        or not isinstance(first, list | tuple)
        or not 2 <= len(first) <= 4
    ):
        return False
    if not all(
        isinstance(s, list | tuple) and len(s) == len(e) == len(first)
        for s, e in zip(seen, expected, strict=True)
    ):
        return False
    orders = list(itertools.permutations(range(len(first))))[1:]
    return any(
        all(_same(s, [e[i] for i in order], tolerance) for s, e in zip(seen, expected, strict=True))
        for order in orders
    )


def _same(seen: Sequence, expected: Sequence, tolerance: Tolerance) -> bool:
    left, right = leaves(list(seen)), leaves(list(expected))
    return (
        bool(left)
        and list(left) == list(right)
        and all(
            left[key].shape == right[key].shape
            and not apart(left[key].double(), right[key].double(), tolerance).any()
            for key in left
        )
    )
