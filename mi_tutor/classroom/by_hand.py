"""Marks that a person has changed: a line each in overrides.csv, kept whatever is graded again.

What the grader found stays in results.jsonl; a change is put over it whenever gradebooks and pages are written.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mi_tutor.classroom.gradebook import Row, harmless
from mi_tutor.classroom.marks import Mark

FILE = "overrides.csv"
HEAD = ("learner", "exercise", "points", "reason")


class Change(NamedTuple):
    """One mark of one learner. line: of the file; wrong: why it cannot be taken, or ""."""

    learner: str
    slug: str
    points: float
    reason: str
    line: int = 0
    wrong: str = ""


def read(folder: Path) -> list[Change]:
    """The changes of a folder of results, in their order."""
    path = folder / FILE
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    between = (
        ";" if ";" in text.partition("\n")[0] else ","
    )  # as spreadsheets of other countries save it
    return list(_parsed(csv.reader(io.StringIO(text), delimiter=between)))


def _parsed(lines: Iterator[list[str]]) -> Iterator[Change]:
    for number, cells in enumerate(lines, start=1):
        cells = [cell.strip().removeprefix("'") for cell in cells]
        if not any(cells) or [cell.lower() for cell in cells[:4]] == list(HEAD):
            continue
        learner, slug, points, reason, *_ = *cells, "", "", "", ""
        try:
            earned, wrong = float(points.replace(",", ".")), ""
        except ValueError:
            earned, wrong = 0.0, f"{points!r} is no number of points"
        if not reason:
            wrong = wrong or "it has no reason"
        yield Change(learner, slug, earned, reason, number, wrong)


def add(folder: Path, change: Change) -> None:
    """Write one more line."""
    path = folder / FILE
    fresh = not path.exists()
    old = "" if fresh else path.read_text(encoding="utf-8-sig", errors="replace")
    with path.open("a", encoding="utf-8", newline="") as file:
        if old and not old.endswith("\n"):
            file.write("\n")
        writer = csv.writer(file, delimiter=";" if ";" in old.partition("\n")[0] else ",")
        if fresh:
            writer.writerow(HEAD)
        cells = (change.learner, change.slug, f"{change.points:g}", change.reason)
        writer.writerow([harmless(cell) for cell in cells])


def applied(changes: Sequence[Change], rows: Sequence[Row]) -> list[Row]:
    """The rows with what was changed by hand. Of two changes of one mark the later one counts."""
    return [_changed(row, changes) for row in rows]


def misfits(changes: Sequence[Change], rows: Sequence[Row]) -> list[str]:
    """What is wrong with those that change nothing. It names nobody."""
    said = ((change.line, misfit(change, rows)) for change in changes)
    return [f"{FILE}, line {line}: {wrong}." for line, wrong in said if wrong]


def misfit(change: Change, rows: Sequence[Row]) -> str:
    """Why a change cannot be made, or ""."""
    if change.wrong:
        return change.wrong
    its = [row for row in rows if _is(change, row)]
    if not its:
        return "no learner of this class is called so"
    marks = [mark for row in its for mark in row.graded.marks]
    if not marks:
        return "nothing of this learner's could be read, so there is no mark to change"
    (mark, *_) = [mark for mark in marks if mark.slug == change.slug] or [None]
    if mark is None:
        return f"there is no mark for {change.slug!r}; there is {', '.join(m.slug for m in marks)}"
    if not 0 <= change.points <= mark.points:
        return f"{change.slug} has 0 to {mark.points} points, not {change.points:g}"
    return ""


def _is(change: Change, row: Row) -> bool:
    return change.learner in (row.name, row.graded.learner)


def _changed(row: Row, changes: Sequence[Change]) -> Row:
    mine = {
        change.slug: change for change in changes if _is(change, row) and not misfit(change, [row])
    }
    if not mine:
        return row
    marks = tuple(_mark(mark, mine.get(mark.slug)) for mark in row.graded.marks)
    return row._replace(graded=row.graded._replace(marks=marks))


def _mark(mark: Mark, change: Change | None) -> Mark:
    if change is None:
        return mark
    return mark._replace(earned=change.points, by_hand=change.reason, before=mark.earned)
