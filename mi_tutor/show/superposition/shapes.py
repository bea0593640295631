"""The shape that features make in the plane, in words."""

from __future__ import annotations

import numpy as np

REPRESENTED = 0.5  # a feature's least length to count as represented, as in lab's feature_fates
_NAMES = {3: "a triangle", 4: "a square (two antipodal pairs)", 5: "a pentagon", 6: "a hexagon",
          7: "a heptagon", 8: "an octagon"}  # fmt: skip


def lengths(W: np.ndarray) -> np.ndarray:
    """|W_i| for each feature: W is [... hidden feature]."""
    return np.sqrt((W**2).sum(axis=-2))


def directions(W: np.ndarray) -> np.ndarray:
    """Angle of each feature in degrees, from 0 to 360; W is [... 2 feature].

    >>> directions(np.array([[1.0, 0.0, -1.0], [0.0, 2.0, 0.0]]))
    array([  0.,  90., 180.])
    """
    return np.degrees(np.arctan2(W[..., 1, :], W[..., 0, :])) % 360


def plane_shape(W: np.ndarray, tolerance: float = 12.0) -> str:
    """Name the arrangement of the represented features of one model, W [2 feature].

    A regular polygon is named when every gap between neighbouring directions is within `tolerance`
    degrees of 360/n.

    >>> plane_shape(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 0.1]]))
    'an antipodal pair'
    >>> angle = 2 * np.pi * np.arange(5) / 5
    >>> plane_shape(np.stack([np.cos(angle), np.sin(angle)]))
    'a pentagon'
    """
    angles = np.sort(directions(W[:, lengths(W) >= REPRESENTED]))
    n = len(angles)
    if n < 2:
        return "nothing" if n == 0 else "one direction of its own"
    gaps = np.diff(np.append(angles, angles[0] + 360))
    if n == 2:
        gap = min(gaps)
        if gap > 180 - tolerance:
            return "an antipodal pair"
        return "two features at right angles" if abs(gap - 90) < tolerance else "two directions"
    if np.abs(gaps - 360 / n).max() < tolerance:
        return _NAMES.get(n, f"a regular polygon of {n}")
    if n == 3 and np.abs(np.sort(gaps) - [90, 90, 180]).max() < tolerance:
        return "an antipodal pair and one feature at right angles to it"
    return f"{n} directions without a regular shape"
