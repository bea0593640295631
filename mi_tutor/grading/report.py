"""From what each cell did to what a learner wants to know: exercise by exercise, passed or what is wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from mi_tutor.grading.causes import Cause, causes, together
from mi_tutor.grading.notebook import Notebook
from mi_tutor.grading.places import Place, place
from mi_tutor.grading.run import CellRun, Runs
from mi_tutor.grading.verdict import Status, judge, what_happened

_RAN = CellRun()


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
    counts = Counter(chapters[slug] for slug in notebook.slugs() if slug in chapters)
    return counts.most_common(1)[0][0] if counts else notebook.chapter


def assess(notebook: Notebook, runs: Runs, course: Course) -> Report:
    """Judge a notebook that was run. Exercises of its chapter that it no longer has are listed as missing."""
    chapter = chapter_of(notebook, course)
    wanted: list[tuple[str, Any, Place]] = []
    for kind, role, items in (
        ("exercise", "check", course.exercises),
        ("quick check", "quiz", course.quizzes),
    ):
        here = notebook.slugs("check", "exercise") if role == "check" else notebook.slugs("quiz")
        known = {item.slug: item for item in items}
        expected = [item.slug for item in items if item.chapter == chapter or item.slug in here]
        for slug in [*expected, *(slug for slug in here if slug not in known)]:
            wanted.append((kind, known.get(slug), place(notebook, runs, (role, slug))))
    places = [found for _, _, found in wanted]
    because = causes(notebook, runs, places)
    results = tuple(_result(kind, item, found, runs, because) for kind, item, found in wanted)
    notes = [*_copies(places), *_gone(results), *_other_errors(notebook, runs, places, because)]
    return Report(chapter, results, tuple(notes))


def _result(kind: str, item: Any, found: Place, runs: Runs, because: dict[int, Cause]) -> Result:
    slug = found.slug
    number = found.deciding.number if found.deciding else None
    if item is None:
        sentence = (
            f"This mi_tutor has no {kind} of that name: the notebook comes from another version. Update mi_tutor, "
            "or take the notebook that belongs to it."
        )
        return Result(slug, slug, kind, Status.UNKNOWN, 0, 0, sentence, number)
    status, sentence = judge(found, runs, because)
    title = getattr(item, "title", None) or item.question
    points = item.points if status is Status.PASSED else 0
    if hasattr(item, "rubric") and found.deciding is not None:
        points = _partial(item, status, sentence, runs.get(found.deciding.position, _RAN))
    return Result(slug, title, kind, status, points, item.points, sentence, number)


def _partial(item: Any, status: Status, sentence: str, run: CellRun) -> int:
    """The points of an investigation: what its check printed, or said when it stopped."""
    points = rf"(\d+) of {item.points} points"
    if status is Status.PASSED:
        told, start = run.scored, rf"\S+ {re.escape(item.title)}: \w+, "
    else:
        told, start = (sentence,) * (status is Status.WRONG), ""
    found = [int(match[1]) for line in told if (match := re.match(start + points, line))]
    return min(found[-1], item.points) if found else 0


def _copies(places: Sequence[Place]) -> list[str]:
    lines = []
    for found in places:
        if len(found.asking) > 1 and found.deciding is not None:
            last = found.deciding == found.asking[-1]
            which = "the last one" if last else f"code cell {found.deciding.number}"
            lines.append(
                f"{found.slug} has {len(found.asking)} {found.call[0]} cells; {which} counts."
            )
    return lines


def _gone(results: Sequence[Result]) -> list[str]:
    gone = sum(result.status is Status.MISSING and not result.sentence for result in results)
    if not gone:
        return []
    return [
        f"{gone} of the chapter's exercises and quick checks are not in this notebook at all: "
        "copy their cells from a fresh one."
    ]


def _other_errors(
    notebook: Notebook, runs: Runs, places: Sequence[Place], because: dict[int, Cause]
) -> list[str]:
    """What went wrong in cells that no exercise has told about."""
    told = {cell.position for found in places for cell in [*found.asking, *found.answers]}
    stopped = [
        cell
        for cell in notebook.cells
        if cell.role is None
        and cell.position not in told
        and not runs.get(cell.position, _RAN).fine
    ]
    followers, others = together(stopped, because)
    lines = []
    for cell in others:
        which = "below its check" if cell.piece else "which belongs to no exercise"
        lines.append(f"Code cell {cell.number}, {which}, {what_happened(runs[cell.position])}.")
    return lines + followers
