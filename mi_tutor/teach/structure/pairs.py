"""What was seen and what was expected, number by number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.teach.exercise import Tolerance

SMALL_REST = 0.02  # of an error is left by what explains it


class Pair(NamedTuple):
    """What was seen and what was expected in one case, in float64, and how far apart they may be."""

    seen: Tensor
    expected: Tensor
    tolerance: Tolerance

    def fits(self, made: Tensor) -> bool:
        """Whether what was seen is `made`: within the tolerance, and with hardly anything of the error left."""
        if made.shape != self.seen.shape or bool(apart(self.seen, made, self.tolerance).any()):
            return False
        if self.seen.shape != self.expected.shape or not self.wrong.any():
            return True
        rest, error = (_largest(self.seen - other) for other in (made, self.expected))
        return rest <= SMALL_REST * error

    @property
    def wrong(self) -> Tensor:
        """Which entries are wrong."""
        return apart(self.seen, self.expected, self.tolerance)


def _largest(values: Tensor) -> float:
    finite = values[values.isfinite()]
    return float(finite.abs().max()) if finite.numel() else 0.0


def varied(values: Tensor) -> bool:
    """Whether numbers differ so much that a function of them could be told from a constant."""
    finite = values[values.isfinite()]
    return bool(finite.numel()) and float(finite.max() - finite.min()) > 0.1 * _largest(finite)


def apart(left: Tensor, right: Tensor, tolerance: Tolerance) -> Tensor:
    """Where two tensors differ; NaN and infinity are equal to themselves."""
    finite = right[right.isfinite()]
    allowed = tolerance.rtol * (finite.abs().max() if finite.numel() else 0.0) + tolerance.atol
    same = (left == right) | (left.isnan() & right.isnan())
    return ~(same | ((left - right).abs() <= allowed))


def leaves(value: Any, path: str = "", like: Any = None) -> dict[str, Any]:
    """The numbers and tensors in a nested value, by path, as `comparing.difference` names them.

    A list of numbers is one row of them, and so is a tuple where `like`, the expected value, has a list.
    """
    like = value if like is None else like
    if isinstance(value, dict):
        found = [leaves(item, f"{path}{key}", _part(like, key)) for key, item in value.items()]
    elif isinstance(value, list | tuple) and isinstance(like, list) and _are_numbers(value):
        return {path: torch.tensor([float(each) for each in value], dtype=torch.float64)}
    elif isinstance(value, list | tuple):
        found = [leaves(item, f"{path}[{i}]", _part(like, i)) for i, item in enumerate(value)]
    else:
        numeric = isinstance(value, Tensor | int | float) and not isinstance(value, bool)
        return {path: torch.as_tensor(value)} if numeric else {}
    return {key: leaf for part in found for key, leaf in part.items()}


def _part(value: Any, key: Any) -> Any:
    """A part of a nested value, or None."""
    if isinstance(value, dict):
        return value.get(key)
    return value[key] if isinstance(value, list | tuple) and key < len(value) else None


def _are_numbers(values: list | tuple) -> bool:
    return all(
        (isinstance(each, int | float) and not isinstance(each, bool))
        or (isinstance(each, Tensor) and each.ndim == 0 and not each.is_complex())
        for each in values
    )


def pairs_at(path: str, seen: Sequence, expected: Sequence, tolerance: Any) -> Iterator[Pair]:
    for left, right in zip(seen, expected, strict=True):
        wanted, got = leaves(right), leaves(left, like=right)
        if len(wanted) == 1 and "" in wanted and "" not in got and isinstance(left, list | tuple):
            got = _as_one(left)
        both = [each[path] for each in (wanted, got) if path in each]
        if len(both) == 2 and not any(each.is_complex() for each in both):
            within = tolerance
            if isinstance(tolerance, Mapping):
                within = tolerance.get(path.split("[")[0], Tolerance())
            yield Pair(got[path].double(), wanted[path].double(), within)


def _as_one(values: list | tuple) -> dict[str, Tensor]:
    """A list of numbers, or of rows of them, as the tensor it stands for."""
    try:
        return {"": torch.stack([torch.as_tensor(value).double() for value in values])}
    except (TypeError, ValueError, RuntimeError):
        return {}
