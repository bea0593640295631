"""What a value that was handed in means: however its numbers, words and keys are written."""

from __future__ import annotations

from typing import Any

import torch


def meant(value: Any, expected: Any) -> Any:
    """A value in the form of the expected one, where it means such a one; else as it is."""
    return _like(_numbers(value), expected)


def _numbers(value: Any) -> Any:
    """Small tensors as plain numbers and lists of them: (tensor(1), 0) and tensor([1, 0]) are (1, 0)."""
    if isinstance(value, torch.Tensor) and value.numel() <= 1000:
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    return value


def _like(value: Any, expected: Any) -> Any:
    """An answer as it was meant: 1 and 0 for True and False, a word without spaces around it, 2.0 for 2."""
    if isinstance(expected, dict) and isinstance(value, dict):
        right = {_word(key): key for key in expected}
        named = {right.get(_word(key), key): item for key, item in value.items()}
        return {key: _like(item, expected.get(key)) for key, item in named.items()}
    if isinstance(expected, list | tuple) and isinstance(value, list | tuple):
        if len(value) != len(expected):
            return value
        return [_like(item, wanted) for item, wanted in zip(value, expected, strict=True)]
    if isinstance(expected, bool) and isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if type(expected) is int and type(value) is float and value.is_integer():
        return int(value)
    if isinstance(value, str) and isinstance(expected, str):
        # Words of one case are meant whatever case they are written in.
        in_case = {expected.lower(): str.lower, expected.upper(): str.upper}.get(expected, str)
        return in_case(value.strip())
    return value


def _word(key: str) -> str:
    """A key of a dict whatever its case, its spaces and its underscores."""
    return key.strip().lower().replace("_", " ").replace("-", " ")


def keys_advice(seen: Any, expected: Any) -> str:
    """Which keys of a dict are missing, and which are none of it."""
    if not isinstance(seen, dict) or not isinstance(expected, dict):
        return ""
    missing = ", ".join(f'"{key}"' for key in expected if key not in seen)
    wrong = ", ".join(f'"{key}"' for key in seen if key not in expected)
    said = f" Missing: {missing}." if missing else ""
    said += f" Not among the keys: {wrong}." if wrong else ""
    inner = (keys_advice(seen[key], expected[key]) for key in expected if key in seen)
    return said + "".join(inner)
