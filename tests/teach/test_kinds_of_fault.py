"""Every exercise is asked about every kind of fault. One that is accepted lacks a case, or has a reason.

The reasons are in `no_faults`, one file for each subject: a chapter stands on its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from asked import CHAPTERS, EXERCISES
from faults import Answer, accepted, faults_of, numbers, of_input
from torch import Tensor

from mi_tutor.subjects import SUBJECTS
from mi_tutor.teach import judging
from mi_tutor.teach.exercise import Exercise
from mi_tutor.teach.registry import get

REASONS = Path(__file__).parent / "no_faults"
NO_FAULTS = {
    number: tomllib.loads((REASONS / f"{SUBJECTS[number]}.toml").read_text(encoding="utf-8"))
    for number in CHAPTERS
}
FUNCTIONS = [item for item in EXERCISES if isinstance(item, Exercise)]
FUNCTIONS = [
    item for item in FUNCTIONS if not item.asked_for
]  # one is handed a dictionary, no function
LISTS = ("heads", "receivers", "mlps")


def of_chapter(number: str) -> pytest.MarkDecorator:
    return pytest.mark.recorded("exercises", number)


def allowed(exercise: Exercise) -> set[str]:
    """The faults of an exercise that are none, for the reasons in `no_faults`."""
    slug, reasons = exercise.slug, NO_FAULTS[exercise.chapter]
    is_share = slug in reasons.get("between_0_and_1", ())
    found = {"cut off at 0 and 1"} if is_share else set()
    if is_share or slug in reasons.get("not_negative", ()):
        found.add("absolute values")
    small = reasons.get("small_is_nothing", {}).get(slug, ())
    found |= {f"small inputs set to 0: {name}" for name in small}
    return found | {_ten_of(what) for what in reasons.get("few", {}).get(slug, ())}


def _ten_of(what: str) -> str:
    if what.startswith("axis"):
        return f"ten at most on {what}"
    return f"ten of {what} at most" if what in LISTS else f"{what} 10 at most"


def test_reasons_are_of_exercises_that_there_are() -> None:
    slugs = {item.slug for item in FUNCTIONS}
    for reasons in NO_FAULTS.values():
        for listed in reasons.values():
            assert set(listed) <= slugs


@pytest.mark.parametrize(
    "exercise",
    [pytest.param(item, id=item.slug, marks=of_chapter(item.chapter)) for item in FUNCTIONS],
)
def test_no_kind_of_fault_is_accepted_without_a_reason(exercise):
    cases = judging.make_cases(exercise, 0)
    truths = [judging.see(exercise, exercise.reference, case) for case in cases]
    faults = faults_of(exercise, cases, truths)
    passed = {kind for kind, answer in faults if accepted(exercise, answer, cases, truths)}
    assert passed == allowed(exercise)
    precise = accepted(
        exercise, lambda *given: numbers(exercise.reference(*given), Tensor.double), cases, truths
    )
    assert precise == (exercise.dtype != "exact"), (
        "a more precise result is right unless the text asks for the dtype"
    )


TOUCH = 1e-9  # added to numbers in double precision; ties are broken by it
WAYS = {
    "+": lambda x: x + TOUCH,
    "-": lambda x: x - TOUCH,
    # no two are equal any more
    "/": lambda x: x + TOUCH * torch.arange(x.numel(), dtype=x.dtype).view(x.shape),
}


def a_touch(name: str, way: str) -> Callable[[Exercise], Answer]:
    """The reference, with an input a touch larger or smaller: what `>=` does in place of `>`."""

    def change(x: Any) -> Any:
        if isinstance(x, Tensor):
            return WAYS[way](x.double())
        return x + 1e-6 if way == "+" else x - 1e-6  # it may be compared in single precision

    return of_input(name, change)


EDGES = [
    pytest.param(slug, edges, id=slug, marks=of_chapter(number))
    for number, reasons in NO_FAULTS.items()
    for slug, edges in reasons.get("edges", {}).items()
]


@pytest.mark.parametrize(("slug", "edges"), EDGES)
def test_a_touch_is_noticed_where_there_is_an_edge(slug, edges):
    """All exercises with thresholds, comparisons or counts are here."""
    exercise = get(slug)
    cases = judging.make_cases(exercise, 0)
    truths = [judging.see(exercise, exercise.reference, case) for case in cases]
    for edge in edges:
        assert not accepted(exercise, a_touch(edge[:-1], edge[-1])(exercise), cases, truths), edge
