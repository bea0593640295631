"""What differs between wrong values and right ones, in words, from the values alone.

Said where no known mistake fits. A sentence here is a fact that holds in EVERY case: where two could be meant, the
more special one comes first; where none holds everywhere, how many entries differ, and which, is all that is said.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from mi_tutor.teach.exercise import Tolerance
from mi_tutor.teach.structure.functions import function_sentence
from mi_tutor.teach.structure.pairs import Pair, apart, leaves, pairs_at
from mi_tutor.teach.structure.places import moved_sentence, place_sentence
from mi_tutor.teach.structure.shapes import shape_sentence


def sentence(
    seen: Sequence[Any], expected: Sequence[Any], tolerance: Tolerance | Mapping[str, Tolerance]
) -> str:
    """One sentence on how `seen` differs from `expected`, one of each per case, or ""."""
    if _reordered(seen, expected, tolerance):
        return "The parts of the result are right, but they stand in another order."
    for path in dict.fromkeys(path for each in expected for path in leaves(each)):
        pairs = list(pairs_at(path, seen, expected, tolerance))
        if not pairs or all(p.seen.shape == p.expected.shape and not p.wrong.any() for p in pairs):
            continue
        if any(p.seen.shape != p.expected.shape for p in pairs):
            return shape_sentence(pairs)
        return _value_sentence(pairs)
    return ""


def _value_sentence(pairs: Sequence[Pair]) -> str:
    """The first that holds in every case. Two numbers are some function of any two others."""
    expected = torch.cat([pair.expected.flatten() for pair in pairs])
    if len(expected) > 2 and len(expected.unique()) > 1:
        said = function_sentence(pairs) or moved_sentence(pairs)
        if said:
            return said
    return place_sentence(pairs)


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
