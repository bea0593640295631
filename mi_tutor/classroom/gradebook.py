"""Gradebooks as Canvas, Moodle and nbgrader read them, one for people, and JUnit XML."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from mi_tutor.classroom.marks import Graded, points_as_written

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Row(NamedTuple):
    """What a gradebook says of one learner and chapter. days: late; share: of the points, that lateness leaves."""

    name: str
    file: str
    time: float
    graded: Graded
    days: int = 0
    share: float = 1.0

    @property
    def score(self) -> float:
        return round(self.graded.earned * self.share, 2)

    @property
    def chapter(self) -> str:
        return self.graded.chapter or ""


def write_gradebooks(folder: Path, rows: Sequence[Row]) -> None:
    """gradebook.csv with everything, and one for each place where courses live."""
    slugs = list(dict.fromkeys(mark.slug for row in rows for mark in row.graded.marks))
    head = [
        "learner",
        "chapter",
        "score",
        "points",
        "days late",
        "problem",
        "changed by hand",
        *slugs,
    ]
    _write(folder / "gradebook.csv", head, (_line(row, slugs) for row in rows))
    chapters = sorted({row.chapter for row in rows if row.chapter})
    most = {c: max(row.graded.points for row in rows if row.chapter == c) for c in chapters}
    by_learner: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_learner.setdefault(row.name, {})[row.chapter] = row
    _write(
        folder / "gradebook-canvas.csv",
        [
            "Student",
            "ID",
            "SIS User ID",
            "SIS Login ID",
            "Section",
            *(f"Chapter {c}" for c in chapters),
        ],
        [
            ["    Points Possible", "", "", "", "", *(most[c] for c in chapters)],
            *(
                [*_name_and_number(name), "", "", "", *_scores(its, chapters)]
                for name, its in by_learner.items()
            ),
        ],
    )
    _write(
        folder / "gradebook-moodle.csv",
        ["Identifier", "Full name", *(f"Chapter {c}" for c in chapters)],
        (
            [
                f"Participant {_name_and_number(name)[1]}",
                _name_and_number(name)[0],
                *_scores(its, chapters),
            ]
            for name, its in by_learner.items()
        ),
    )
    _write(
        folder / "gradebook-nbgrader.csv",
        ["assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
         "raw_score", "late_submission_penalty", "score", "max_score"],
        ([f"chapter-{row.chapter}", "", _timestamp(row.time), row.name, "", "", "", row.graded.earned,
          round(row.graded.earned - row.score, 2), row.score, row.graded.points] for row in rows if row.chapter),
    )  # fmt: skip


def _line(row: Row, slugs: Sequence[str]) -> list[Any]:
    # Points of what was tried: an empty cell is not answered, or not asked in this chapter.
    earned = {mark.slug: mark.earned for mark in row.graded.marks if mark.tried}
    changed = (mark for mark in row.graded.marks if mark.by_hand)
    by_hand = "; ".join(f"{mark.slug} was {mark.before:g}: {mark.by_hand}" for mark in changed)
    front = [
        row.name,
        row.chapter,
        row.score,
        row.graded.points,
        row.days,
        row.graded.problem,
        by_hand,
    ]
    return [*front, *(earned.get(slug, "") for slug in slugs)]


def _scores(its: dict[str, Row], chapters: Sequence[str]) -> list[Any]:
    return [its[c].score if c in its else "" for c in chapters]


def _name_and_number(name: str) -> tuple[str, str]:
    """ "Ada Lovelace_17", as learners of Canvas and Moodle are called here, in its two parts."""
    found = re.fullmatch(r"(.+)_(\d+)", name)
    return (found[1], found[2]) if found else (name, "")


def _timestamp(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S") if time > 0 else ""


def _write(path: Path, head: Sequence[Any], lines: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="", errors="backslashreplace") as file:
        writer = csv.writer(file)
        for line in (head, *lines):
            writer.writerow([_number(cell) for cell in map(harmless, line)])


def _number(cell: Any) -> Any:
    return points_as_written(cell) if isinstance(cell, float) else cell


def harmless(cell: Any) -> Any:
    """A spreadsheet must not take a name for a formula.

    >>> harmless("=1+1"), harmless(-1.0)
    ("'=1+1", -1.0)
    """
    if isinstance(cell, str) and cell.lstrip().startswith(_FORMULA) and not cell.startswith("    "):
        return f"'{cell}"
    return cell


def write_junit(path: Path, rows: Sequence[Row]) -> None:
    """A test suite per learner, a test per exercise: for continuous integration."""
    root = ElementTree.Element("testsuites", name="mi-tutor grade")
    for row in rows:
        marks = row.graded.marks
        failed = sum(not mark.whole for mark in marks)
        suite = ElementTree.SubElement(
            root, "testsuite", name=_xml(f"{row.name} {row.chapter}".strip()), tests=str(len(marks)),
            failures=str(failed), errors=str(int(bool(row.graded.problem))), time=str(row.graded.seconds),
        )  # fmt: skip
        for mark in marks:
            case = ElementTree.SubElement(
                suite, "testcase", classname=_xml(f"chapter {row.chapter}"), name=_xml(mark.slug)
            )
            if not mark.whole:
                message = _xml(mark.sentence or str(mark.status))
                ElementTree.SubElement(case, "failure", message=message, type=str(mark.status))
        if row.graded.problem:
            case = ElementTree.SubElement(suite, "testcase", classname="file", name=_xml(row.file))
            ElementTree.SubElement(case, "error", message=_xml(row.graded.problem))
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _xml(text: str) -> str:
    return _NOT_XML.sub("�", text)
