"""All numbers are one and the same function of what is expected."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mi_tutor.teach.structure.pairs import Pair, varied
from mi_tutor.teach.wording import number

FUNCTIONS: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("Everything has the opposite sign.", lambda e: -e),
    ("It is the absolute value of what is expected: signs are lost.", torch.abs),
    ("It is what is expected with negative numbers set to 0.", lambda e: e.clamp(min=0)),
    ("It is what is expected, cut off at 0 and 1.", lambda e: e.clamp(0, 1)),
    ("It is the square of what is expected.", torch.square),
    ("It is the square root of what is expected.", torch.sqrt),
    ("It is 1 minus what is expected.", lambda e: 1 - e),
    ("It is 1 divided by what is expected.", torch.reciprocal),
    ("It is the logarithm of what is expected.", torch.log),
    ("It is e to the power of what is expected.", torch.exp),
    ("It is what is expected, rounded to whole numbers.", torch.round),
    ("It is what is expected, rounded to one digit.", lambda e: e.round(decimals=1)),
    ("It is what is expected, rounded to two digits.", lambda e: e.round(decimals=2)),
    ("It is what is expected, rounded to three digits.", lambda e: e.round(decimals=3)),
    ("It is the softmax of what is expected.", lambda e: e.softmax(-1) if e.ndim else e),
    ("It is the angle (arc cosine) of what is expected.", torch.acos),
    ("It is what is expected, divided by its sum.", lambda e: e / e.sum()),
    (
        "It is what is expected, added up along its last axis.",
        lambda e: e.cumsum(-1) if e.ndim else e,
    ),
    ("It is transposed: the last two axes are exchanged.", lambda e: e.mT if e.ndim > 1 else e),
)


def function_sentence(pairs: Sequence[Pair]) -> str:
    """The first function that fits every case, or ""."""
    wrong = [pair for pair in pairs if pair.wrong.any()]
    if all(pair.fits(torch.zeros_like(pair.expected)) for pair in pairs):
        return "Every number of yours is 0, or nearly."
    for text, function in FUNCTIONS:
        if all(pair.fits(function(pair.expected)) for pair in pairs):
            return text
    return _factor(pairs, wrong) or _offset(pairs, wrong) or _line(pairs) or _power(pairs)


def _factor(pairs: Sequence[Pair], wrong: Sequence[Pair]) -> str:
    def of(pair: Pair) -> float:
        at = pair.expected.nan_to_num(0.0).abs().argmax()
        return float(pair.seen.flatten()[at] / pair.expected.flatten()[at])

    factors = [of(pair) for pair in wrong]
    one = factors[0]
    if one == 0 or not all(abs(f) < float("inf") for f in factors):
        return ""
    if all(pair.fits(one * pair.expected) for pair in pairs):
        return f"Everything is {number(one)} times what is expected."
    several = any(int((pair.expected != 0).sum()) > 2 for pair in wrong)
    if several and all(p.fits(f * p.expected) for p, f in zip(wrong, factors, strict=True)):
        said = ", ".join(number(f) for f in factors[:4])
        ask = ": is a mean a sum?" if all(map(_is_count, factors)) else "."
        return f"Where a case is wrong, all its numbers are off by one factor ({said}){ask}"
    if (
        len(wrong) > 1
        and all(pair.expected.numel() == 1 for pair in wrong)
        and all(map(_is_count, factors))
    ):
        said = ", ".join(number(f) for f in factors[:4])
        return f"Where a case is wrong, it is this many times what is expected: {said}. Is a mean a sum?"
    return ""


def _is_count(factor: float) -> bool:
    """Whether a factor is a whole number, or 1 over one: how many things are added up, or divided by."""
    larger = max(factor, 1 / factor) if factor > 0 else 0.0
    return larger > 1.5 and abs(larger - round(larger)) < 1e-3


def _offset(pairs: Sequence[Pair], wrong: Sequence[Pair]) -> str:
    shifts = [(pair.seen - pair.expected).nan_to_num(0.0).mean() for pair in wrong]
    if all(pair.fits(pair.expected + shifts[0]) for pair in pairs):
        more = "larger" if shifts[0] > 0 else "smaller"
        return f"Everything is {number(abs(shifts[0]))} {more} than expected."
    several = any(pair.expected.numel() > 2 for pair in wrong)
    if several and all(p.fits(p.expected + c) for p, c in zip(wrong, shifts, strict=True)):
        said = ", ".join(number(c) for c in shifts[:4])
        return f"Where a case is wrong, all its numbers are off by the same amount ({said})."
    return ""


def _line(pairs: Sequence[Pair]) -> str:
    """A factor and an offset, the same two in all cases."""
    seen, expected = (torch.cat([getattr(p, side).flatten() for p in pairs]) for side in SIDES)
    keep = seen.isfinite() & expected.isfinite()
    if len(expected[keep].unique()) < MANY or not varied(expected[keep]):
        return ""
    table = torch.stack([expected[keep], torch.ones_like(expected[keep])], dim=1)
    a, b = (float(x) for x in torch.linalg.lstsq(table, seen[keep, None]).solution[:, 0])
    if abs(a) < 1e-3 or not all(pair.fits(a * pair.expected + b) for pair in pairs):
        return ""
    sign = "plus" if b > 0 else "minus"
    return f"It is {number(a)} times what is expected {sign} {number(abs(b))}."


def _power(pairs: Sequence[Pair]) -> str:
    """A power of what is expected, the same one in all cases."""
    seen, expected = (torch.cat([getattr(p, side).flatten() for p in pairs]) for side in SIDES)
    keep = (seen > 0) & (expected > 0) & seen.isfinite() & expected.isfinite()
    if len(expected[keep].unique()) < MANY or not varied(expected[keep].log()):
        return ""
    x, y = expected[keep].log(), seen[keep].log()
    power = float((x * y).sum() / x.square().sum())
    if not all(pair.fits(pair.expected.abs() ** power * pair.expected.sign()) for pair in pairs):
        return ""
    return f"It is what is expected to the power {number(power)}."


SIDES = ("seen", "expected")
MANY = 6  # different numbers: two always lie on a line


def line_sentence(pairs: Sequence[Pair]) -> str:
    """A factor or an amount of its own for each line along one axis."""
    wrong = [pair for pair in pairs if pair.wrong.any()]
    return _by_row(
        wrong, "factor", lambda s, e, dim: e * ((s * e).sum(dim, True) / e.square().sum(dim, True))
    ) or _by_row(wrong, "amount", lambda s, e, dim: e + (s - e).mean(dim, keepdim=True))


def _by_row(wrong: Sequence[Pair], what: str, made: Callable) -> str:
    """Whether each line along one axis is off by a factor or an amount of its own."""
    for dim in (-1, -2):
        if all(
            p.seen.ndim >= 2 and p.seen.shape[dim] > 2 and p.fits(made(p.seen, p.expected, dim))
            for p in wrong
        ):
            return f"Along axis {dim} all numbers are off by one {what}, another one in each line."
    return ""
