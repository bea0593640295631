"""The one thing that is different: another place in a model, or one operation of the code.

A right answer (the reference, or one of the exercise's styles, which may be written as the learner's is) is run
with one thing changed. All changes are tried: what two could mean is told as two, what more could mean is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mi_tutor.teach.exercise import Case, Handle
from mi_tutor.teach.structure.changes import Change
from mi_tutor.teach.structure.inputs import (
    ANOTHER,
    explanations,
    made_or_none,
    those_that_fit,
    wrong_first,
)
from mi_tutor.teach.structure.operations import operation_changes, recorded
from mi_tutor.teach.structure.sites import Asked, asked_of, site_changes

STYLES = 4  # right answers that are tried, where no model has to run for each


def one_thing_sentence(
    cases: Sequence[Case],
    seen: Sequence[Any],
    expected: Sequence[Any],
    tolerance: Any,
    reference: Callable[[Case, Change], Any],
    rights: Sequence[Callable],
) -> str:
    """What was seen is right with one thing changed; or "". The arguments are those of `inputs.input_sentence`.

    rights: the reference and other right answers.
    """
    results = list(zip(seen, expected, strict=True))
    order = wrong_first(results, tolerance)
    if not order:
        return ""
    first = cases[order[0]]
    whole = explanations(results, tolerance)
    for number, (right, asked) in enumerate(_worth_trying(first, reference, rights)):
        found: dict[str, None] = {}
        for change in _changes(first, reference, right, asked):
            change = change._replace(instead=right, key=f"{number}: {change.key}")
            wanted = whole if change.compares else {ANOTHER: whole[ANOTHER]}
            fitting = those_that_fit(wanted, change, cases, results, order, tolerance, reference)
            for text in list(fitting)[:1]:
                found[text.format(about=change.about, words=change.words)] = None
            if len(found) > 2:
                break
        if found:
            return _said(list(found))
    return ""


def _said(found: Sequence[str]) -> str:
    """One sentence; two that begin alike as one; more say nothing."""
    if len(found) == 1:
        return found[0]
    begins = {text.split(": ")[0] for text in found}
    if len(found) > 2 or len(begins) > 1:
        return ""
    return f"{found[0].removesuffix('.')}; or {found[1].split(': ', 1)[1]}"


def _worth_trying(
    case: Case, reference: Callable[[Case, Change], Any], rights: Sequence[Callable]
) -> Iterator[tuple[Callable, Mapping[str, Asked]]]:
    """The right answers to be tried: some; of a model one that asks it by hooks and names, as learners do."""
    if not _has_handles(case):
        yield from ((right, {}) for right in rights[:STYLES])
        return
    for right in (*rights[1:], rights[0]):
        asked = asked_of(case, reference, right)
        if asked:
            yield right, asked
            return
    yield rights[0], {}


def _has_handles(case: Case) -> bool:
    return any(isinstance(value, Handle) for value in case.inputs.values())


def _changes(
    case: Case,
    reference: Callable[[Case, Change], Any],
    right: Callable,
    asked: Mapping[str, Asked],
) -> Iterator[Change]:
    yield from site_changes(asked)
    if any(each.edits for each in asked.values()):
        return  # where a model is edited that is what goes wrong, and each try takes many runs
    calls = recorded(lambda change: made_or_none(reference, case, change._replace(instead=right)))
    yield from operation_changes(calls, _has_handles(case))
