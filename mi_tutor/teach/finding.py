"""What is wrong with what was seen on one case: the first thing that can be said, in a fixed order."""

from __future__ import annotations

import torch

from mi_tutor.teach.comparing import Finding, difference
from mi_tutor.teach.exercise import Case, Exercise
from mi_tutor.teach.outcome import Outcome
from mi_tutor.teach.recognising import Seen, gradient_difference
from mi_tutor.teach.session import SessionDamaged
from mi_tutor.teach.wording import describe


def find(exercise: Exercise, case: Case, seen: Seen, truth: Seen) -> Finding | None:
    """What is wrong with what was seen on one case, or None."""
    failure = truth.outcome.failure
    if failure is not None and failure.timeout:
        raise SessionDamaged(
            f"The course's own answer to {exercise.slug!r} took longer than {exercise.time_limit:g} seconds on "
            f"the case {case.label!r}, so nothing is said of yours. This machine is very busy, or very slow: run "
            "the check again."
        )
    if failure is not None:
        raise SessionDamaged(
            f"The reference of {exercise.slug!r} itself fails on the case {case.label!r} "
            f"({failure.type_name}: {failure.message}). Something in this session was changed, "
            "perhaps a torch function that was replaced. Restart the kernel and run the notebook again."
        )
    if seen.outcome.failure is not None:
        return _failed(exercise, case, seen.outcome)
    if isinstance(seen.view, Finding):
        return seen.view
    different = difference(seen.view, truth.view, exercise.tolerance, dtype=exercise.dtype)
    if different is not None and different.kind != "value":
        return different
    return (
        _property_finding(exercise, case, seen.outcome)
        or different
        or _gradient_finding(seen.outcome, truth.outcome)
        or _changed_finding(seen.outcome)
    )


def _failed(exercise: Exercise, case: Case, outcome: Outcome) -> Finding:
    failure = outcome.failure
    assert failure is not None
    at = f"{failure.where}: {failure.line}" if failure.line else ""
    if failure.timeout:
        advice = (
            f"Your function was still running after {exercise.time_limit:g} seconds and was stopped. "
            "Look for a loop whose condition never becomes false."
        )
        return Finding("timeout", advice, seen=at)
    if failure.type_name == "NotImplementedError" and failure.message in {"", "your code here"}:
        advice = "Not written yet: replace the line `raise NotImplementedError` by your code."
        if failure.inside:
            advice = (
                f"`{failure.inside}`, which your function calls, is not written yet: replace its line "
                "`raise NotImplementedError` by your code."
            )
        return Finding("unanswered", advice)
    advice = f"Your code raised {failure.type_name}: {failure.message.strip() or '(no message)'}"
    shapes = ", ".join(
        f"{n} {list(v.shape)}" for n, v in case.inputs.items() if isinstance(v, torch.Tensor)
    )
    return Finding(
        "error", advice, seen=at, about=f"Shapes that went in: {shapes}" if shapes else ""
    )


def _gradient_finding(outcome: Outcome, truth: Outcome) -> Finding | None:
    if outcome.gradients is None and truth.gradients is not None:
        advice = (
            "The values are right, but no gradient flows back through them, so nothing could be trained. Look for "
            "`.detach()`, `.item()`, `.data`, `torch.no_grad()` or a detour through numpy."
        )
        return Finding("gradient", advice)
    found = gradient_difference(outcome, truth)
    if found is None:
        return None
    name = found.about
    mine, right = (dict(each.gradients or {})[name] for each in (outcome, truth))
    advice = f"The values are right, but their gradient with respect to `{name}` is not."
    if right.any() and not mine.any():
        advice += " It is 0: all of that computation is cut off from it."
    return found._replace(kind="gradient", advice=advice)


def _changed_finding(outcome: Outcome) -> Finding | None:
    if outcome.spoilt:
        advice = (
            "The result is right, but your function did not leave what it was given as it was. "
            f"{'; '.join(outcome.spoilt)}. Whatever runs later runs with that."
        )
        return Finding("changed-input", advice)
    if not outcome.changed:
        return None
    names = " and ".join(f"`{name}`" for name in outcome.changed)
    advice = (
        f"The result is right, but your function changed its input {names} in place, and the caller still "
        "needs it. Work on a copy (`.clone()`), or write `x = x * 2` where you wrote `x *= 2`."
    )
    return Finding("changed-input", advice)


def _property_finding(exercise: Exercise, case: Case, outcome: Outcome) -> Finding | None:
    for prop in exercise.properties:
        try:
            holds = bool(prop.holds(outcome.value, **case.inputs))
        except Exception:
            holds = False
        if not holds:
            said = prop.sentence
            if callable(said):
                said = said(outcome.value, **case.inputs)
            return Finding("property", said, seen=describe(outcome.value))
    return None
