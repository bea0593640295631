"""What a learner has passed and what comes next. The events themselves are kept by `progress_store`."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import date
from typing import NamedTuple, Protocol

from mi_tutor.teach.console import tell
from mi_tutor.teach.leitner import due
from mi_tutor.teach.progress_store import (
    Event,
    attempts,
    passed_slugs,
    progress_folder,
    read,
    record,
)


class Countable(Protocol):
    """What a summary needs to know of an exercise or a quick check."""

    slug: str
    chapter: str
    points: int


class ChapterProgress(NamedTuple):
    """One chapter: counts of exercises and quick checks, points of both, the next exercise (None: all done).

    minutes_left: of the exercises that are not passed, as a learner takes them.
    """

    chapter: str
    passed: int
    total: int
    quizzes_passed: int
    quizzes_total: int
    points: int
    points_total: int
    next_slug: str | None
    next_minutes: int | None
    minutes_left: int = 0


class Progress(NamedTuple):
    """All chapters, how many quick checks are due for review, and a sentence if the file is not in order."""

    chapters: tuple[ChapterProgress, ...]
    note: str | None
    due: int = 0


def summary(
    exercises: Iterable[Countable],
    quizzes: Iterable[Countable] = (),
    today: date | None = None,
) -> Progress:
    """Count what was passed, chapter by chapter, in the order in which the exercises come.

    An investigation counts with the most points that a try was worth, passed or not.

    >>> from types import SimpleNamespace as Exercise
    >>> toy = Exercise(slug="not-an-exercise", chapter="98", points=2, minutes=15)
    >>> summary([toy]).chapters[0].next_slug
    'not-an-exercise'
    """
    log = read()
    done = {event.slug for event in log.events if event.passed}
    earned = most_points(log.events)
    exercises, quizzes = list(exercises), list(quizzes)
    order = dict.fromkeys(item.chapter for item in [*exercises, *quizzes])
    chapters = []
    for chapter in order:
        here = [item for item in exercises if item.chapter == chapter]
        asked = [item for item in quizzes if item.chapter == chapter]
        left = [item for item in here if item.slug not in done]
        chapters.append(
            ChapterProgress(
                chapter=chapter,
                passed=len(here) - len(left),
                total=len(here),
                quizzes_passed=sum(item.slug in done for item in asked),
                quizzes_total=len(asked),
                points=sum(worth(item, done, earned) for item in [*here, *asked]),
                points_total=sum(item.points for item in [*here, *asked]),
                next_slug=left[0].slug if left else None,
                next_minutes=getattr(left[0], "minutes", None) if left else None,
                minutes_left=sum(getattr(item, "minutes", 0) for item in left),
            )
        )
    ready = due([item.slug for item in quizzes], log.events, today)
    return Progress(tuple(chapters), log.note, len(ready))


def most_points(events: Iterable[Event]) -> dict[str, int]:
    """The most points that a try of each investigation was worth."""
    earned: dict[str, int] = {}
    for event in events:
        if event.points is not None:
            earned[event.slug] = max(event.points, earned.get(event.slug, 0))
    return earned


def worth(item: Countable, done: Container[str], earned: Mapping[str, int]) -> int:
    """The points of an exercise or a quick check, as far as they are earned."""
    if item.slug in earned:
        return min(earned[item.slug], item.points)
    return item.points if item.slug in done else 0


def as_text(progress: Progress, blocks: str = "█░") -> str:
    """A line per chapter (a bar, the counts, what is next), the sum, and what is due for review.

    blocks: the bar's full and empty character.
    """
    rows = [_chapter_parts(chapter, blocks) for chapter in progress.chapters]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_in_columns(row, widths) for row in rows]
    if not lines:
        lines = ["There are no exercises here yet."]
    else:
        lines.append(_sum_line(progress.chapters))
    if progress.due:
        lines.append(
            f"{progress.due} quick check(s) come back today: review(), or mi-tutor review in a terminal"
        )
    return "\n".join(lines + ([progress.note] if progress.note else []))


def progress(chapter: str | None = None) -> None:
    """Show how far you are, in the whole course or in one chapter ("01")."""
    from mi_tutor.teach.registry import UnknownSlug, exercises, quizzes

    try:
        selected = exercises(chapter), quizzes(chapter)
    except UnknownSlug as error:
        tell(str(error))
        return
    tell(as_text(summary(*selected)))


def _sum_line(chapters: tuple[ChapterProgress, ...]) -> str:
    points, total = (
        sum(getattr(one, name) for one in chapters) for name in ("points", "points_total")
    )
    left = sum(one.minutes_left for one in chapters)
    parts = [f"{points} of {total} points"]
    if len(chapters) > 1:
        counts = sum(one.passed for one in chapters), sum(one.total for one in chapters)
        parts.insert(0, "{} of {} exercises".format(*counts))
    hours = f"{left // 60} h {left % 60} min" if left >= 60 else f"{left} min"
    return "   ".join(parts + ([f"exercises left: about {hours}"] if left else []))


def _in_columns(parts: tuple[str, ...], widths: list[int]) -> str:
    """What stands in a line, each as wide as the widest above and below it; a column of nothing is left out."""
    shown = (part.ljust(width) for part, width in zip(parts, widths, strict=True) if width)
    return "   ".join(shown).rstrip()


def _chapter_parts(chapter: ChapterProgress, blocks: str, width: int = 12) -> tuple[str, str, str]:
    done, total = chapter.passed, chapter.total
    # Rounded down, but one answer shows: a full bar means that all is done.
    n_full = max(width * done // total, min(done, 1)) if total else 0
    bar = blocks[0] * n_full + blocks[1] * (width - n_full)
    quizzes = ""
    if chapter.quizzes_total:
        quizzes = f"quick checks {chapter.quizzes_passed} of {chapter.quizzes_total}"
    if chapter.next_slug is None:
        coming = "all done" if total else "no exercises"
    elif chapter.next_minutes is None:
        coming = f"next: {chapter.next_slug}"
    else:
        coming = f"next: {chapter.next_slug} ({chapter.next_minutes} min)"
    return f"chapter {chapter.chapter}  {bar}  {done} of {total}", quizzes, coming


__all__ = [
    "ChapterProgress",
    "Progress",
    "as_text",
    "attempts",
    "most_points",
    "passed_slugs",
    "progress",
    "progress_folder",
    "record",
    "summary",
    "worth",
]
