"""Marks of investigations: from a measured value to a share of the score."""

from __future__ import annotations


def ramp(value: float, nothing: float, everything: float) -> float:
    """0 at `nothing` and beyond, 1 at `everything` and beyond, a straight line between; either may be the larger.

    >>> ramp(0.75, nothing=0.5, everything=1.0), ramp(0.3, nothing=0.2, everything=0.1)
    (0.5, 0.0)
    """
    return min(1.0, max(0.0, (value - nothing) / (everything - nothing)))
