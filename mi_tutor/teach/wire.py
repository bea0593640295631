"""Plain values and outcomes as bytes, and back: JSON for the structure, safetensors for the numbers.

What comes in may have been written by anybody. Reading it makes tensors, numbers, words, lists and dicts,
runs nothing and holds to limits; whatever does not fit raises `Garbled`. Never a pickle.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from mi_tutor.teach.outcome import MAX_DEPTH, MAX_ELEMENTS, Failure, Odd, Outcome

MAX_TEXT = 4_000_000  # bytes of JSON
MAX_BYTES = 2**28  # of everything
MAX_ITEMS = 200_000
MAX_NUMBERS = 2 * MAX_ELEMENTS  # in all tensors together
_LENGTH = struct.Struct(">I")


class Garbled(ValueError):
    """These bytes are not what was asked for, or too many."""


def to_bytes(value: Any) -> bytes:
    """A plain value (`outcome.plain`), which may hold outcomes, as bytes.

    >>> to_bytes((1, None)) == to_bytes([1, None])
    False
    """
    tensors: dict[str, torch.Tensor] = {}
    text = json.dumps(_written(value, tensors)).encode()
    return _LENGTH.pack(len(text)) + text + save(tensors)


def from_bytes(data: bytes) -> Any:
    """The value that was written.

    Raises:
        Garbled: too long, too deep, too many, or not written by `to_bytes`.

    >>> from_bytes(to_bytes({"a": (torch.tensor([1.0, 2.0]), "words")}))
    {'a': (tensor([1., 2.]), 'words')}
    """
    if not _LENGTH.size <= len(data) <= MAX_BYTES:
        raise Garbled(f"{len(data)} bytes")
    (length,) = _LENGTH.unpack_from(data)
    end = _LENGTH.size + length
    if length > MAX_TEXT or end > len(data):
        raise Garbled(f"{length} bytes of text")
    try:
        tensors = load(bytes(data[end:]))
        written = json.loads(data[_LENGTH.size : end])
        if sum(tensor.numel() for tensor in tensors.values()) > MAX_NUMBERS:
            raise Garbled("too many numbers")
        return _Reader(tensors).value(written, 0)
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Garbled(str(error)) from None
    except (RuntimeError, RecursionError, MemoryError) as error:
        raise Garbled(type(error).__name__) from None


def _written(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """A list [kind, content], except for what JSON has itself."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, torch.Tensor):
        name = str(len(tensors))
        is_complex = value.is_complex()
        real = torch.view_as_real(value.resolve_conj()) if is_complex else value
        tensors[name] = real.resolve_neg().contiguous().clone()
        return ["complex tensor" if is_complex else "tensor", name]
    if isinstance(value, complex):
        return ["complex", [value.real, value.imag]]
    if isinstance(value, list | tuple):
        return [type(value).__name__, [_written(item, tensors) for item in value]]
    if isinstance(value, dict):
        return ["dict", [[key, _written(item, tensors)] for key, item in value.items()]]
    if isinstance(value, Odd):
        return ["odd", value.type_name]
    if isinstance(value, Failure):
        return ["failure", list(vars(value).values())]
    assert isinstance(value, Outcome), type(value)
    parts = (value.value, value.failure, value.gradients, list(value.changed), list(value.spoilt))
    return ["outcome", [_written(part, tensors) for part in parts]]


class _Reader:
    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        self.tensors = tensors
        self.left = MAX_ITEMS

    def value(self, written: Any, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH + 4:
            raise Garbled("too much, or too deep")
        if type(written) is int and abs(written) >= 2**63:
            raise Garbled("a huge number")
        if written is None or type(written) in (bool, int, float, str):
            return written
        kind, content = written
        if kind in ("list", "tuple"):
            items = [self.value(item, depth + 1) for item in _a(list, content)]
            return items if kind == "list" else tuple(items)
        if kind == "dict":
            return {_a(str, key): self.value(item, depth + 1) for key, item in _a(list, content)}
        if kind == "tensor":
            return self.tensors[content]
        if kind == "complex tensor":
            return torch.view_as_complex(self.tensors[content])
        if kind == "complex":
            return complex(*(_a(float, part) for part in content))
        if kind == "odd":
            return Odd(_a(str, content)[:100] or "object")
        if kind == "failure":
            *words, timeout = content
            return Failure(*(_a(str, word) for word in words), timeout=_a(bool, timeout))
        if kind == "outcome":
            return self._outcome([self.value(part, depth + 1) for part in _a(list, content)])
        raise Garbled("an unknown kind")

    def _outcome(self, parts: list[Any]) -> Outcome:
        value, failure, gradients, changed, spoilt = parts
        if failure is not None:
            _a(Failure, failure)
        if gradients is not None:
            for gradient in _a(dict, gradients).values():
                _a(torch.Tensor, gradient)
        words = (tuple(_a(str, word) for word in _a(list, each)) for each in (changed, spoilt))
        return Outcome(value, failure, gradients, *words)


def _a(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise Garbled(f"{type(value).__name__} in place of {kind.__name__}")
    return value
