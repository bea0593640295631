"""`mi-tutor review` and `mi-tutor report`: quick checks that come back, and one page to hand in."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

from mi_tutor.cli import listing
from mi_tutor.cli.say import Trouble, say
from mi_tutor.files import write_atomically


def review() -> None:
    """Ask what is due, one after the other; in a pipe only list it."""
    from mi_tutor.teach.console import tell
    from mi_tutor.teach.leitner import due, schedule
    from mi_tutor.teach.progress_store import read
    from mi_tutor.teach.quiz_text import as_text, lettered, mark
    from mi_tutor.teach.reviewing import nothing_due

    quizzes = {item.slug: item for item in listing.course()[1]}
    events = read().events
    ready = due(quizzes, events)
    if not ready:
        say(nothing_due(schedule(quizzes, events)))
        return
    if not sys.stdin.isatty():
        for one in ready:
            say(f"{one.slug}  (due {one.due})")
        return
    for number, one in enumerate(ready, 1):
        item = quizzes[one.slug]
        asked = item.in_other_words() if one.again else item
        say(f"{number} of {len(ready)}", "faint")
        tell(as_text(asked))
        letter = _letter(lettered(asked))
        if not letter:
            return
        text, _ = mark(asked, letter, again=one.again and item.review is not None)
        tell(text + "\n")


def report(path: Path, name: str) -> None:
    """Write the page, as Markdown or as HTML by how the file's name ends."""
    from mi_tutor.teach.progress import summary
    from mi_tutor.teach.progress_store import read
    from mi_tutor.teach.transcript import as_html, as_markdown, rows

    makers = {".md": as_markdown, ".markdown": as_markdown, ".html": as_html, ".htm": as_html}
    make = makers.get(path.suffix.lower())
    if make is None:
        raise Trouble(f"{path}: give a name that ends in .html or .md.")
    exercises, quizzes = listing.course()
    found = summary(exercises, quizzes)
    lines = rows([*exercises, *quizzes], read().events)
    try:
        write_atomically(path, make(name, date.today().isoformat(), found, lines))
    except OSError as error:
        raise Trouble(
            f"{path} cannot be written ({(error.strerror or str(error)).lower()})."
        ) from None
    say(f"{path} has your progress: one page, made here, sent nowhere.", "good")
    if found.note:
        say(found.note, "note")


def _letter(options: dict[str, object]) -> str:
    """What was typed, once it is a letter; nothing for somebody who has had enough."""
    while True:
        try:
            typed = input(f"Your answer ({'/'.join(options)}, or Enter to stop): ").strip().lower()
        except EOFError:
            return ""
        if not typed or typed in options:
            return typed
