"""Running an answer on one case, and what is left of the run: plain data.

Nothing here judges. An `Outcome` holds tensors, numbers and strings only, so it could as well have come
from another process.
"""

from __future__ import annotations

import copy
import inspect
import linecache
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mi_tutor.teach.exercise import Case, Exercise, Handle
from mi_tutor.teach.limits import TimeLimitReached, time_limit
from mi_tutor.teach.session import usual_session

MAX_DEPTH, MAX_LENGTH, MAX_ELEMENTS = 5, 10_000, 10_000_000
MAX_MESSAGE = 10_000  # characters of an exception's


@dataclass(frozen=True)
class Odd:
    """Stands in an outcome for a value that is not data (a generator, a module, ...)."""

    type_name: str


@dataclass(frozen=True)
class Failure:
    """The answer raised, or ran out of time. `line` is the learner's own line, `where` its number.

    inside: the learner's function that raised, if it is another one than the answer, which calls it.
    """

    type_name: str
    message: str
    line: str = ""
    where: str = ""
    inside: str = ""
    timeout: bool = False


@dataclass(frozen=True)
class Outcome:
    """What one run left behind.

    value: the returned value as plain data. gradients: of a fixed random projection of the value, by input;
    None if the value did not depend differentiably on any of them. changed: inputs that were changed; spoilt: what
    was done to opened things, in words.
    """

    value: Any = None
    failure: Failure | None = None
    gradients: Mapping[str, torch.Tensor] | None = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    spoilt: tuple[str, ...] = ()


class Elsewhere:
    """An answer that lives in another process, which runs it there and says what was left."""

    def observed(self, exercise: Exercise, case: Case) -> Outcome:
        raise NotImplementedError


def observe(exercise: Exercise, answer: Callable[..., Any], case: Case) -> Outcome:
    """Run `answer` on fresh copies of the case's inputs. Exceptions and endless loops become a `Failure`."""
    if isinstance(answer, Elsewhere):
        return answer.observed(exercise, case)
    inputs = {
        name: _fresh(value, name in exercise.gradients) for name, value in case.inputs.items()
    }
    with usual_session():
        try:
            with time_limit(exercise.time_limit):
                run = exercise.run
                value = run(answer, **inputs) if run else answer(*inputs.values())
                gradients = _gradients(value, {name: inputs[name] for name in exercise.gradients})
                value = plain(value)
        except TimeLimitReached as error:
            return Outcome(failure=failure_of(error, timeout=True))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a learner's sys.exit() must not end the notebook either
            return Outcome(failure=failure_of(error))
    changed = tuple(name for name, now in inputs.items() if not unchanged(case.inputs[name], now))
    return Outcome(value, None, gradients, changed, tuple(_spoilt(case, inputs)))


def _spoilt(case: Case, inputs: Mapping[str, Any]) -> Iterator[str]:
    """What an answer did to the things that it was given opened."""
    for name, handle in case.inputs.items():
        if isinstance(handle, Handle) and handle.spoilt is not None:
            try:
                said = handle.spoilt(inputs[name])
            except Exception:  # whatever an answer did to it, it is not what it was
                said = "it no longer works"
            if said:
                yield f"`{name}`: {said}"


def plain(value: Any) -> Any:
    """The value as tensors on the CPU, numbers, strings, lists, tuples and dicts; `Odd` for anything else."""
    try:
        return _plain(value, 0)
    except Exception:  # objects may misbehave in any way; they are then no answer
        return Odd(type(value).__name__)


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, torch.Tensor):
        if value.is_meta:
            return Odd("tensor without data (device meta)")
        if value.is_nested:
            return Odd("nested tensor")
        if value.numel() > MAX_ELEMENTS:
            return Odd(f"tensor of {value.numel():,} numbers")
        value = value.detach()
        return (value if value.layout == torch.strided else value.to_dense()).cpu().clone()
    if isinstance(value, np.generic) and value.dtype.kind in "biufcU":
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc" and value.size <= MAX_ELEMENTS:
        return torch.as_tensor(np.array(value))
    if type(value) is int and abs(value) >= 2**63:
        return Odd("huge int")
    if value is None or type(value) in (bool, int, float, complex, str, Odd):
        return value
    if isinstance(value, list | tuple | dict) and depth < MAX_DEPTH and len(value) <= MAX_LENGTH:
        if isinstance(value, dict):
            return {str(key): _plain(item, depth + 1) for key, item in value.items()}
        items = [_plain(item, depth + 1) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if inspect.iscoroutine(value):
        value.close()
    return Odd(type(value).__name__)


def tensors_in(value: Any) -> list[torch.Tensor]:
    """All tensors of a nested value, depth first."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in tensors_in(item)]
    return []


def _fresh(value: Any, wants_gradient: bool) -> Any:
    if isinstance(value, Handle):
        return value.open()
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(wants_gradient)
    return copy.deepcopy(value) if isinstance(value, list | dict) else value


def unchanged(before: Any, after: Any) -> bool:
    if isinstance(before, list):
        return len(before) == len(after) and all(map(unchanged, before, after))
    if isinstance(before, dict):
        return list(before) == list(after) and all(map(unchanged, before.values(), after.values()))
    if isinstance(before, int | float | str):
        return before == after or before != before  # nan
    if not isinstance(before, torch.Tensor):
        return True
    if not isinstance(after, torch.Tensor):
        return False
    after = after.detach()
    return before.shape == after.shape and torch.equal(
        torch.nan_to_num(before), torch.nan_to_num(after)
    )


def _gradients(value: Any, inputs: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor] | None:
    if not inputs:
        return {}
    outputs = [t for t in tensors_in(value) if t.requires_grad and t.is_floating_point()]
    if not outputs:
        return None
    projection = torch.Generator().manual_seed(0)
    total = sum(
        (out * torch.rand(out.shape, generator=projection).to(out.device, out.dtype)).sum()
        for out in outputs
    )
    found = torch.autograd.grad(total, list(inputs.values()), allow_unused=True)
    return {
        name: torch.zeros_like(inputs[name]) if gradient is None else gradient.detach().cpu()
        for name, gradient in zip(inputs, found, strict=True)
    }


def _message(error: BaseException) -> str:
    try:
        return str(error)[:MAX_MESSAGE]
    except Exception:
        return ""


def failure_of(error: BaseException, timeout: bool = False) -> Failure:
    """Describe the exception that is being handled, with the innermost line the learner wrote."""
    type_name, message = type(error).__name__, _message(error)
    frames = traceback.extract_tb(sys.exc_info()[2])
    own = [frame for frame in frames if _is_learners(frame.filename)]
    if not own:
        return Failure(type_name, message, timeout=timeout)
    last = own[-1]
    inside = last.name if last.name != own[0].name else ""
    line = (last.line or linecache.getline(last.filename, last.lineno or 0)).strip()
    where = f"line {last.lineno} of {last.name}"
    return Failure(type_name, message, line, where, inside, timeout)


def _is_learners(filename: str) -> bool:
    """Not ours, not a library's: what is left was written by the learner."""
    if "ipykernel_" in filename or filename.startswith("<ipython-input"):
        return True
    path = Path(filename)
    ours = Path(__file__).resolve().parent.parent
    return not (
        filename.startswith("<")
        or "site-packages" in path.parts
        or ours in path.parents
        or Path(sys.base_prefix) in path.parents
    )
