"""The right result with one operation of torch changed: a mean for a sum, another axis, a ReLU left out.

The reference is run with one of its operations exchanged, wherever that operation stands in its code. What fits in
every case is a fact about the answer, and names the one thing in which it differs from a right one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from mi_tutor.teach.structure.calls import Call
from mi_tutor.teach.structure.changes import Change
from mi_tutor.teach.structure.operation_tables import others

OURS = str(Path(__file__).resolve().parents[2])
# An operation belongs to the line that calls these, and the model's own are nobody's mistake.
LIBRARIES = (f"{Path(torch.__file__).parent}/", "/einops/", "/jaxtyping/", "contextlib.py")
MODELS = ("/lab/ground/plain.py",)
MOST, MOST_OF_A_MODEL = 240, 16  # changes that are tried; where a model has to run for each


class Step(NamedTuple):
    """A place in the reference's code at which torch computes something."""

    code: CodeType
    at: int
    name: str


class Recorder(TorchFunctionMode):
    """Keeps the first call of each step."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[Step, Call] = {}

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: Mapping | None = None
    ) -> Any:
        step = _step(func, sys._getframe(1))
        made = func(*args, **(kwargs or {}))
        if step is not None and step not in self.calls:
            self.calls[step] = Call(func, args, dict(kwargs or {}))
        return made


class Exchanged(TorchFunctionMode):
    """One step does something else."""

    def __init__(self, step: Step, other: Callable[[Call], Any]) -> None:
        super().__init__()
        self.step, self.other = step, other

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: Mapping | None = None
    ) -> Any:
        named = _name(func) == self.step.name
        if named and _step(func, sys._getframe(1)) == self.step:
            return self.other(Call(func, args, dict(kwargs or {})))
        return func(*args, **(kwargs or {}))


class Guarded(TorchFunctionMode):
    """Linear algebra of finite numbers only: of others LAPACK ends the whole session (a segmentation fault)."""

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: Mapping | None = None
    ) -> Any:
        if _name(func).startswith(("linalg_", "svd", "eig", "qr")) and not all(
            bool(x.isfinite().all()) for x in args if isinstance(x, Tensor)
        ):
            raise ValueError("not finite")
        return func(*args, **(kwargs or {}))


def operation_changes(calls: Mapping[Step, Call], with_a_model: bool = False) -> Iterator[Change]:
    """All changes of one step each."""
    number = 0
    for place, (step, call) in enumerate(calls.items()):
        for words, other in others(step.name, call):
            number += 1
            if number > (MOST_OF_A_MODEL if with_a_model else MOST):
                return
            yield Change(
                words,
                lambda given: given,
                about="with one thing changed",
                around=_around(step, other),
                key=f"step {place}: {words}",
            )


def _around(step: Step, other: Callable[[Call], Any]) -> Callable[[], Exchanged]:
    return lambda: Exchanged(step, other)


def _step(func: Callable, frame: FrameType | None) -> Step | None:
    """The place in our own code that called torch; None if a library or a model did."""
    while frame is not None and any(part in frame.f_code.co_filename for part in LIBRARIES):
        frame = frame.f_back
    if frame is None:
        return None
    file = frame.f_code.co_filename
    if not file.startswith(OURS) or any(file.endswith(each) for each in MODELS):
        return None
    return Step(frame.f_code, frame.f_lasti, _name(func))


def _name(func: Callable) -> str:
    """A function's name as the tables have it: `__rsub__` is rsub, the property `.T` is T."""
    name = getattr(func, "__name__", "")
    if name == "__get__":
        return getattr(getattr(func, "__self__", None), "__name__", "")
    return name.strip("_") if name.startswith("__") else name


def recorded(run: Callable[[Change], Any]) -> dict[Step, Call]:
    """The steps of a run that is as it should be."""
    recorder = Recorder()
    run(Change("nothing", lambda given: given, around=lambda: recorder, key=None))
    return recorder.calls
