"""Inputs on another device: tensors, models, caches, generators, and functions that close over any of these.

The cases of an exercise are made on the CPU, since marks do not depend on the learner's device. Here they are
moved as they stand, so that both devices are asked about the same numbers. A generator cannot be moved: another
device gets one of its own with the same seed, and draws other numbers from it.
"""

import dataclasses
import functools
import types
from typing import Any

import torch
from torch import Tensor, nn

from mi_tutor.teach.exercise import Case, Handle


class Move:
    """Moves values to a device, and notes whether a generator was among them."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.met_generator = False

    def case(self, case: Case) -> Case:
        """The same case there. What a handle opens is moved when it is opened."""

        def opened_there(handle: Handle) -> Handle:
            return Handle(handle.name, lambda: self(handle.open()))

        inputs = {
            name: opened_there(value) if isinstance(value, Handle) else self(value)
            for name, value in case.inputs.items()
        }
        return dataclasses.replace(case, inputs=inputs)

    def __call__(self, value: Any) -> Any:
        """The value there; what holds no tensor stays what it is."""
        if isinstance(value, torch.Generator):
            self.met_generator = True
            there = torch.Generator(self.device).manual_seed(value.initial_seed())
            if self.device.type == value.device.type:  # where it was, and it may have drawn before
                there.set_state(value.get_state())
            return there
        if isinstance(value, nn.Module):
            quietly = {"print_details": False} if hasattr(value, "hook_dict") else {}
            return value.to(self.device, **quietly)
        if isinstance(value, Tensor) or callable(getattr(value, "to", None)):  # a cache, a Sae
            return value.to(self.device)
        return self.parts(value)

    def parts(self, value: Any) -> Any:
        """What is made of other values, made anew of those."""
        if type(value) is dict:
            return {name: self(item) for name, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(self, value))
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*map(self, value))
        if isinstance(value, functools.partial):
            keywords = {name: self(item) for name, item in value.keywords.items()}
            return functools.partial(self(value.func), *map(self, value.args), **keywords)
        if isinstance(value, types.FunctionType) and value.__closure__:
            cells = tuple(types.CellType(self(cell.cell_contents)) for cell in value.__closure__)
            code, names = value.__code__, value.__globals__
            return types.FunctionType(code, names, value.__name__, value.__defaults__, cells)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = [field.name for field in dataclasses.fields(value) if field.init]
            moved = {name: self(getattr(value, name)) for name in fields}
            return dataclasses.replace(value, **moved)
        return value
