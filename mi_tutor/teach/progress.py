"""What a learner has passed and what comes next. The events themselves are kept by `progress_store`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from mi_tutor.teach.console import tell
from mi_tutor.teach.progress_store import attempts, passed_slugs, progress_folder, read, record


class Countable(Protocol):
    """What a summary needs to know of an exercise or a quick check."""

    slug: str
    chapter: str
    points: int


class ChapterProgress(NamedTuple):
    """One chapter: counts of exercises and quick checks, points of both, the next exercise (None: all done)."""

    chapter: str
    passed: int
    total: int
    quizzes_passed: int
    quizzes_total: int
    points: int
    points_total: int
    next_slug: str | None
    next_minutes: int | None


class Progress(NamedTuple):
    """All chapters, and a sentence if the progress file is not in order."""

    chapters: tuple[ChapterProgress, ...]
    note: str | None


def summary(exercises: Iterable[Countable], quizzes: Iterable[Countable] = ()) -> Progress:
    """Count what was passed, chapter by chapter, in the order in which the exercises come.

    An investigation counts with the most points that a try was worth, passed or not.

    >>> from types import SimpleNamespace as Exercise
    >>> toy = Exercise(slug="not-an-exercise", chapter="98", points=2, minutes=15)
    >>> summary([toy]).chapters[0].next_slug
    'not-an-exercise'
    """
    log = read()
    done = {event.slug for event in log.events if event.passed}
    earned: dict[str, int] = {}
    for event in log.events:
        if event.points is not None:
            earned[event.slug] = max(event.points, earned.get(event.slug, 0))
    exercises, quizzes = list(exercises), list(quizzes)
    order = dict.fromkeys(item.chapter for item in [*exercises, *quizzes])
    chapters = []
    for chapter in order:
        here = [item for item in exercises if item.chapter == chapter]
        asked = [item for item in quizzes if item.chapter == chapter]
        left = next((item for item in here if item.slug not in done), None)
        chapters.append(
            ChapterProgress(
                chapter=chapter,
                passed=sum(item.slug in done for item in here),
                total=len(here),
                quizzes_passed=sum(item.slug in done for item in asked),
                quizzes_total=len(asked),
                points=sum(
                    min(earned[item.slug], item.points)
                    if item.slug in earned
                    else item.points * (item.slug in done)
                    for item in [*here, *asked]
                ),
                points_total=sum(item.points for item in [*here, *asked]),
                next_slug=left.slug if left else None,
                next_minutes=getattr(left, "minutes", None),
            )
        )
    return Progress(tuple(chapters), log.note)


def as_text(progress: Progress, blocks: str = "█░") -> str:
    """A line per chapter: a bar, the counts, and what is next. `blocks`: the bar's full and empty character."""
    lines = [_chapter_line(chapter, blocks) for chapter in progress.chapters]
    if not lines:
        lines = ["There are no exercises here yet."]
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


def _chapter_line(chapter: ChapterProgress, blocks: str, width: int = 12) -> str:
    done, total = chapter.passed, chapter.total
    # Rounded down, but one answer shows: a full bar means that all is done.
    n_full = max(width * done // total, min(done, 1)) if total else 0
    bar = blocks[0] * n_full + blocks[1] * (width - n_full)
    parts = [f"chapter {chapter.chapter}  {bar}  {done} of {total}"]
    if chapter.quizzes_total:
        parts.append(f"quick checks {chapter.quizzes_passed} of {chapter.quizzes_total}")
    if chapter.next_slug is None:
        parts.append("all done" if total else "no exercises")
    elif chapter.next_minutes is None:
        parts.append(f"next: {chapter.next_slug}")
    else:
        parts.append(f"next: {chapter.next_slug} ({chapter.next_minutes} min)")
    return "   ".join(parts)


__all__ = [
    "ChapterProgress",
    "Progress",
    "as_text",
    "attempts",
    "passed_slugs",
    "progress",
    "progress_folder",
    "record",
    "summary",
]
