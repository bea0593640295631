"""Judging outcomes: right, a known mistake, or how far off. Pure functions of plain data.

The order in which an answer that is not right is spoken about: it failed; it is a known mistake; its kind
or shape is off; its dtype; it is not finite; a property; its values; its gradients; it changed its inputs.
A known mistake comes first among the value problems, and a property before the values, because its sentence
says what a difference of shapes or numbers only hints at.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import torch

from mi_tutor.teach import structure
from mi_tutor.teach.comparing import Finding, blank_advice, difference, kind_advice
from mi_tutor.teach.exercise import Case, Exercise, Handle, ValueExercise
from mi_tutor.teach.finding import find
from mi_tutor.teach.meaning import keys_advice, meant
from mi_tutor.teach.outcome import Elsewhere, Outcome, observe, plain, unchanged
from mi_tutor.teach.recognising import GRADIENT_TOLERANCE, See, Seen, recognise
from mi_tutor.teach.session import usual_session
from mi_tutor.teach.structure.changes import Change
from mi_tutor.teach.structure.inputs import input_sentence
from mi_tutor.teach.structure.one_thing import one_thing_sentence
from mi_tutor.teach.structure.operations import Guarded
from mi_tutor.teach.structure.ties import tie_sentence
from mi_tutor.teach.wording import describe, describe_kind

OTHER_NUMBERS = 1000  # added to the seed


class CaseVerdict(NamedTuple):
    label: str
    passed: bool
    finding: Finding | None = None


class Verdict(NamedTuple):
    """The judgement of one answer. `mistake` is the name of the known mistake, if it is one."""

    slug: str
    passed: bool
    cases: tuple[CaseVerdict, ...]
    mistake: str | None = None

    @property
    def finding(self) -> Finding | None:
        """What is wrong in the first case that failed."""
        return next((case.finding for case in self.cases if not case.passed), None)


def judge(
    exercise: Exercise,
    answer: Callable[..., Any] | Elsewhere,
    seed: int = 0,
    look: See | None = None,
) -> Verdict:
    """Run an answer on every case of the exercise and judge it.

    look: what runs functions on cases: `see`, or one that remembers what reference and mistakes did.
    """
    look = look or see
    cases = make_cases(exercise, seed)
    truths = [look(exercise, exercise.reference, case) for case in cases]
    seen: list[Seen] = []
    for case in cases:
        seen.append(look(exercise, answer, case))
        failure = seen[-1].outcome.failure
        if failure is not None and failure.timeout:
            break  # the other cases would each wait for the limit again
    findings = [
        find(exercise, case, one, truth)
        for case, one, truth in zip(cases, seen, truths, strict=False)
    ]
    if not any(findings):
        right = tuple(CaseVerdict(case.label, True) for case in cases)
        wrong = _once_more(exercise, answer, cases, truths, seed, look)
        return Verdict(exercise.slug, not wrong, (*right, *wrong))
    comparable = not any(f and f.kind in {"timeout", "unanswered"} for f in findings)
    mistake = recognise(exercise, cases, seen, truths, look) if comparable else None
    if mistake is not None:
        findings = [f and f._replace(kind="mistake", advice=mistake.sentence) for f in findings]
    else:
        findings = _with_structure(exercise, findings, cases, seen, truths, look)
    verdicts = tuple(
        CaseVerdict(case.label, finding is None, finding)
        for case, finding in zip(cases, findings, strict=False)
    )
    return Verdict(exercise.slug, False, verdicts, mistake.name if mistake else None)


def _same_input(value: Any, other: Any) -> bool:
    if isinstance(value, Handle) and isinstance(other, Handle):
        return value.name == other.name
    return unchanged(value, other)


def _once_more(
    exercise: Exercise, answer: Any, cases: list[Case], truths: list[Seen], seed: int, look: See
) -> tuple[CaseVerdict, ...]:
    """One case with other numbers, after all were right: what was kept between calls would do harm now."""
    others = make_cases(exercise, seed + OTHER_NUMBERS)
    for case, before, other in zip(cases, truths, others, strict=False):
        if all(_same_input(value, other.inputs[name]) for name, value in case.inputs.items()):
            continue
        truth = look(exercise, exercise.reference, other)
        if difference(truth.view, before.view, exercise.tolerance, dtype="any") is not None:
            finding = find(exercise, other, look(exercise, answer, other), truth)
            if finding is None:
                return ()
            advice = (
                "All cases were right, and then one of them once more, with other numbers, was not. Is something "
                f"kept between calls (a global variable, a default argument, a cache)? {finding.advice}"
            )
            label = f"{other.label}, with other numbers"
            return (CaseVerdict(label, False, finding._replace(advice=advice)),)
    return ()


def make_cases(exercise: Exercise, seed: int) -> list[Case]:
    """The cases that an answer is judged on; the same for the same seed."""
    with usual_session():
        made = exercise.cases(torch.Generator().manual_seed(seed))
    return [replace(case, at=(seed, number)) for number, case in enumerate(made)]


def see(exercise: Exercise, function: Callable[..., Any], case: Case) -> Seen:
    """Run a function on a case: an answer, the reference or a known mistake."""
    outcome = observe(exercise, function, case)
    return Seen(outcome, viewed(exercise, case, outcome))


def viewed(exercise: Exercise, case: Case, outcome: Outcome) -> Any:
    """The part of an outcome that is compared; a `Finding` if the view cannot be taken of this value."""
    if exercise.view is None or outcome.failure is not None:
        return outcome.value
    try:
        return plain(exercise.view(outcome.value, **case.inputs))
    except Exception:
        value = outcome.value
        if exercise.run is not None and isinstance(value, dict):
            value = next(iter(value.values()))  # by convention what the function itself returned
        advice = f"Your function returned {describe_kind(value)}, which is not the kind of value asked for."
        return Finding("kind", f"{advice} {kind_advice(value)}".strip(), seen=describe(value))


def judge_value(exercise: ValueExercise, value: Any) -> Verdict:
    """Judge an answer that is a number, a word, a tuple..."""
    with usual_session():
        expected = plain(exercise.expected())
    seen = meant(plain(value), expected)
    with contextlib.suppress(Exception):  # it is then judged as it is
        seen = exercise.read(seen)

    def verdict(finding: Finding | None, mistake: str | None = None) -> Verdict:
        case = CaseVerdict("your answer", finding is None, finding)
        return Verdict(exercise.slug, finding is None, (case,), mistake)

    try:
        unknown = (
            isinstance(expected, dict) and isinstance(seen, dict) and set(seen) - set(expected)
        )
        fits = not unknown and bool(exercise.accepts(seen))
    except Exception:
        fits = False
    if not fits:
        this = f"the text {seen!r}" if isinstance(seen, str) else describe_kind(seen)
        advice = f"An answer here is {exercise.form}; this is {this}.{keys_advice(seen, expected)}"
        return verdict(
            Finding("kind", f"{advice} {blank_advice(value)}".strip(), seen=describe(seen))
        )
    if difference(seen, expected, exercise.tolerance, dtype="any") is None:
        return verdict(None)
    for mistake in exercise.mistakes:
        with usual_session():
            wrong = mistake.wrong() if callable(mistake.wrong) else mistake.wrong
        if difference(seen, plain(wrong), exercise.tolerance, dtype="any") is None:
            return verdict(Finding("mistake", mistake.sentence, seen=describe(seen)), mistake.name)
    advice = "That is not it. " + (
        exercise.otherwise or f"The objective says what to look for: {exercise.objective}"
    )
    return verdict(Finding("value", advice, seen=describe(seen)))


def _with_structure(
    exercise: Exercise,
    findings: list[Finding | None],
    cases: list[Case],
    seen: list[Seen],
    truths: list[Seen],
    look: See,
) -> list[Finding | None]:
    """Findings about values, shapes and gradients also say how these differ, if it is the same in every case."""
    kinds = {finding.kind for finding in findings if finding is not None}
    if kinds == {"gradient"}:
        pairs = [
            (s.outcome.gradients, t.outcome.gradients) for s, t in zip(seen, truths, strict=True)
        ]
        within: Any = GRADIENT_TOLERANCE
        otherwise: Callable[[], str] = str
    elif kinds <= {"value", "shape"}:
        pairs = [(s.view, t.view) for s, t in zip(seen, truths, strict=True)]
        within = exercise.tolerance
        otherwise = partial(_other_input, exercise, cases, pairs, look)
    else:
        return findings
    if any(mine is None for mine, _ in pairs):
        return findings
    given = [case.inputs for case in cases] if kinds != {"gradient"} else []
    said = ""
    with contextlib.suppress(
        RuntimeError, TypeError, ValueError, IndexError
    ):  # a sentence less, and no crash
        said = structure.sentence(*zip(*pairs, strict=True), within, otherwise, given)
    return [f and f._replace(advice=f"{f.advice} {said}".strip()) for f in findings]


def _other_input(
    exercise: Exercise, cases: list[Case], pairs: list[tuple[Any, Any]], look: See
) -> str:
    """Where alone it is wrong, or of which other input it is the right result; or ""."""

    def reference(case: Case, change: Change) -> Any:
        run = see if change.key is None else look
        function = change.instead or exercise.reference
        seen = run(exercise, OnOtherInput(function, change, tuple(case.inputs)), case)
        if seen.outcome.failure is not None:
            raise ValueError(seen.outcome.failure.message)
        return seen.view

    known = cases, *zip(*pairs, strict=True), exercise.tolerance, reference
    rights = (exercise.reference, *(style.right for style in exercise.styles))
    one_thing = partial(one_thing_sentence, *known, rights)
    return tie_sentence(*known) or input_sentence(*known, one_thing)


class OnOtherInput(NamedTuple):
    """A function on changed inputs. What it did on a case can be remembered by the change's key, or its words."""

    function: Callable[..., Any]
    change: Change
    names: tuple[str, ...]

    def __call__(self, *given: Any) -> Any:
        made = self.change.made(dict(zip(self.names, given, strict=True)))
        with warnings.catch_warnings(), Guarded(), self.change.around():
            warnings.simplefilter("ignore")  # about what nobody wrote
            return self.function(*made.values())
