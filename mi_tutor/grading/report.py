"""From what each cell did to what a learner wants to know: exercise by exercise, passed or what is wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from mi_tutor.grading.notebook import CodeCell, Notebook
from mi_tutor.grading.run import CellRun, Runs

_STUB = re.compile(r"^\s*raise NotImplementedError\b|=\s*\.\.\.\s*(#.*)?$", re.MULTILINE)
_RAN = CellRun()


class Status(StrEnum):
    """What became of an exercise or quick check. Only `PASSED` gives points."""

    PASSED = "passed"
    WRONG = "wrong"
    UNANSWERED = "not answered yet"
    ERROR = "error in the cell"
    TIMEOUT = "took too long"
    NOT_REACHED = "not reached"
    MISSING = "check missing"
    CHANGED = "check changed"
    UNKNOWN = "not known here"


class Result(NamedTuple):
    """One exercise or quick check. `cell`: the number of the code cell that decided (None: there is none)."""

    slug: str
    title: str
    kind: str
    status: Status
    points: int
    points_total: int
    sentence: str = ""
    cell: int | None = None


class Report(NamedTuple):
    """A whole notebook. `notes` says what else is worth knowing, such as errors in cells without exercises."""

    chapter: str | None
    results: tuple[Result, ...]
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether there is something to pass, and all of it was."""
        return bool(self.results) and all(result.status is Status.PASSED for result in self.results)


class Course(NamedTuple):
    """What the installed course has: its exercises and quick checks, in order."""

    exercises: Sequence[Any]
    quizzes: Sequence[Any]


def chapter_of(notebook: Notebook, course: Course) -> str | None:
    """The chapter most of a notebook's exercises belong to; if it has none, what its metadata or name says."""
    chapters = {item.slug: item.chapter for item in [*course.exercises, *course.quizzes]}
    counts = Counter(chapters[cell.slug] for cell in notebook.cells if cell.slug in chapters)
    return counts.most_common(1)[0][0] if counts else notebook.chapter


def assess(notebook: Notebook, runs: Runs, course: Course) -> Report:
    """Judge a notebook that was run. Exercises of its chapter that it no longer has are listed as missing."""
    chapter = chapter_of(notebook, course)
    results: list[Result] = []
    notes: list[str] = []
    for kind, role, items in (
        ("exercise", "check", course.exercises),
        ("quick check", "quiz", course.quizzes),
    ):
        roles = ("check", "exercise") if kind == "exercise" else ("quiz",)
        here = dict.fromkeys(
            cell.slug for cell in notebook.cells if cell.role in roles and cell.slug
        )
        known = {item.slug: item for item in items}
        expected = [item.slug for item in items if item.chapter == chapter or item.slug in here]
        for slug in [*expected, *(slug for slug in here if slug not in known)]:
            deciding = _deciding(notebook, slug, role)
            if len(deciding) > 1:
                notes.append(f"{slug} has {len(deciding)} {role} cells; the last one counts.")
            cell = deciding[-1] if deciding else None
            results.append(_result(notebook, runs, slug, kind, known.get(slug), cell))
    gone = sum(result.status is Status.MISSING and not result.sentence for result in results)
    if gone:
        notes.append(
            f"{gone} of the chapter's exercises and quick checks are not in this notebook at all: "
            "copy their cells from a fresh one."
        )
    return Report(chapter, tuple(results), tuple(notes + _other_errors(notebook, runs)))


def _result(
    notebook: Notebook, runs: Runs, slug: str, kind: str, item: Any, cell: CodeCell | None
) -> Result:
    number = cell.number if cell else None
    if item is None:
        sentence = (
            f"This mi_tutor has no {kind} of that name: the notebook comes from another version. Update mi_tutor, "
            "or take the notebook that belongs to it."
        )
        return Result(slug, slug, kind, Status.UNKNOWN, 0, 0, sentence, number)
    status, sentence = _judge(
        notebook, runs, slug, "quiz" if kind == "quick check" else "check", cell
    )
    points = item.points if status is Status.PASSED else 0
    title = getattr(item, "title", None) or item.question
    return Result(slug, title, kind, status, points, item.points, sentence, number)


def _deciding(notebook: Notebook, slug: str, role: str) -> list[CodeCell]:
    """The check (or quiz) cells of a slug. Cells that only look like one count where no cell is marked."""
    cells = [cell for cell in notebook.cells if cell.role == role and cell.slug == slug]
    return [cell for cell in cells if cell.marked] or cells


def _judge(
    notebook: Notebook, runs: Runs, slug: str, role: str, cell: CodeCell | None
) -> tuple[Status, str]:
    answers = [c for c in notebook.cells if c.role == "exercise" and c.slug == slug]
    call = f'{role}("{slug}", ...)'
    if cell is None:
        return (
            Status.MISSING,
            f"The exercise is there, but the cell with {call} is not." if answers else "",
        )
    if not cell.asks:
        return Status.CHANGED, f"Code cell {cell.number} no longer has its {call}."
    run = runs.get(cell.number)
    if run is not None and run.fine:
        return Status.PASSED, ""
    if run is not None and run.error is not None and run.error[0] == "CheckFailed":
        sentence = run.error[1].removeprefix(f"{slug}:").strip()
        still_a_stub = any(_STUB.search(answer.source) for answer in answers)
        if still_a_stub or "not answered yet" in sentence.lower():
            return Status.UNANSWERED, ""
        return Status.WRONG, sentence
    # Not the check's own words: where it went wrong is the first of these cells that did.
    for culprit in [*answers, cell]:
        done = runs.get(culprit.number, _RAN)
        if done.error is not None and done.error[0] == "NotImplementedError":
            return Status.UNANSWERED, ""
        if not done.fine:
            status = Status.TIMEOUT if done.stopped == "timeout" else Status.ERROR
            return status, f"Code cell {culprit.number} {_what_happened(done)}."
    return Status.NOT_REACHED, "Earlier cells had to be stopped too often. Mend those first."


def _other_errors(notebook: Notebook, runs: Runs) -> list[str]:
    return [
        f"Code cell {cell.number}, which belongs to no exercise, {_what_happened(runs[cell.number])}."
        for cell in notebook.cells
        if cell.role is None and not runs.get(cell.number, _RAN).fine
    ]


def _what_happened(run: CellRun) -> str:
    if run.stopped == "timeout":
        return "was stopped at the time limit"
    if run.stopped == "flooded":
        return "was stopped because it printed without end"
    if run.stopped == "died":
        return "ended the kernel (out of memory, or an exit)"
    assert run.error is not None
    name, message = run.error
    first = next((line.strip().rstrip(".") for line in message.splitlines() if line.strip()), "")
    return f"stopped with {name}: {first}" if first else f"stopped with {name}"
