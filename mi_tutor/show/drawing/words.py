"""Numbers and lists as a sentence needs them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def number(value: float, digits: int = 3) -> str:
    """A number to `digits` significant digits, with a real minus sign and "n/a" for NaN.

    >>> number(-0.12345), number(1234567.0), number(2.0), number(float("nan"))
    ('−0.123', '1.23e+06', '2', 'n/a')
    >>> number(99.96), number(0.00001)
    ('100', '1e−5')
    """
    if np.isnan(value):
        return "n/a"
    rounded = float(f"{value:.{digits}g}")
    plain = rounded == 0 or 1e-4 <= abs(rounded) < 1e6
    text = f"{rounded:.12g}" if plain else f"{rounded:.{digits}g}"
    return text.replace("-", "−").replace("e−0", "e−")


def listing(items: Iterable[object], limit: int = 12) -> str:
    """Items with commas and "and"; a long list is cut and says how many follow.

    >>> listing([1, 2, 3]), listing(range(9), limit=2), listing([])
    ('1, 2 and 3', '0, 1 and 7 more', 'none')
    """
    texts = [str(item) for item in items]
    if not texts:
        return "none"
    if len(texts) > limit:
        texts = [*texts[:limit], f"{len(texts) - limit} more"]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def span(values: np.ndarray, digits: int = 2) -> str:
    """ "from a to b", or the one value when both look the same.

    >>> span(np.array([0.5, 0.25])), span(np.array([0.4, 0.4001]))
    ('from 0.25 to 0.5', '0.4')
    """
    low, high = number(float(np.min(values)), digits), number(float(np.max(values)), digits)
    return low if low == high else f"from {low} to {high}"
