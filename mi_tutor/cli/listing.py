"""`mi-tutor exercises` and `mi-tutor progress`: what there is, and what is done."""

from __future__ import annotations

from typing import Any

from mi_tutor.cli.say import Trouble, can_show, markdown, say, say_json, table

_HEADS = ("chapter", "exercise", "minutes", "difficulty", "points", "mistakes", "styles", "hints")
_NUMBERS = _HEADS[2:]


def course(chapter: str | None = None) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The exercises and quick checks of the course, or of one chapter ("1" is "01").

    Raises:
        Trouble: there is no such chapter.
    """
    from mi_tutor.teach.registry import UnknownSlug, exercises, quizzes

    if chapter is not None and chapter.isdigit():
        chapter = chapter.zfill(2)
    try:
        return exercises(chapter), quizzes(chapter)
    except UnknownSlug as error:
        raise Trouble(str(error)) from None


def show_exercises(chapter: str | None, with_mistakes: bool, as_markdown: bool) -> None:
    """Print the table of exercises × mistakes × accepted styles, or the mistakes themselves."""
    items, _ = course(chapter)
    if with_mistakes:
        _show_mistakes(items, as_markdown)
        return
    rows = [
        (
            e.chapter,
            e.slug,
            e.minutes,
            e.difficulty,
            e.points,
            len(e.mistakes),
            len(e.styles),
            len(e.hints),
        )
        for e in items
    ]
    sums = [sum(row[column] for row in rows) for column in range(2, len(_HEADS))]
    sums[1] = ""  # difficulties do not add up
    rows.append(("", f"{len(items)} exercises", *sums))
    (markdown if as_markdown else table)(_HEADS, rows, _NUMBERS)


def _show_mistakes(items: tuple[Any, ...], as_markdown: bool) -> None:
    if as_markdown:
        rows = [(e.slug, m.name, m.sentence) for e in items for m in e.mistakes]
        markdown(("exercise", "mistake", "what the learner reads"), rows)
        return
    for exercise in items:
        say(f"{exercise.slug}  ({len(exercise.mistakes)} known mistakes)", "strong")
        for mistake in exercise.mistakes:
            say(mistake.name, indent=2)
            say(mistake.sentence, "faint", indent=6)


def show_progress(chapter: str | None, as_json: bool) -> None:
    """Print a bar for each chapter."""
    from mi_tutor.teach.progress import as_text, progress_folder, summary

    found = summary(*course(chapter))
    if as_json:
        chapters = [item._asdict() for item in found.chapters]
        more = {"due": found.due, "note": found.note, "folder": str(progress_folder())}
        say_json({"chapters": chapters, **more})
        return
    print(as_text(found, "█░" if can_show("█░") else "#."))
    say(f"Kept in {progress_folder()}", "faint")
