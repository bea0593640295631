"""Forms that a right result may have: what means the same, and what a check therefore accepts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor


def changed(
    value: Any, of_tensor: Callable[[Tensor], Any], sequence: Callable = lambda v: v
) -> Any:
    """A result with each of its tensors in another form, and its tuples or lists too."""
    if isinstance(value, Tensor):
        return of_tensor(value)
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return sequence(type(value)(changed(part, of_tensor, sequence) for part in value))
    return value


def _double(x: Tensor) -> Tensor:
    return x.double() if x.is_floating_point() else x


def _on_a_graph(x: Tensor) -> Tensor:
    if x.requires_grad or not x.is_floating_point():
        return x
    return x.detach().clone().requires_grad_()


def _python(x: Tensor) -> Any:
    return x.item() if x.ndim == 0 and not x.requires_grad else x


def _other(value: list | tuple) -> list | tuple:
    return list(value) if isinstance(value, tuple) else value


FORMS: dict[str, Callable[[Any], Any]] = {
    "in double precision": lambda value: changed(value, _double),
    "on a graph": lambda value: changed(value, _on_a_graph),
    "as Python's numbers, in lists": lambda value: changed(value, _python, _other),
}
