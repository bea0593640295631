"""Does every function of `mi_tutor.lab` give on a device what it gives on the CPU?

1. The references of all exercises, on the exercises' own cases and within their own tolerances.
2. Calls of functions that are no reference and have no example (`gpu_trials`).
3. The examples in docstrings (`gpu_examples`).

What draws random numbers draws others on a GPU. An exercise about random data has a summary by which samples are
compared (`view`): frequencies, means. Of an example that draws, only kinds, shapes and dtypes are compared.
"""

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from types import CodeType
from typing import Any, NamedTuple

import torch
from gpu_examples import Example
from gpu_moving import Move
from gpu_trials import Given, given

import mi_tutor.lab
from mi_tutor.lab.ground import seeded
from mi_tutor.subjects import SUBJECTS
from mi_tutor.teach.comparing import difference
from mi_tutor.teach.exercise import Exercise, Tolerance
from mi_tutor.teach.judging import GRADIENT_TOLERANCE, viewed
from mi_tutor.teach.outcome import observe, plain, tensors_in
from mi_tutor.teach.registry import Graded

TOLERANCE = Tolerance(rtol=1e-3, atol=1e-3)  # of trials and examples: mostly logits, in float32
CPU = torch.device("cpu")
# Not for GPUs, and why.
SKIPPED = {
    "dictionaries.sparse": "sparse products for the CPU; a GPU trains with autograd_gradients",
    "superposition.packing.spread_directions": "takes no tensor, and works on the CPU",
}


class Row(NamedTuple):
    """What became of one function.

    Attributes:
        name: the exercise's slug, or the function.
        compared: "values", "in distribution", "kinds", or "" if nothing was.
        largest: the largest difference, relative to the largest entry of the same tensor; None if there is none.
        verdict: "same", or a sentence.
        fine: whether nothing has to be mended.
    """

    name: str
    compared: str
    largest: float | None
    verdict: str
    fine: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """As a row of a table."""
        number = "" if self.largest is None else f"{self.largest:.1e}" if self.largest else "0"
        return self.name, self.compared, number, self.verdict


def exercise_rows(
    exercises: Iterable[Graded], device: torch.device, n_cases: int | None = None
) -> Iterator[Row]:
    """One row per exercise that asks for a function."""
    for exercise in exercises:
        if not isinstance(exercise, Exercise):
            continue
        if not inspect.isfunction(exercise.reference):
            reason = f"skipped: its answer is {exercise.asked_for}, not a function"
            yield Row(exercise.slug, "", None, reason, True)
            continue
        yield guarded(exercise.slug, lambda one=exercise: exercise_row(one, device, n_cases))


def exercise_row(exercise: Exercise, device: torch.device, n_cases: int | None) -> Row:
    """The reference on both devices."""
    largest, places = 0.0, set()

    @functools.wraps(exercise.reference)
    def reference(*inputs: Any) -> Any:
        value = exercise.reference(*inputs)
        places.update(tensor.device.type for tensor in tensors_in(value))
        return value

    move, compared = Move(device), "values"
    for case in exercise.cases(seeded(0))[:n_cases]:
        here = observe(exercise, exercise.reference, case)
        there = observe(exercise, reference, move.case(case))
        if move.met_generator:
            compared = "in distribution"
            if exercise.view is None and not draws_alike(device):
                reason = "skipped: draws at random, and the exercise has no summary to compare"
                return Row(exercise.slug, "", None, reason, True)
        for outcome, where in ((here, "cpu"), (there, device)):
            if outcome.failure:
                said = f"{outcome.failure.type_name} on {where}: {outcome.failure.message}"
                return Row(exercise.slug, "", None, f"{case.label}: {said}", False)
        seen, expected = viewed(exercise, case, there), viewed(exercise, case, here)
        found = difference(seen, expected, exercise.tolerance, dtype=exercise.dtype) or difference(
            dict(there.gradients or {}), dict(here.gradients or {}), GRADIENT_TOLERANCE
        )
        if found:
            said = " ".join(filter(None, (case.label + ":", found.about, found.advice)))
            return Row(exercise.slug, compared, None, said, False)
        largest = max(largest, apart(seen, expected), apart(there.gradients, here.gradients))
    return Row(exercise.slug, compared, largest, same(places, device), True)


def trial_rows(trials: dict[str, Callable[[Given], Any]], device: torch.device) -> Iterator[Row]:
    """One row per call of `gpu_trials`."""
    made: list[Given] = []

    def row(name: str, call: Callable[[Given], Any]) -> Row:
        made or made.extend((given(), Move(device)(given())))
        here, there = map(call, made)
        return compared_row(name, plain(there), plain(here), same(places_of(there), device))

    for name, call in trials.items():
        yield guarded(name, lambda name=name, call=call: row(name, call))


def example_rows(examples: Iterable[Example], device: torch.device) -> Iterator[Row]:
    """One row per function or class whose docstring has an example."""
    for example in examples:
        reason = next((SKIPPED[name] for name in SKIPPED if example.name.startswith(name)), None)
        if reason:
            yield Row(example.name, "", None, f"skipped: {reason}", True)
            continue
        yield guarded(example.name, lambda one=example: example_row(one, device))


def example_row(example: Example, device: torch.device) -> Row:
    """An example on both devices."""
    here, there = (plain(example.values(place)) for place in (CPU, device))
    if example.draws and not draws_alike(device):
        return compared_row(example.name, kinds(there), kinds(here), "same kinds", "kinds")
    return compared_row(example.name, there, here, "same")


def compared_row(
    name: str, seen: Any, expected: Any, verdict: str, compared: str = "values"
) -> Row:
    """The row of two plain values."""
    found = difference(seen, expected, TOLERANCE)
    if found:
        return Row(name, compared, None, found.advice, False)
    return Row(name, compared, apart(seen, expected), verdict, True)


def guarded(name: str, make: Callable[[], Row]) -> Row:
    """A row, whatever happens: a package that is missing is a reason to skip, all else a fault."""
    try:
        return make()
    except ImportError as error:
        missing = (error.name or str(error)).partition(".")[0]
        return Row(name, "", None, f"skipped: needs {missing}", True)
    except Exception as error:
        return Row(name, "", None, f"{type(error).__name__}: {error}"[:300], False)


@functools.cache
def draws_alike(device: torch.device) -> bool:
    """Whether a seed gives the same numbers there as on the CPU."""
    one, other = (torch.rand(8, generator=seeded(0, d), device=d).cpu() for d in (CPU, device))
    return torch.equal(one, other)


def apart(seen: Any, expected: Any) -> float:
    """The largest difference of two plain values that agree, relative to the largest entry of the same tensor."""
    if isinstance(expected, dict):
        return max((apart(seen[name], expected[name]) for name in expected), default=0.0)
    if isinstance(expected, list | tuple):
        return max(map(apart, seen, expected), default=0.0)
    if not isinstance(expected, torch.Tensor | int | float):
        return 0.0
    one, other = (torch.as_tensor(value).double() for value in (seen, expected))
    finite = other.isfinite()
    off = (one - other)[finite].abs().amax().item() if finite.any() else 0.0
    return off / other[finite].abs().amax().clamp_min(1e-30).item() if off else 0.0


def kinds(value: Any) -> Any:
    """A plain value without its numbers: shapes, dtypes, types."""
    if isinstance(value, torch.Tensor):
        return str(value.dtype), list(value.shape)
    if isinstance(value, list | tuple):
        return [kinds(item) for item in value]
    if isinstance(value, dict):
        return {name: kinds(item) for name, item in value.items()}
    return type(value).__name__


def places_of(value: Any) -> set[str]:
    """The devices that a result lies on."""
    return {tensor.device.type for tensor in tensors_in(value)}


def same(places: set[str], device: torch.device) -> str:
    """The verdict on a result that agrees."""
    elsewhere = sorted(places - {device.type})
    return f"same; the result lies on {' and '.join(elsewhere)}" if elsewhere else "same"


def unreached(
    exercises: Iterable[Graded],
    trials: Iterable[str],
    examples: Iterable[Example],
) -> list[str]:
    """The functions that `mi_tutor.lab` offers which are no reference, in no trial, and have no example.

    Others call most of them; nothing compares what they give by themselves.
    """
    called = {name.partition(",")[0] for name in trials} | {each.function for each in examples}
    reached = {code_of(each.reference) for each in exercises if isinstance(each, Exercise)}
    offered: dict[CodeType, str] = {}
    for subject in ("ground", *SUBJECTS.values()):
        room = importlib.import_module(f"{mi_tutor.lab.__name__}.{subject}")
        for name in room.__all__:
            code = code_of(getattr(room, name))
            offered.setdefault(code, f"{subject}.{name}")
            reached |= {code} if f"{subject}.{name}" in called else set()
    return [name for code, name in offered.items() if code and code not in reached]


def code_of(function: Any) -> CodeType | None:
    """A function's code, by which it is the same under every name; None for what is no function."""
    return getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
