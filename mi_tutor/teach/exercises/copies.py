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

from mi_tutor.lab.ground.plain import has_hooks
from mi_tutor.specimens import open_specimen
from mi_tutor.teach.exercise import Handle

# With this after its name a specimen has other weights: who opens the specimen again, in place of using the model that
# was given, gets other numbers.
EDITED = " with other weights"

# What `copy.deepcopy` does not copy either. pickle writes a name, by which not all of it can be found again.
ATOMIC = (type, FunctionType, ModuleType)


@functools.cache
def opened(name: str) -> Any:
    """A specimen that is read and run by us, one for all. Answers get a `clean_copy`."""
    return clean_copy(name)


def clean_copy(name: str) -> Any:
    """A copy of a specimen, for one answer. On the CPU: marks do not depend on the learner's device."""
    return _mould(name).cast()


def a_specimen(name: str) -> Handle:
    """A copy for one answer, as a case's input. It is told if the answer leaves it changed."""
    return Handle(f"the specimen {name}", functools.partial(clean_copy, name), spoilt)


def a_cache(name: str, tokens: Tensor, without: str | None = None) -> Handle:
    """The cache of one run, as a case's input; entries with `without` in their name are left out."""

    @functools.cache
    def original() -> Any:
        with torch.no_grad():
            cache = opened(name).run_with_cache(tokens)[1]
        kept = {key: value for key, value in cache.items() if without is None or without not in key}
        return type(cache)(kept, opened(name))

    def made() -> Any:
        copies = {key: value.clone() for key, value in original().items()}
        return type(original())(copies, clean_copy(name))

    def overwritten(cache: Any) -> str:
        same = all(torch.equal(cache[key], value) for key, value in original().items())
        return "" if same else "an activation in the cache was overwritten (add to a clone of it)"

    return Handle(f"the cache of {name} on {tokens.tolist()}", made, overwritten)


def without_gradients(answer: Any, **inputs: Any) -> Any:
    """A way to run answers that only read a model."""
    with torch.no_grad():
        return answer(*inputs.values())


def spoilt(model: Any) -> str:
    """What was done to a copy, in words: a hook that stays, or another weight; or ""."""
    if has_hooks(model):
        return "a hook is still in the model (`run_with_hooks` and `with model.hooks(...)` take hooks out again)"
    now, before = (
        each.original_model.parameters() for each in (model, opened(model.cfg.model_name))
    )
    if all(map(torch.equal, now, before)):
        return ""
    return "a weight of the model was overwritten"


@functools.cache
def _mould(name: str) -> Mould:
    model = open_specimen(name.removesuffix(EDITED), device="cpu")
    if name.endswith(EDITED):
        model.cfg.model_name = name
        chance = torch.Generator().manual_seed(0)
        with torch.no_grad():
            # Matrices as wholes: what `open_specimen` folded and centred stays so.
            for weights in (each for each in model.parameters() if each.ndim > 1):
                weights.mul_(0.6 + 0.9 * torch.rand((), generator=chance))
    return Mould(model)


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
