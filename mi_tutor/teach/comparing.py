"""Comparing two plain values: kind and shape, then dtype, then finiteness, then value."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from mi_tutor.teach.exercise import Tolerance
from mi_tutor.teach.outcome import Odd
from mi_tutor.teach.wording import describe, describe_kind, number, where


class Finding(NamedTuple):
    """One thing that is wrong. `advice` is what to try; the rest may be empty.

    `about` names the quantity that `seen` and `expected` are values of, where that is not the result itself.
    """

    kind: str
    advice: str
    seen: str = ""
    expected: str = ""
    about: str = ""


def difference(
    seen: Any,
    expected: Any,
    tolerance: Tolerance | Mapping[str, Tolerance],
    *,
    dtype: str = "enough",
    path: str = "",
) -> Finding | None:
    """The first difference between two plain values, or None if they agree within the tolerance."""
    if isinstance(expected, dict):
        return _dict_difference(seen, expected, tolerance, dtype, path)
    if isinstance(expected, list | tuple):
        return _sequence_difference(seen, expected, tolerance, dtype, path)
    if isinstance(expected, torch.Tensor | int | float) and not isinstance(expected, bool):
        assert isinstance(tolerance, Tolerance), (
            "a dict of tolerances goes with a view that is a dict"
        )
        return _number_difference(seen, expected, tolerance, dtype, path)
    seen = _as_truth(seen) if isinstance(expected, bool) else seen
    if type(seen) is not type(expected):
        return _kind_finding(seen, expected, path)
    if seen == expected:
        return None
    advice = f"{where(path)}is not the expected one."
    if (
        isinstance(expected, bool) and " " in path
    ):  # a statement about the result, by our own convention
        advice = (
            f"{'Not so' if expected else 'So'} in your result: {path.removeprefix('whether ')}."
        )
    return Finding("value", advice, describe(seen), describe(expected))


def _as_truth(value: Any) -> Any:
    """True and False from what stands for them: 1 and 0, and tensors of one of these."""
    if isinstance(value, torch.Tensor) and value.ndim == 0 and not value.is_complex():
        value = value.item()
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else value


def _dict_difference(
    seen: Any, expected: dict, tolerance: Any, dtype: str, path: str
) -> Finding | None:
    if not isinstance(seen, dict):
        return _kind_finding(seen, expected, path)
    # What both have is compared first: a summary leaves out what makes no sense after an earlier difference.
    for key in [key for key in expected if key in seen]:
        within = tolerance.get(key, Tolerance()) if isinstance(tolerance, Mapping) else tolerance
        found = difference(seen[key], expected[key], within, dtype=dtype, path=f"{path}{key}")
        if found is not None:
            return found if found.about else found._replace(about=key)
    return None if set(seen) == set(expected) else _kind_finding(seen, expected, path)


def _sequence_difference(
    seen: Any, expected: list | tuple, tolerance: Any, dtype: str, path: str
) -> Finding | None:
    if isinstance(seen, torch.Tensor) and seen.ndim > 0 and len(seen) == len(expected):
        seen = tuple(seen)  # stacked along the first axis
    if not isinstance(seen, list | tuple):
        return _kind_finding(seen, expected, path)
    if len(seen) != len(expected):
        if isinstance(expected, list) and _only_numbers(seen) and _only_numbers(expected):
            return Finding(
                "shape", f"{where(path)}has the wrong length.", _length(seen), _length(expected)
            )
        return _kind_finding(seen, expected, path)
    for index, (left, right) in enumerate(zip(seen, expected, strict=True)):
        found = difference(left, right, tolerance, dtype=dtype, path=f"{path}[{index}]")
        if found is not None:
            return found
    return None


def _only_numbers(values: list | tuple) -> bool:
    return all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)


def _length(values: list | tuple) -> str:
    return f"{len(values)} numbers" if len(values) != 1 else "1 number"


def _number_difference(
    seen: Any,
    expected: torch.Tensor | int | float,
    tolerance: Tolerance,
    dtype: str,
    path: str,
) -> Finding | None:
    """Shape, then dtype, then finiteness, then value."""
    if isinstance(expected, torch.Tensor) and isinstance(seen, list | tuple):
        seen = _stacked(seen)  # a list of numbers is as good as a tensor of them
    if isinstance(seen, bool) or not isinstance(seen, torch.Tensor | int | float | complex):
        return _kind_finding(seen, expected, path)
    is_tensor = isinstance(seen, torch.Tensor)
    left, right = torch.as_tensor(seen), torch.as_tensor(expected)
    shapes = {"seen": f"shape {list(left.shape)}", "expected": f"shape {list(right.shape)}"}
    if left.shape != right.shape:
        return Finding("shape", f"{where(path)}has the wrong shape.", **shapes)
    if not _right_dtype(left, right, dtype, is_tensor, isinstance(expected, torch.Tensor)):
        names = [str(each.dtype).removeprefix("torch.") for each in (left, right)]
        advice = (
            f"{where(path)}has dtype {names[0]}, and {names[1]} is expected. Did a conversion slip in, "
            "or a tensor made without `dtype=`?"
        )
        return Finding("dtype", advice, str(left.dtype), str(right.dtype))
    left, right = left.double(), right.double()
    if not torch.equal(left.isfinite(), right.isfinite()):
        return Finding(
            "finite", _finite_advice(left, right, path), describe(seen), describe(expected)
        )
    finite = right.isfinite()
    error = (left - right)[finite].abs()
    allowed = tolerance.rtol * (right[finite].abs().max() if finite.any() else 0.0) + tolerance.atol
    if error.numel() == 0 or bool((error <= allowed).all()):
        return None
    if right.numel() > 1 and not torch.as_tensor(expected).is_floating_point():
        size = f"{int((error > allowed).sum())} of its {right.numel()} entries differ"
    else:
        worst = int((left - right).abs().nan_to_num(0.0).argmax())
        pair = f"{left.flatten()[worst]:.6g} in place of {right.flatten()[worst]:.6g}"
        size = f"off by up to {number(error.max())} ({pair})"
    advice = f"{where(path)}has the right shape and the wrong values: {size}."
    return Finding("value", advice, describe(seen), describe(expected))


def _finite_advice(left: torch.Tensor, right: torch.Tensor, path: str) -> str:
    """Where numbers are expected and are none, or the other way round."""
    too_many = int((~left.isfinite() & right.isfinite()).sum())
    too_few = int((left.isfinite() & ~right.isfinite()).sum())
    of = f" of {left.numel()}" if left.numel() > 1 else ""
    said = []
    if too_many:
        said.append(
            f"is NaN or infinite at {too_many}{of} places where a number is expected. Is something divided "
            "by zero, or its logarithm taken?"
        )
    if too_few:
        kind = "NaN" if bool(right.isnan().any()) else "infinity"
        said.append(f"has a number at {too_few}{of} places where {kind} is expected.")
    return where(path) + " It ".join(said)


def _right_dtype(
    seen: torch.Tensor, expected: torch.Tensor, dtype: str, is_tensor: bool, both: bool
) -> bool:
    """Numbers of the expected kind, and precise enough. Python's numbers have no dtype of their own."""
    if seen.is_complex():
        return False
    if is_tensor and seen.is_floating_point() != expected.is_floating_point():
        return False
    if not (is_tensor and both and expected.is_floating_point()) or dtype == "any":
        return True
    if dtype == "exact":
        return seen.dtype == expected.dtype
    return torch.finfo(seen.dtype).eps <= torch.finfo(expected.dtype).eps


def _stacked(values: list | tuple) -> Any:
    """Numbers, or tensors of one number, as one tensor; the list itself if it holds anything else."""
    if values and all(isinstance(v, bool) for v in values):
        return torch.tensor(values)
    if not values or not all(
        isinstance(v, torch.Tensor | int | float) and v is not True for v in values
    ):
        return values
    if any(isinstance(value, float) for value in values):  # Python's numbers are precise
        values = [torch.as_tensor(value, dtype=torch.float64) for value in values]
    tensors = [torch.as_tensor(value) for value in values]
    single = all(t.ndim == 0 and t.dtype == tensors[0].dtype for t in tensors)
    return torch.stack(tensors) if single else values


def _kind_finding(seen: Any, expected: Any, path: str) -> Finding:
    advice = f"{where(path)}is {describe_kind(seen)}. {_joined_advice(seen, expected) or kind_advice(seen)}"
    return Finding("kind", advice.strip(), seen=describe(seen), expected=describe_kind(expected))


def _joined_advice(seen: Any, expected: Any) -> str:
    """What makes one tensor of several, where one is expected."""
    several = isinstance(seen, list | tuple) and len(seen) > 0
    if not isinstance(expected, torch.Tensor) or not several:
        return ""
    if not all(isinstance(each, torch.Tensor) for each in seen):
        return ""
    for name, join in (("stack", torch.stack), ("cat", torch.cat)):
        with contextlib.suppress(RuntimeError):  # of other shapes
            if join(list(seen)).shape == expected.shape:
                return f"One tensor is expected; `torch.{name}` makes it of these."
    return f"One tensor of shape {list(expected.shape)} is expected."


def blank_advice(seen: Any) -> str:
    """What to say to somebody who left the dots where the answer goes."""
    dots = seen is Ellipsis or seen == Odd("ellipsis")
    return "Put your answer in place of the dots." if dots else ""


def kind_advice(seen: Any) -> str:
    """What to say to somebody whose function returned the wrong kind of thing."""
    if seen is None:
        return "(A function that ends without `return` hands back None.)"
    if isinstance(seen, Odd) and seen.type_name in {"generator", "coroutine"}:
        return "A function with `yield` or `async` hands back a promise, not a value: use `return`."
    if isinstance(seen, Odd) and seen.type_name == "ellipsis":
        return "Put your answer in place of the dots."
    return ""
