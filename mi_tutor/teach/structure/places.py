"""The right numbers in the wrong places, and which entries are wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mi_tutor.teach.structure.lines import from_somewhere, lines_of, whole_lines
from mi_tutor.teach.structure.pairs import Pair, apart
from mi_tutor.teach.wording import number


def moved_sentence(pairs: Sequence[Pair]) -> str:
    """The right numbers, moved; or copies of one."""
    return _moved(pairs) or _alike([pair for pair in pairs if pair.wrong.any()])


def place_sentence(pairs: Sequence[Pair]) -> str:
    """Which entries are wrong, or ""."""
    return _codes(pairs) or _places(pairs, [pair for pair in pairs if pair.wrong.any()])


def _moved(pairs: Sequence[Pair]) -> str:
    ndim = pairs[0].expected.ndim
    if ndim == 0 or any(pair.expected.ndim != ndim for pair in pairs):
        return ""
    for axis in range(ndim):
        along = f"along axis {axis}" if ndim > 1 else "from end to end"
        if all(pair.fits(pair.expected.flip(axis)) for pair in pairs):
            return f"The right numbers are in reversed order {along}."
        for step, way in ((1, "late"), (-1, "early")):
            if all(_shifted(pair, axis, step) for pair in pairs):
                where = f" along axis {axis}" if ndim > 1 else ""
                return f"The right numbers stand one place too {way}{where}."
    if all(pair.fits(_sorted_like(pair.expected, pair.seen)) for pair in pairs):
        return "The numbers are the right ones, but they stand in other places."
    return ""


def _shifted(pair: Pair, axis: int, step: int) -> bool:
    size = pair.expected.shape[axis]
    if size < 3:
        return not pair.wrong.any()
    left = pair.seen.narrow(axis, max(step, 0), size - 1)
    right = pair.expected.narrow(axis, max(-step, 0), size - 1)
    return not apart(left, right, pair.tolerance).any()


def _sorted_like(values: Tensor, order: Tensor) -> Tensor:
    """The values in the order of size that another tensor has."""
    if values.isnan().any() or order.isnan().any():
        return torch.full_like(values, torch.inf)
    made = torch.empty_like(values).flatten()
    made[order.flatten().argsort()] = values.flatten().sort().values
    return made.view_as(values)


def _alike(wrong: Sequence[Pair]) -> str:
    """Rows that are copies of one."""
    for axis in range(wrong[0].seen.ndim):
        if not all(p.seen.ndim > axis and p.seen.shape[axis] > 2 for p in wrong):
            continue
        if all(p.fits(p.seen.narrow(axis, 0, 1).expand_as(p.seen)) for p in wrong):
            right = all(p.fits(p.expected.narrow(axis, 0, 1).expand_as(p.seen)) for p in wrong)
            of = f" along axis {axis}" if wrong[0].seen.ndim > 1 else ""
            return f"All entries{of} are the same" + (
                ": copies of the first, which is right." if right else "."
            )
    return ""


def _codes(pairs: Sequence[Pair]) -> str:
    """Whole numbers that stand for one another: where 1 is expected, there is 2."""
    if not all(bool((p.seen % 1 == 0).all() & (p.expected % 1 == 0).all()) for p in pairs):
        return ""
    both = torch.cat([torch.stack([p.expected.flatten(), p.seen.flatten()]) for p in pairs], dim=1)
    table = both.unique(dim=1).T.tolist()
    if len({wanted for wanted, _ in table}) < len(table) or len(both[0]) < 2 * len(table):
        return ""
    swaps = [f"{seen:g} where {wanted:g} is expected" for wanted, seen in table if seen != wanted]
    return f"You have {', '.join(swaps)}, each time." if len(swaps) <= 4 else ""


def _places(pairs: Sequence[Pair], wrong: Sequence[Pair]) -> str:
    """Entries that are wrong for where they stand, or for what is expected there."""
    ndim = pairs[0].expected.ndim
    if ndim == 0:
        return ""
    alike = all(
        pair.expected.ndim == ndim for pair in pairs
    )  # an axis is the same one in all cases
    return (
        _where(SQUARES, pairs, wrong)
        or (_ends(pairs, wrong) if alike else "")
        or _where(PLACES, pairs, wrong)
        or _beyond(wrong)
        or (from_somewhere(wrong) or whole_lines(wrong) if alike else "")
    )


def _where(
    regions: Sequence[tuple[str, Callable]], pairs: Sequence[Pair], wrong: Sequence[Pair]
) -> str:
    """The first region that is just what is wrong, in every case."""
    for text, region in regions:
        if any(not pair.wrong.all() for pair in wrong) and all(
            torch.equal(pair.wrong, region(pair)) for pair in pairs
        ):
            return text
    return ""


def _ends(pairs: Sequence[Pair], wrong: Sequence[Pair]) -> str:
    """Only the first or the last entry along an axis is right, or wrong."""
    for axis in range(pairs[0].expected.ndim):
        along = f" along axis {axis}" if pairs[0].expected.ndim > 1 else ""
        sizes = [pair.expected.shape[axis] for pair in wrong]
        for text, at in ENDS if min(sizes) > 1 and max(sizes) > 2 else ():
            if all(lines_of(p, axis) == set(at(p.expected.shape[axis])) for p in pairs):
                return text.format(along) + ", in every case."
    return ""


ENDS: tuple[tuple[str, Callable[[int], range]], ...] = (
    ("Only the first entry{} is right", lambda n: range(1, n)),
    ("Only the last entry{} is right", lambda n: range(n - 1)),
    ("Only the first entry{} is wrong", lambda n: range(1)),
    ("Only the last entry{} is wrong", lambda n: range(n - 1, n)),
)


def _beyond(wrong: Sequence[Pair]) -> str:
    """Wrong just where more, or less, than some number is expected; or one and the same number of yours."""
    bad, good, yours = (
        torch.cat([part(p) for p in wrong])
        for part in (
            lambda p: p.expected[p.wrong],
            lambda p: p.expected[~p.wrong & p.expected.isfinite()],
            lambda p: p.seen[p.wrong],
        )
    )
    if len(bad) < FEW or len(good) < FEW:
        return ""
    if bool((yours == yours[0]).all()) and len(bad.unique()) > 1:
        return f"Where it is wrong, you have {number(yours[0])} throughout."
    for word, sizes in BEYOND:
        bound = float(sizes(good).max())
        if float(sizes(bad).min()) > bound and len(sizes(good).unique()) >= FEW:
            limit = number(-bound if word == "smaller" else bound)
            return f"It is wrong just where a {word} number than {limit} is expected."
        if all(_divided(pair, sizes) for pair in wrong):
            return f"It is wrong just where the {word} numbers are expected, case by case."
    return ""


def _divided(pair: Pair, sizes: Callable[[Tensor], Tensor]) -> bool:
    """Whether all that is wrong lies beyond all that is right, with enough of both."""
    bad = sizes(pair.expected[pair.wrong])
    good = sizes(pair.expected[~pair.wrong & pair.expected.isfinite()])
    return min(len(bad), len(good.unique())) >= FEW and bool(bad.min() > good.max())


FEW = 3
BEYOND: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("larger", lambda x: x),
    ("smaller", torch.neg),
    ("larger (positive or negative)", torch.abs),
)


def _in_square(of: Callable[[Tensor], Tensor]) -> Callable[[Pair], Tensor]:
    """A region of a square matrix, from a matrix of True; of anything else what cannot be all that is wrong."""

    def region(pair: Pair) -> Tensor:
        shape = pair.wrong.shape
        if len(shape) < 2 or shape[-1] != shape[-2]:
            return ~pair.wrong
        return of(torch.ones(shape[-1], shape[-1], dtype=torch.bool)).expand(shape)

    return region


Regions = tuple[tuple[str, Callable[[Pair], Tensor]], ...]
SQUARES: Regions = (
    ("Just the entries on the diagonal are wrong.", _in_square(lambda m: m.tril().triu())),
    ("Just the entries off the diagonal are wrong.", _in_square(lambda m: m ^ m.tril().triu())),
    ("Just the entries above the diagonal are wrong.", _in_square(lambda m: m.triu(1))),
)
PLACES: Regions = (
    ("Just the entries where NaN is expected are wrong.", lambda p: p.expected.isnan()),
    (
        "You have NaN in places where you should not; all other entries are right.",
        lambda p: p.wrong & p.seen.isnan(),
    ),
    ("Just the entries where 0 is expected are wrong.", lambda p: p.expected == 0),
    (
        "Just the entries where something other than 0 is expected are wrong.",
        lambda p: p.expected != 0,
    ),
    (
        "You have 0 in some places where you should not; all other entries are right.",
        lambda p: p.wrong & (p.seen == 0),
    ),
    ("Just the entries where a negative number is expected are wrong.", lambda p: p.expected < 0),
    ("Just the entries where a positive number is expected are wrong.", lambda p: p.expected > 0),
    (
        "You have a number other than 0 in places where 0 is expected; all other entries are right.",
        lambda p: p.wrong & (p.expected == 0),
    ),
)


def counted_sentence(pairs: Sequence[Pair]) -> str:
    """How many entries of the first wrong case differ, which, if they are few, and whether all go one way."""
    wrong = [pair for pair in pairs if pair.wrong.any()]
    at = wrong[0].wrong.nonzero().tolist()
    total = wrong[0].wrong.numel()
    ways = [
        way
        for way, apart in (("large", torch.gt), ("small", torch.lt))
        if all(bool(apart(p.seen, p.expected)[p.wrong].all()) for p in wrong)
    ]
    too = f"too {ways[0]}" if ways else ""
    if total == 1:
        return f"It is {too} in every case." if too and len(wrong) > 1 else ""
    if len(at) == total:
        return f"All {total} entries differ{f', all {too}' if too else ''}."
    lines = [
        d
        for d, size in enumerate(wrong[0].wrong.shape)
        if size > 1 and len({index[d] for index in at}) == 1
    ]
    which = ""
    if len(at) <= 3:
        which = ", at " + ", ".join(map(str, at))
    elif lines and wrong[0].wrong.ndim > 1:
        which = f", all with index {at[0][lines[0]]} on axis {lines[0]}"
    return f"{len(at)} of {total} entries differ{which}{f', {too}' if too else ''}; the others are right."
