"""From what a notebook has (tensors, arrays, lists) to what a figure needs, and clear refusals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def to_numpy(values: Any) -> np.ndarray:
    """A float64 array from a tensor on any device, an array, or nested lists.

    >>> to_numpy([[1, 2]])
    array([[1., 2.]])
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu().double().numpy()
    return np.asarray(values, dtype=float)


def array(name: str, values: Any, axes: str, *, finite: bool = True) -> np.ndarray:
    """`values` as an array with the named axes, or a ValueError that says what was seen.

    Args:
        name: what the caller calls it, for the message.
        values: tensor, array or lists.
        axes: names of the axes. A first axis in brackets may be missing and is then added with
            length 1; an axis "name=2" must have that length.
        finite: whether NaN and infinity are refused.

    >>> array("W", [[1.0, -1.0]], "[instance] hidden feature").shape
    (1, 1, 2)
    >>> array("W", [1.0, -1.0], "[instance] hidden feature")
    Traceback (most recent call last):
    ValueError: W should have the axes [instance] hidden feature; saw shape (2,).
    """
    try:
        if values is None:
            raise TypeError
        found = to_numpy(values)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} should be a tensor or an array of numbers with the axes {axes}; "
            f"saw {type(values).__name__}."
        ) from error
    wanted = axes.split()
    if wanted and wanted[0].startswith("[") and found.ndim == len(wanted) - 1:
        found = found[None]
    fixed = {i: int(a.partition("=")[2].rstrip("]")) for i, a in enumerate(wanted) if "=" in a}
    if found.ndim != len(wanted) or any(found.shape[i] != size for i, size in fixed.items()):
        raise ValueError(
            f"{name} should have the axes {axes}; saw shape {tuple(np.shape(to_numpy(values)))}."
        )
    if found.size == 0:
        raise ValueError(f"{name} is empty: its shape is {found.shape}.")
    if finite and not np.isfinite(found).all():
        bad = np.argwhere(~np.isfinite(found))
        raise ValueError(
            f"{name} has {len(bad)} value(s) that are NaN or infinite, the first at index "
            f"{tuple(int(i) for i in bad[0])}. A diverged training run does that: try a smaller "
            f"learning rate."
        )
    return found


def same_length(name: str, found: Sequence[Any], other: str, expected: int) -> None:
    """Refuse a list that does not have one entry per thing of another argument.

    >>> same_length("titles", ["a"], "instances of W", 2)
    Traceback (most recent call last):
    ValueError: titles needs one entry for each of the 2 instances of W; saw 1.
    """
    if len(found) != expected:
        raise ValueError(
            f"{name} needs one entry for each of the {expected} {other}; saw {len(found)}."
        )


def plain(values: Any) -> list[Any]:
    """Numbers for the stored figure: lists, six significant digits, None for NaN.

    Lists and not arrays: plotly writes arrays as base64, which nobody can read in a notebook's
    source and which older viewers cannot draw.

    >>> plain(np.array([[1 / 3, 2.0], [float("nan"), 1e-9]]))
    [[0.333333, 2.0], [None, 1e-09]]
    """
    if isinstance(values, np.ndarray | list | tuple):
        return [plain(value) for value in values]
    if isinstance(values, str) or values is None:
        return values
    return None if np.isnan(values) else float(f"{values:.6g}")
