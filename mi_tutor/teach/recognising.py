"""Is a wrong answer one of the exercise's known mistakes?

Its sentence is said only if the mistake did just what the answer did, in every case, and no other listed one did
so too: then the two cannot be told apart from what they do, and either sentence could be false. An agreement that
needs an allowance (NaN on top of it, or an error of the same type) counts only where none agrees without one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch

from mi_tutor.teach.comparing import Finding, difference
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Tolerance
from mi_tutor.teach.outcome import Failure, Outcome

GRADIENT_TOLERANCE = Tolerance(rtol=1e-3, atol=1e-6)


class Seen(NamedTuple):
    """What a function did on a case, and the part of it that is compared (see `judging.viewed`)."""

    outcome: Outcome
    view: Any


See = Callable[[Exercise, Callable[..., Any], Case], Seen]


def recognise(
    exercise: Exercise,
    cases: Sequence[Case],
    seen: Sequence[Seen],
    truths: Sequence[Seen],
    see: See,
) -> Mistake | None:
    """The one listed mistake that does on every case just what the answer did, or None."""
    values_wrong = any(
        one.outcome.failure is not None
        or isinstance(one.view, Finding)
        or difference(one.view, truth.view, exercise.tolerance, dtype="any")
        for one, truth in zip(seen, truths, strict=False)
    )
    exact, loose = [], []
    for mistake in exercise.mistakes:
        fit = _fit(exercise, mistake, cases, seen, truths, values_wrong, see)
        if fit is not None:
            (exact if fit else loose).append(mistake)
    found = exact or loose
    return found[0] if len({mistake.sentence for mistake in found}) == 1 else None


def _fit(
    exercise: Exercise,
    mistake: Mistake,
    cases: Sequence[Case],
    seen: Sequence[Seen],
    truths: Sequence[Seen],
    values_wrong: bool,
    see: See,
) -> bool | None:
    """None if a mistake did something else; otherwise whether it agrees without any allowance."""
    exact, evidence = True, False
    for case, one, truth in zip(cases, seen, truths, strict=False):
        wrong = see(exercise, mistake.wrong, case)
        alike = _alike(exercise, one, wrong, truth, values_wrong)
        if alike is None:
            return None
        exact &= alike
        failure = one.outcome.failure
        evidence |= failure is None or _same_complaint(failure, wrong.outcome.failure)
    return exact if evidence else None


def _alike(
    exercise: Exercise, seen: Seen, wrong: Seen, truth: Seen, values_wrong: bool
) -> bool | None:
    """Whether an answer did on a case what a mistake does there: None if not, False if with an allowance."""
    left, right = seen.outcome, wrong.outcome
    if left.failure is not None or right.failure is not None:
        both = left.failure is not None and right.failure is not None
        if not both or left.failure.type_name != right.failure.type_name:
            return None
        return _same_complaint(left.failure, right.failure)
    if isinstance(seen.view, Finding) or isinstance(wrong.view, Finding):
        return None
    if not {*right.changed, *right.spoilt} <= {*left.changed, *left.spoilt}:
        return None  # its sentence may speak of what stays changed
    exact = difference(seen.view, wrong.view, exercise.tolerance, dtype="any") is None
    if not exact:
        view = _patched(seen.view, wrong.view, truth.view)
        if difference(view, wrong.view, exercise.tolerance, dtype="any") is not None:
            return None
    if values_wrong:
        return exact
    # The values are right everywhere, so only gradients or changed inputs can tell a mistake.
    if (left.gradients is None) != (right.gradients is None):
        return None
    if (left.changed, left.spoilt) != (right.changed, right.spoilt):
        return None
    same = left.gradients is None or not gradient_difference(left, right)
    return exact if same else None


def gradient_difference(left: Outcome, right: Outcome) -> Finding | None:
    """How the gradients of two runs differ."""
    return difference(
        dict(left.gradients or {}), dict(right.gradients or {}), GRADIENT_TOLERANCE, dtype="any"
    )


def _patched(view: Any, other: Any, truth: Any) -> Any:
    """NaN and infinite entries taken from `other`: a mistake is the same one with 0/0 on top of it.

    Only where a number is expected: where NaN is right, the answer is right and the mistake is not.
    """
    if not all(isinstance(each, torch.Tensor) for each in (view, other, truth)):
        return view
    if not view.shape == other.shape == truth.shape or not view.is_floating_point():
        return view
    if not bool(view.isfinite().any()):
        return view
    keep = view.isfinite() | ~truth.isfinite()
    return torch.where(keep, view.double(), other.double())


def _same_complaint(left: Failure | None, right: Failure | None) -> bool:
    """Whether two failures say the same: the type alone (any RuntimeError) would not be evidence."""
    return (
        left is not None
        and right is not None
        and bool(left.message)
        and left.message == right.message
    )
