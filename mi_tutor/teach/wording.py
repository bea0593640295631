"""How values are put into words: short, the same everywhere."""

from __future__ import annotations

from typing import Any

import torch


def number(value: Any) -> str:
    """A number with four significant digits."""
    return f"{float(value):.4g}"


def where(path: str) -> str:
    """How a sentence about part of a result begins. Summaries have names in words ("how often ...")."""
    if " " in path:
        return f"In your result, “{path}” "
    return f"`{path}` of your result " if path else "Your result "


def describe_kind(value: Any) -> str:
    """What kind of thing a value is: "a tensor of shape [3, 4]", "a tuple of 2", "None"."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {list(value.shape)}"
    if value is None:
        return "None"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, dict):
        return "a dict with " + (", ".join(f"`{key}`" for key in value) or "nothing in it")
    name = getattr(value, "type_name", type(value).__name__)
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def describe(value: Any, shown: int = 6) -> str:
    """A value in one line: its first numbers, and for tensors the shape and dtype."""
    if isinstance(value, torch.Tensor):
        flat = value.flatten()
        head = ", ".join(_entry(entry) for entry in flat[:shown])
        more = ", …" if flat.numel() > shown else ""
        dtype = str(value.dtype).removeprefix("torch.")
        if value.ndim == 0:
            return f"{head}  (a scalar, {dtype})"
        return f"[{head}{more}]  (shape {list(value.shape)}, {dtype})"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list | tuple):
        head = ", ".join(describe(item, 3) for item in value[:3])
        return f"({head}{', …' if len(value) > 3 else ''})"
    text = repr(value) if not hasattr(value, "type_name") else describe_kind(value)
    return text if len(text) <= 120 else text[:117] + "…"


def _entry(entry: torch.Tensor) -> str:
    return number(entry) if entry.is_floating_point() else str(entry.item())
