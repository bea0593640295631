"""Charts in words: what a heat map, curves or points show, with their main numbers."""

from __future__ import annotations

import numpy as np

from mi_tutor.show.drawing.words import listing, number

CELLS_IN_WORDS, ROWS_IN_WORDS = 48, 12


def count(n: int, thing: str) -> str:
    """ "1 curve", "2 curves"."""
    return f"{n} {thing}" + ("" if n == 1 else "s")


def of(n: int, thing: str, what: str) -> str:
    """How many rows or columns, and of what."""
    return count(n, thing) + (f" ({what})" if what else "")


def course(name: str, y: np.ndarray) -> str:
    """Where a curve begins and ends, and what lies beyond both."""
    seen = y[np.isfinite(y)]
    if not len(seen):
        return f"{name} has no values."
    text = f"{name} goes from {number(seen[0])} to {number(seen[-1])}"
    low, high = float(seen.min()), float(seen.max())
    if low < min(seen[0], seen[-1]):
        text += f", lowest {number(low)}"
    if high > max(seen[0], seen[-1]):
        text += f", highest {number(high)}"
    return text + "."


def extremes(matrix: np.ndarray, x: list[str], y: list[str]) -> str:
    """The largest, the smallest and the mean of a matrix."""
    if not np.isfinite(matrix).any():
        return "No cell has a value."
    low = np.unravel_index(np.nanargmin(matrix), matrix.shape)
    high = np.unravel_index(np.nanargmax(matrix), matrix.shape)
    return (
        f"The largest value is {number(matrix[high])} (row {y[high[0]]}, column {x[high[1]]}), the "
        f"smallest {number(matrix[low])} (row {y[low[0]]}, column {x[low[1]]}), the mean "
        f"{number(float(np.nanmean(matrix)))}."
    )


def by_row(matrix: np.ndarray, x: list[str], y: list[str]) -> str:
    """Every number of a small matrix, and of each row of a larger one where it is largest."""
    if matrix.size == 1 or len(y) > ROWS_IN_WORDS:
        return ""
    if matrix.size <= CELLS_IN_WORDS:
        rows = [
            f"{label}: {', '.join(number(v, 2) for v in row)}"
            for label, row in zip(y, matrix, strict=True)
        ]
        return f" Row by row (columns {', '.join(x)}): {'; '.join(rows)}."
    seen = [(label, row) for label, row in zip(y, matrix, strict=True) if np.isfinite(row).any()]
    largest = [
        f"{label}: {number(row[np.nanargmax(row)], 2)} at {x[np.nanargmax(row)]}"
        for label, row in seen
    ]
    return f" The largest of each row: {'; '.join(largest)}."


def group_words(names: list[str], kinds: list[str]) -> str:
    """How many points each group has, if there are several."""
    if len(kinds) == 1:
        return ""
    counts = listing([f"{names.count(kind)} {kind}" for kind in kinds], limit=6)
    return f" in {len(kinds)} groups ({counts})"


def correlation(x: np.ndarray, y: np.ndarray) -> str:
    """The correlation of points that have one."""
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return ""
    return f"; their correlation is {number(float(np.corrcoef(x, y)[0, 1]), 2)}"
