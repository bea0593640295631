"""Quick checks: one question, some options, feedback for each. Clicked in a widget or typed in the cell."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from mi_tutor.teach.console import tell
from mi_tutor.teach.messages import CheckFailed, failed, paint, passed, wrap
from mi_tutor.teach.progress import record

if TYPE_CHECKING:
    from mi_tutor.teach.exercise import Option, Quiz

UNANSWERED = "?"


def quiz(slug: str, answer: str = UNANSWERED) -> None:
    """Ask a quick check, or mark the answer to it.

    `quiz("two-thirds", "?")` shows the question: click an option and read why it is right or wrong. With a
    letter in place of the question mark the answer is marked without a click, which is what a grader reads.

    Raises:
        CheckFailed: not answered yet, not one of the letters, or not the right one.
    """
    from mi_tutor.teach.registry import UnknownSlug, get_quiz

    try:
        item = get_quiz(slug)
    except UnknownSlug as error:
        raise CheckFailed(str(error), failed(str(error))) from None
    options = lettered(item)
    if (
        answer is None
        or answer is Ellipsis
        or (isinstance(answer, str) and answer.strip() in {"", UNANSWERED})
    ):
        show_question(item)
        message = f"{slug}: not answered yet."
        advice = (
            "Not answered yet. Click an option above, or put its letter in place of the question mark and run the "
            "cell again: a grader reads the letter."
        )
        raise CheckFailed(message, wrap(advice))
    letter = answer.strip().strip("()").lower() if isinstance(answer, str) else ""
    if letter not in options:
        message = f"{slug}: the answer is one of the letters {', '.join(options)} in quotes; you gave {answer!r}."
        raise CheckFailed(message, failed(message))
    text, right = mark(item, letter)
    if not right:
        raise CheckFailed(f"{slug}: {options[letter].feedback}", text)
    tell(text)


def lettered(item: Quiz) -> dict[str, Option]:
    """The options by letter, in an order that is fixed by the slug and not by the author."""

    def place(option: Option) -> bytes:
        return hashlib.blake2b(
            f"quick check\n{item.slug}\n{option.text}".encode(), digest_size=8
        ).digest()

    return dict(zip("abcdef", sorted(item.options, key=place), strict=False))


def mark(item: Quiz, letter: str) -> tuple[str, bool]:
    """What to say to someone who chose this letter, and whether it is right. Recorded as progress."""
    option = lettered(item)[letter]
    warning = record(item.slug, option.right)
    head = passed(f"({letter}) is right.") if option.right else failed(f"({letter}) is not right.")
    lines = [as_text(item, letter), head, wrap(option.feedback, "  ")]
    return "\n".join(lines + ([wrap(warning, "  ")] if warning else [])), option.right


def as_text(item: Quiz, chosen: str = "") -> str:
    """The question and its options as plain text, the chosen one marked."""
    lines = [wrap(paint("Quick check. ", "strong") + item.question)]
    for letter, option in lettered(item).items():
        lines.append(
            wrap(option.text, "         ", f"  {'→' if letter == chosen else ' '} ({letter}) ")
        )
    return "\n".join(lines)


def show_question(item: Quiz) -> None:
    """The widget where there is a notebook to show it in, else the text."""
    try:
        from mi_tutor.teach.quiz_widget import display_quiz
    except ImportError:
        tell(as_text(item))
        return
    display_quiz(item)
