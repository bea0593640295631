"""Whether an answer can be called as its check calls it: looked at where it lives, judged from the data."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

from mi_tutor.teach.comparing import Finding
from mi_tutor.teach.exercise import Exercise
from mi_tutor.teach.judging import CaseVerdict, Verdict, make_cases
from mi_tutor.teach.outcome import plain
from mi_tutor.teach.wording import describe_kind


class Fit(NamedTuple):
    """How an answer can be called, as data. value: the answer itself, where it is no function.

    takes, error: its parameters in words, and why the check's arguments do not fit them; None if they do.
    """

    callable: bool
    value: Any = None
    takes: str | None = None
    error: str = ""


def fit(exercise: Exercise, answer: Any) -> Fit:
    """How an answer can be called, looked at where the answer lives."""
    if not callable(answer):
        return Fit(False, plain(answer))
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):
        return Fit(True)  # some built-in functions do not tell; running them will
    try:
        signature.bind(*_names(exercise))
    except TypeError as error:
        bare = (
            parameter.replace(annotation=inspect.Parameter.empty)
            for parameter in signature.parameters.values()
        )
        return Fit(True, None, ", ".join(map(str, bare)) or "nothing", str(error))
    return Fit(True)


def _names(exercise: Exercise) -> list[str]:
    return list(make_cases(exercise, seed=0)[0].inputs)


def unfit(exercise: Exercise, answer: Any) -> Verdict | None:
    """A verdict on an answer that cannot be run at all: not a function, or not with these arguments."""
    return misfit(exercise, fit(exercise, answer))


def misfit(exercise: Exercise, found: Fit) -> Verdict | None:
    """The same of an answer that was looked at elsewhere."""
    call = f"{exercise.reference.__name__}({', '.join(_names(exercise))})"
    if found.callable and found.takes is None:
        return None
    if found.callable:
        advice = f"The check calls {call}; your function takes {found.takes}: {found.error}."
    elif exercise.asked_for:
        what = describe_kind(found.value)
        advice = f"The check wants {exercise.asked_for}. It was given {what}."
    else:
        advice = (
            f"The check runs your function itself, and was given {describe_kind(found.value)}. "
            "Pass the function's name without parentheses: "
            f'check("{exercise.slug}", {exercise.reference.__name__}).'
        )
    case = CaseVerdict("the answer", False, Finding("signature", advice))
    return Verdict(exercise.slug, False, (case,))
