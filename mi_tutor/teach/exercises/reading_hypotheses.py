"""Reading hypotheses: plain data into what an investigation asked for, or one exact sentence about what it is not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from mi_tutor.teach.investigation import Unreadable
from mi_tutor.teach.wording import describe_kind


def entries(value: Any, keys: Sequence[str]) -> dict[str, Any]:
    """A dict with just these keys; a key in other letters or with spaces around it is the same key.

    >>> entries({" Head": 1}, ["head"])
    {'head': 1}
    """
    if not isinstance(value, dict):
        raise Unreadable(f"This is {describe_kind(value)}, and not a dict.")
    found = {str(key).strip().lower(): entry for key, entry in value.items()}
    lacking = [key for key in keys if key not in found]
    unknown = [key for key in found if key not in keys]
    if lacking:
        more = f" It has {_quoted(unknown)}, which nobody asked for." if unknown else ""
        raise Unreadable(f"It has no {_quoted(lacking)}.{more}")
    return {key: found[key] for key in keys}


def share(value: Any, name: str) -> float:
    """A number between 0 and 1.

    >>> share(torch.tensor(0.5), "follows")
    0.5
    """
    found = number(value, name)
    if not 0 <= found <= 1:
        hint = " Percent? 90 % is 0.9." if 1 < found <= 100 else ""
        raise Unreadable(f"“{name}” is a share between 0 and 1; this is {found:g}.{hint}")
    return found


def number(value: Any, name: str) -> float:
    """A finite number: also a tensor of one, or True and False as 1 and 0."""
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        value = value.item()
    if not isinstance(value, bool | int | float) or not math.isfinite(value):
        raise Unreadable(f"“{name}” is a number; this is {_shown(value)}.")
    return float(value)


def whole(value: Any, name: str, end: int) -> int:
    """A whole number from 0 up to, and without, `end`."""
    found = number(value, name)
    if found != int(found) or not 0 <= found < end:
        raise Unreadable(f"“{name}” is one of 0 to {end - 1}; this is {found:g}.")
    return int(found)


def listed(value: Any, name: str, length: int | None = None) -> list[Any]:
    """A list, a tuple or a tensor with one axis, of a length if that is given."""
    if isinstance(value, torch.Tensor) and value.ndim == 1:
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise Unreadable(f"“{name}” is a list; this is {_shown(value)}.")
    if length is not None and len(value) != length:
        raise Unreadable(f"“{name}” has {len(value)} entries; {length} are asked for.")
    return list(value)


def head(value: Any, name: str, n_layers: int, n_heads: int) -> tuple[int, int]:
    """A head as (layer, head), or as the text "2.3".

    >>> head("2.3", "head", 5, 4), head([2, 3], "head", 5, 4)
    ((2, 3), (2, 3))
    """
    if isinstance(value, str) and value.strip().count(".") == 1:
        value = [int(part) if part.strip().isdigit() else part for part in value.split(".")]
    layer, number_ = listed(value, name, 2)
    return whole(layer, f"{name}: layer", n_layers), whole(number_, f"{name}: head", n_heads)


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f"“{word}”" for word in words[:5]) + (", …" if len(words) > 5 else "")


def _shown(value: Any) -> str:
    return f"“{value:.40}”" if isinstance(value, str) else describe_kind(value)
