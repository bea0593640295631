"""What is right about wrong numbers: their sizes, their sums, their directions, their order."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mi_tutor.teach.structure.pairs import Pair, apart

ENOUGH = 5  # different numbers in a case before their order means anything


def kept_sentence(pairs: Sequence[Pair]) -> str:
    """The first that holds in every case, or "". Said where nothing more special is true."""
    wrong = [pair for pair in pairs if pair.wrong.any()]
    return _signs(wrong) or _sums(pairs) or _lines(wrong) or _order(wrong)


def _signs(wrong: Sequence[Pair]) -> str:
    """Whether some signs are all that is wrong. A few whole numbers may agree by luck."""
    numbers = torch.cat([pair.seen[pair.wrong] for pair in wrong])
    telling = len(numbers) >= ENOUGH or bool((numbers % 1 != 0).any())
    if telling and not any(apart(p.seen.abs(), p.expected.abs(), p.tolerance).any() for p in wrong):
        return "The sizes are right; where it is wrong, the sign is the opposite one."
    return ""


def _sums(pairs: Sequence[Pair]) -> str:
    """Sums along an axis that are right while their terms are not."""
    for axis in range(pairs[0].expected.ndim):
        if all(
            p.expected.ndim > axis and p.expected.shape[axis] > 1 and _same_sums(p, axis)
            for p in pairs
        ):
            along = f" along axis {axis}" if pairs[0].expected.ndim > 1 else ""
            return f"The sums{along} are right; what they are made of is not."
    return ""


def _same_sums(pair: Pair, axis: int) -> bool:
    left, right = pair.seen.sum(axis), pair.expected.sum(axis)
    # A sum of 0 is right for a wrong reason too often (everything centred, or 0).
    return bool(right.abs().max() > 0.1 * pair.expected.abs().max()) and not bool(
        apart(left, right, pair.tolerance).any()
    )


def _lines(wrong: Sequence[Pair]) -> str:
    """Vectors along the last axis that have the right direction, or the right length."""
    if not all(p.expected.ndim >= 1 and p.expected.shape[-1] > 2 for p in wrong):
        return ""
    if all(_agree(_unit(p.seen), _unit(p.expected)) for p in wrong):
        return "Along the last axis the directions are right, the lengths are not."
    if all(_agree(p.seen.norm(dim=-1), p.expected.norm(dim=-1)) for p in wrong):
        return "Along the last axis the lengths are right, the directions are not."
    return ""


def _unit(x: Tensor) -> Tensor:
    return torch.nn.functional.normalize(x, dim=-1)


def _agree(left: Tensor, right: Tensor) -> bool:
    return torch.allclose(left, right, rtol=1e-4, atol=1e-5)


def _order(wrong: Sequence[Pair]) -> str:
    """Whether the larger number is the larger one, or the smaller, throughout."""
    if not all(len(p.expected.unique()) >= ENOUGH and p.seen.isfinite().all() for p in wrong):
        return ""
    for sign, words in ((1, "larger"), (-1, "smaller")):
        if all(_rises(sign * p.seen, p.expected) for p in wrong):
            return f"Where a number should be larger than another, yours is {words}; the numbers differ."
    return ""


def _rises(seen: Tensor, expected: Tensor) -> bool:
    order = expected.flatten().argsort()
    steps, of = seen.flatten()[order].diff(), expected.flatten()[order].diff()
    return bool((steps[of > 0] > 0).all())
