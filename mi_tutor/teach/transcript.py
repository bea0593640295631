"""One page to hand in: what was passed, and when. Made of the log on this computer alone.

Tries are not on it: learners are promised that nobody counts them. It says what the log says. Who wants to
be sure runs the notebook: `mi-tutor check`.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any, NamedTuple

from mi_tutor.teach.progress import Progress, most_points, worth
from mi_tutor.teach.progress_store import Event

FOOT = (
    "Made by mi-tutor report from the log on the learner's own computer; nothing was sent anywhere. It tells how "
    "honest people did. To be sure, run the notebook: mi-tutor check."
)
HEADS = ("exercise", "status", "points", "passed on")
_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 56em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; width: 100%; margin: 0 0 1.5em; }
th, td { text-align: left; padding: .2em .6em; border-bottom: 1px solid #8886; }
td:nth-child(n+3), th:nth-child(n+3) { text-align: right; font-variant-numeric: tabular-nums; }
@media print { body { margin: 0; font-size: 11px; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
"""


class Row(NamedTuple):
    """One exercise or quick check. status: "passed" or "not yet"; day: when it was first passed."""

    chapter: str
    title: str
    status: str
    points: int
    points_total: int
    day: str


def rows(items: Iterable[Any], events: Iterable[Event]) -> list[Row]:
    """A row for each exercise and quick check, in the order given."""
    events = list(events)
    days: dict[str, str] = {}
    for event in events:
        if event.passed:
            days.setdefault(event.slug, event.time[:10])
    earned = most_points(events)
    found = []
    for item in items:
        status = "passed" if item.slug in days else "not yet"
        title = getattr(item, "title", None) or f"Quick check: {item.slug}"
        points = worth(item, days, earned)
        day = days.get(item.slug, "")
        found.append(Row(item.chapter, title, status, points, item.points, day))
    return found


def as_markdown(name: str, day: str, found: Progress, lines: Iterable[Row]) -> str:
    """The page as Markdown."""
    parts = [f"# {_title(name)}", "", f"{day}. {_in_short(found)}"]
    for chapter, here in _by_chapter(lines).items():
        parts += [
            "",
            f"## Chapter {chapter}",
            "",
            f"| {' | '.join(HEADS)} |",
            "|---|---|--:|--:|",
        ]
        parts += [
            "| " + " | ".join(cell.replace("|", "\\|") for cell in _cells(row)) + " |"
            for row in here
        ]
    return "\n".join([*parts, "", FOOT, ""])


def as_html(name: str, day: str, found: Progress, lines: Iterable[Row]) -> str:
    """The page as HTML that asks nothing of the network."""
    title = html.escape(_title(name))
    parts = [
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>',
        f"<h1>{title}</h1>\n<p>{html.escape(f'{day}. {_in_short(found)}')}</p>",
    ]
    for chapter, here in _by_chapter(lines).items():
        heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
        parts += [f"<h2>Chapter {html.escape(chapter)}</h2>", f"<table><tr>{heads}</tr>"]
        for row in here:
            cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in _cells(row))
            parts.append(f"<tr>{cells}</tr>")
        parts.append("</table>")
    return "\n".join([*parts, f"<p><small>{html.escape(FOOT)}</small></p></body></html>", ""])


def _title(name: str) -> str:
    return f"mi_tutor: progress of {name}" if name else "mi_tutor: progress"


def _in_short(found: Progress) -> str:
    passed, total = (
        sum(getattr(one, key) for one in found.chapters) for key in ("passed", "total")
    )
    points, of = (
        sum(getattr(one, key) for one in found.chapters) for key in ("points", "points_total")
    )
    checks = sum(one.quizzes_passed for one in found.chapters)
    asked = sum(one.quizzes_total for one in found.chapters)
    return f"{passed} of {total} exercises and {checks} of {asked} quick checks passed, {points} of {of} points."


def _by_chapter(lines: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in lines:
        found.setdefault(row.chapter, []).append(row)
    return found


def _cells(row: Row) -> tuple[str, ...]:
    return row.title, row.status, f"{row.points} of {row.points_total}", row.day
