"""Kinds of fault that an answer to any exercise can have, each made from the exercise's own reference."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from mi_tutor.teach import judging
from mi_tutor.teach.exercise import Case, Exercise, Handle
from mi_tutor.teach.exercises.copies import EDITED, clean_copy
from mi_tutor.teach.judging import Seen

SMALL = 2e-3
Answer = Callable[..., Any]


def accepted(exercise: Exercise, answer: Answer, cases: list[Case], truths: list[Seen]) -> bool:
    """Whether an answer passes every case, one with other numbers included.

    As `judging.judge` does it, but no mistake is run, and it ends with the first case that fails.
    """
    return all(
        judging.find(exercise, case, judging.see(exercise, answer, case), truth) is None
        for case, truth in zip(cases, truths, strict=True)
    ) and not judging._once_more(exercise, answer, cases, truths, 0, judging.see)


def numbers(value: Any, change: Callable[[Tensor], Tensor], all_kinds: bool = False) -> Any:
    """A result with all its tensors and floats changed; `all_kinds`: tensors of whole numbers and masks too."""
    if isinstance(value, Tensor) and (value.is_floating_point() or all_kinds):
        return change(value)
    if isinstance(value, float):
        return change(torch.tensor(value, dtype=torch.float64)).item()
    if isinstance(value, list | tuple):
        parts = [numbers(part, change, all_kinds) for part in value]
        return parts if isinstance(value, list) else tuple(parts)
    return value


# --- results -------------------------------------------------------------------------------------------------

RESULTS: dict[str, Callable[[Tensor], Tensor]] = {
    "cut off at 0 and 1": lambda x: x.clamp(0, 1),
    "rounded to two digits": lambda x: x.round(decimals=2),
    "absolute values": torch.abs,
}


def of_result(
    change: Callable[[Tensor], Tensor], all_kinds: bool = False
) -> Callable[[Exercise], Answer]:
    return lambda exercise: lambda *given: numbers(exercise.reference(*given), change, all_kinds)


def only_first(axis: int) -> Callable[[Tensor], Tensor]:
    """All but the first entry along an axis are wrong."""

    def change(x: Tensor) -> Tensor:
        if x.ndim <= axis or x.shape[axis] < 2:
            return x
        first, rest = x.narrow(axis, 0, 1), x.narrow(axis, 1, x.shape[axis] - 1)
        return torch.cat([first, rest * 1.5 + 1], dim=axis)

    return change


# --- inputs --------------------------------------------------------------------------------------------------


def of_input(name: str, change: Callable[[Tensor], Tensor]) -> Callable[[Exercise], Answer]:
    """The reference, given another value for one of its inputs."""

    def made(exercise: Exercise) -> Answer:
        names = list(judging.make_cases(exercise, 0)[0].inputs)

        def answer(*given: Any) -> Any:
            given = list(given)
            given[names.index(name)] = change(given[names.index(name)])
            return exercise.reference(*given)

        return answer

    return made


def first_for_all(x: Tensor) -> Tensor:
    """Copies of the first row."""
    return x[:1].expand_as(x).clone() if x.ndim else x


INPUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "the first for all": first_for_all,
    "small inputs set to 0": lambda x: torch.where(x.abs() < SMALL, 0.0, x),
}


def wrong_beyond_ten(axis: int) -> Callable[[Tensor], Tensor]:
    """What comes after the first ten along an axis is something else."""

    def change(x: Tensor) -> Tensor:
        if x.ndim <= axis or x.shape[axis] <= 10:
            return x
        first, rest = x.narrow(axis, 0, 10), x.narrow(axis, 10, x.shape[axis] - 10)
        return torch.cat(
            [first, rest * 1.5 + 1 if x.is_floating_point() else rest.flip(axis)], axis
        )

    return change


def ten_at_most(
    exercise: Exercise, cases: list[Case], truths: list[Seen]
) -> Iterator[tuple[str, Answer]]:
    """Whoever tried an answer on small things only may have a limit in it."""
    for name, value in cases[0].inputs.items():
        if isinstance(value, list):
            yield f"ten of {name} at most", of_input(name, lambda given: given[:10])(exercise)
        elif isinstance(value, int) and not isinstance(value, bool):
            yield f"{name} 10 at most", of_input(name, lambda given: min(given, 10))(exercise)
    for axis in range(3):
        if any(_has_axis(truth.outcome.value, axis) for truth in truths):
            yield (
                f"ten at most on axis {axis}",
                of_result(wrong_beyond_ten(axis), all_kinds=True)(exercise),
            )


def tensors_of(cases: list[Case]) -> Iterator[tuple[str, bool]]:
    """Names of the inputs that are tensors, and whether they have floating-point numbers."""
    for name, value in cases[0].inputs.items():
        if isinstance(value, Tensor):
            yield name, value.is_floating_point()


# --- what it does besides ------------------------------------------------------------------------------------


def first_result_again(exercise: Exercise) -> Answer:
    """Kept by the shapes of what comes in, as a cache with a bad key would."""
    kept: dict[tuple, Any] = {}

    def key(value: Any) -> Any:
        if isinstance(value, Tensor):
            return tuple(value.shape)
        return value if isinstance(value, int | bool) else type(value).__name__

    def answer(*given: Any) -> Any:
        shapes = tuple(map(key, given))
        if shapes not in kept:
            kept[shapes] = copy.deepcopy(exercise.reference(*given))
        return copy.deepcopy(kept[shapes])

    return answer


def inputs_overwritten(exercise: Exercise) -> Answer:
    def answer(*given: Any) -> Any:
        result = copy.deepcopy(exercise.reference(*given))
        for value in given:
            if isinstance(value, Tensor):
                value.data.add_(1) if value.dtype != torch.bool else value.logical_not_()
            if isinstance(value, list):
                value.append(0)
        return result

    return answer


def with_generator(
    change: Callable[[torch.Generator], torch.Generator],
) -> Callable[[Exercise], Answer]:
    """The reference, with something done to the generator first."""
    return lambda exercise: (
        lambda *given: exercise.reference(
            *(change(value) if isinstance(value, torch.Generator) else value for value in given)
        )
    )


def copied(generator: torch.Generator) -> torch.Generator:
    twin = torch.Generator()
    twin.set_state(generator.get_state())
    return twin


def wound_back(generator: torch.Generator) -> torch.Generator:
    return generator.manual_seed(generator.initial_seed())


A_SPECIMEN = "the specimen "


def _is_specimen(value: Any) -> bool:
    return isinstance(value, Handle) and value.name.startswith(A_SPECIMEN)


def is_model(value: Any) -> bool:
    return hasattr(value, "run_with_hooks")


def opens_it_itself(exercise: Exercise) -> Answer:
    """Whatever model it is given, it takes the one that the chapter is about: the first case's."""
    first = next(
        value for value in judging.make_cases(exercise, 0)[0].inputs.values() if _is_specimen(value)
    )
    name = first.name.removeprefix(A_SPECIMEN).removesuffix(EDITED)

    def own(value: Any) -> Any:
        return clean_copy(name) if is_model(value) else value

    return lambda *given: exercise.reference(*map(own, given))


def leaves_a_hook(exercise: Exercise) -> Answer:
    def answer(*given: Any) -> Any:
        result = exercise.reference(*given)
        for value in filter(is_model, given):
            value.add_hook("blocks.0.hook_resid_pre", lambda activation, hook: None)
        return result

    return answer


def overwrites_a_weight(exercise: Exercise) -> Answer:
    def answer(*given: Any) -> Any:
        result = exercise.reference(*given)
        for value in filter(is_model, given):
            with torch.no_grad():
                value.blocks[0].attn.W_O[0] = 0
        return result

    return answer


def has_model(cases: list[Case]) -> bool:
    return any(map(_is_specimen, cases[0].inputs.values()))


def has_generator(cases: list[Case]) -> bool:
    return "generator" in cases[0].inputs


# --- all of them ---------------------------------------------------------------------------------------------


def faults_of(
    exercise: Exercise, cases: list[Case], truths: list[Seen]
) -> Iterator[tuple[str, Answer]]:
    """All faults that can be made of an exercise."""
    for kind, change in RESULTS.items():
        if any(_has_floats(truth.outcome.value) for truth in truths):
            yield kind, of_result(change)(exercise)
    for axis in range(3):
        if any(_has_axis(truth.outcome.value, axis) for truth in truths):
            yield f"only the first on axis {axis}", of_result(only_first(axis))(exercise)
    for name, floats in tensors_of(cases):
        for kind, change in INPUTS.items():
            axes = any(case.inputs[name].ndim for case in cases)
            if axes and (floats or kind == "the first for all"):
                yield f"{kind}: {name}", of_input(name, change)(exercise)
    yield from ten_at_most(exercise, cases, truths)
    yield "its first result again", first_result_again(exercise)
    if any(isinstance(value, Tensor) for value in cases[0].inputs.values()):
        yield "inputs overwritten", inputs_overwritten(exercise)
    if has_generator(cases):
        yield "reseeded", with_generator(lambda generator: generator.manual_seed(0))(exercise)
        yield "wound back", with_generator(wound_back)(exercise)
        yield "copied", with_generator(copied)(exercise)
    if has_model(cases):
        yield "opens the model itself", opens_it_itself(exercise)
        yield "leaves a hook", leaves_a_hook(exercise)
        yield "overwrites a weight", overwrites_a_weight(exercise)


def _has_floats(value: Any) -> bool:
    found: list[Tensor] = []
    numbers(value, lambda x: found.append(x) or x)
    return bool(found)


def _has_axis(value: Any, axis: int) -> bool:
    """Whether a result has such an axis, if only of length 1."""
    found: list[Tensor] = []
    numbers(value, lambda x: found.append(x) or x)
    return any(x.ndim > axis for x in found)
