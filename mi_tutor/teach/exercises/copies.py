"""Specimens for answers: opened once for all chapters, and a copy for each answer.

Whatever an answer does to its copy, the next answer gets an intact model. `copy.deepcopy` would do, but a model
consists of thousands of small Python objects and a check makes dozens of copies: written down once and read back
from memory each time, a copy takes a fifth of the time.
"""

from __future__ import annotations

import copy
import functools
import io
import pickle
import sys
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor

from mi_tutor.specimens import open_specimen

# What `copy.deepcopy` does not copy either. pickle writes a name, by which not all of it can be found again.
ATOMIC = (type, FunctionType, ModuleType)


@functools.cache
def opened(name: str) -> Any:
    """A specimen that is read and run by us, one for all. Answers get a `clean_copy`."""
    return clean_copy(name)


def clean_copy(name: str) -> Any:
    """A copy of a specimen, for one answer. On the CPU: marks do not depend on the learner's device."""
    return _mould(name).cast()


def logits_before(model: Any, tokens: Tensor) -> Tensor:
    """What a `clean_copy` says before an answer gets hold of it; run once for all answers that are judged on `tokens`."""
    return _logits(model.cfg.model_name, tuple(map(tuple, tokens.tolist())))


@functools.lru_cache(maxsize=256)
def _logits(name: str, tokens: tuple[tuple[int, ...], ...]) -> Tensor:
    with torch.no_grad():
        return opened(name)(torch.tensor(tokens))


@functools.cache
def _mould(name: str) -> Mould:
    return Mould(open_specimen(name, device="cpu"))


class Mould:
    """What copies of an object are cast from. They share functions and classes with it, and nothing that can change.

    >>> pair = Mould([torch.zeros(2), "a"])
    >>> pair.cast()
    [tensor([0., 0.]), 'a']
    """

    def __init__(self, original: Any) -> None:
        file = io.BytesIO()
        writer = _Writer(file)
        writer.dump(original)
        self._written, self._kept = file.getvalue(), writer.kept

    def cast(self) -> Any:
        """A copy of what the original was when the mould was made."""
        return _Reader(self._written, self._kept).load()


class _Writer(pickle.Pickler):
    """Tensors, and what has no name of its own, are kept and referred to by number; the rest is written down."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self.kept: list[Any] = []
        self._numbers: dict[int, int] = {}

    def persistent_id(self, value: Any) -> int | None:
        if not isinstance(value, (Tensor, *ATOMIC)) or _has_a_name(value):
            return None
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self.kept)
            self.kept.append(value)
        return self._numbers[id(value)]


def _has_a_name(value: Any) -> bool:
    """Whether a class or function is found again by its module and name."""
    found = sys.modules.get(getattr(value, "__module__", None) or "")
    for part in getattr(value, "__qualname__", "").split("."):
        found = getattr(found, part, None)
    return found is value


class _Reader(pickle.Unpickler):
    """One copy: a tensor that several places share is copied once."""

    def __init__(self, written: bytes, kept: list[Any]) -> None:
        super().__init__(io.BytesIO(written))
        self._kept = kept
        self._copies: dict[int, Any] = {}

    def persistent_load(self, number: int) -> Any:
        return copy.deepcopy(self._kept[number], self._copies)
