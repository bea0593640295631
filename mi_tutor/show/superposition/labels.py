"""Where the numbers of arrows stand, so that none lies on an arrow or on another number."""

from __future__ import annotations

import numpy as np

_AWAY = 14  # pixels from an arrow's tip to the middle of its number
_TURNS = (0, 20, -20, 40, -40, 65, -65, 95, -95)  # degrees tried around the tip
_CLEAR = 11  # pixels to the nearest arrow that count as far enough


def arrow_labels(
    W: np.ndarray, shortest: float, pixels_per_unit: float
) -> list[tuple[float, float, str]]:
    """(x, y, text) for the arrows from the origin to the columns of W [2 feature].

    A number stands beyond its tip, turned aside if another arrow passes there. Arrows whose tips
    nearly coincide share one text; arrows shorter than `shortest` get none.

    >>> arrow_labels(np.array([[1.0], [0.0]]), shortest=0.1, pixels_per_unit=70.0)
    [(1.2, 0.0, '0')]
    """
    tips = W * pixels_per_unit
    groups: list[list[int]] = []
    for i in np.flatnonzero(np.hypot(*W) >= shortest):
        near = [g for g in groups if np.hypot(*(tips[:, i] - tips[:, g[0]])) < 12]
        if near:
            near[0].append(int(i))
        else:
            groups.append([int(i)])
    spots: dict[int, np.ndarray] = {}
    for group in sorted(groups, key=lambda group: -np.hypot(*tips[:, group[0]])):
        spots[group[0]] = _spot(tips, group[0], len(_text(group)), list(spots.values()))
    at = {first: np.round(spot / pixels_per_unit, 6).tolist() for first, spot in spots.items()}
    return [(*at[group[0]], _text(group)) for group in groups]


def _text(group: list[int]) -> str:
    return ", ".join(map(str, group))


def _spot(tips: np.ndarray, which: int, n_letters: int, placed: list[np.ndarray]) -> np.ndarray:
    """The first place around the tip that is clear of arrows and numbers, else the clearest."""
    tip = tips[:, which]
    outwards = np.arctan2(tip[1], tip[0])
    best, best_clearance = tip, -1.0
    for turn in np.radians(_TURNS):
        angle = outwards + turn
        away = _AWAY + 3.6 * (n_letters - 1) * abs(np.cos(angle))  # longer text, farther out
        spot = tip + away * np.array([np.cos(angle), np.sin(angle)])
        clearance = min(
            [_distance_to_arrow(spot, tips[:, j]) for j in range(tips.shape[1])]
            + [0.7 * float(np.hypot(*(spot - other))) for other in placed]
        )
        if clearance >= _CLEAR:
            return spot
        if clearance > best_clearance:
            best, best_clearance = spot, clearance
    return best


def _distance_to_arrow(spot: np.ndarray, tip: np.ndarray) -> float:
    """Pixels from a point to the segment from the origin to `tip`."""
    length_sq = float(tip @ tip)
    along = 0.0 if length_sq == 0 else float(np.clip(spot @ tip / length_sq, 0, 1))
    return float(np.hypot(*(spot - along * tip)))
