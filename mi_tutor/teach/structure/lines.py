"""Lines along an axis: whole ones that are wrong, or all from some place on."""

from __future__ import annotations

from collections.abc import Sequence

from mi_tutor.teach.structure.pairs import Pair

LONG = 3  # entries in a line, before "all of them are wrong" says something about lines
MOST = 0.6  # of a wrong line's entries are wrong: a zero may be right by luck


def lines_of(pair: Pair, axis: int) -> set[int]:
    """The indices along an axis at which something is wrong."""
    rest = [d for d in range(pair.wrong.ndim) if d != axis]
    wrong = pair.wrong.any(dim=rest) if rest else pair.wrong
    return set(wrong.nonzero().flatten().tolist())


def whole_lines(wrong: Sequence[Pair]) -> str:
    """Some lines along an axis are wrong throughout, the others are right throughout."""
    for axis in range(wrong[0].expected.ndim if wrong[0].expected.ndim > 1 else 0):
        if all(_are_whole(pair, axis) for pair in wrong) and any(
            len(lines_of(pair, axis)) < pair.wrong.shape[axis] for pair in wrong
        ):
            pair = next(p for p in wrong if len(lines_of(p, axis)) < p.wrong.shape[axis])
            at = sorted(lines_of(pair, axis))
            which = f": index {', '.join(map(str, at))}" if len(at) <= 4 else ""
            n = f"{len(at)} of {pair.wrong.shape[axis]}{which}"
            return f"Whole lines along axis {axis} are wrong ({n}), the others are right."
    return ""


def _are_whole(pair: Pair, axis: int) -> bool:
    wrong = pair.wrong.movedim(axis, 0).flatten(1)
    bad = wrong[wrong.any(dim=1)]
    return wrong.shape[1] >= LONG and bool((bad.double().mean(dim=1) >= MOST).all())


def from_somewhere(wrong: Sequence[Pair]) -> str:
    """Along an axis all is right up to some place, and no line after it; or the other way round."""
    for axis in range(wrong[0].expected.ndim):
        along = f"Along axis {axis} it" if wrong[0].expected.ndim > 1 else "It"
        sizes = [pair.wrong.shape[axis] for pair in wrong]
        lines = [lines_of(pair, axis) for pair in wrong]
        if any(len(at) < 2 or len(at) == n for at, n in zip(lines, sizes, strict=True)):
            continue
        starts = sorted({min(at) for at in lines})
        if all(at == set(range(min(at), n)) for at, n in zip(lines, sizes, strict=True)):
            return f"{along} is right up to some place, and wrong from there on: from index {_listed(starts)}."
        if all(at == set(range(len(at))) for at in lines):
            ends = sorted({len(at) for at in lines})
            return f"{along} is wrong up to some place, and right from there on: from index {_listed(ends)}."
    return ""


def _listed(numbers: Sequence[int]) -> str:
    return " or ".join(map(str, numbers[:3])) + (" or another" if len(numbers) > 3 else "")
