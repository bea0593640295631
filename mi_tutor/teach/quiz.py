"""Quick checks: one question, some options, feedback for each. Clicked in a widget or typed in the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mi_tutor.teach.console import tell
from mi_tutor.teach.messages import CheckFailed, failed, wrap
from mi_tutor.teach.quiz_text import as_text, lettered, mark

if TYPE_CHECKING:
    from mi_tutor.teach.exercise import Quiz

UNANSWERED = "?"
_OTHER_WORDS = 'The same in other words: quiz("{}", "?", again=True)'


def quiz(slug: str, answer: str = UNANSWERED, *, again: bool = False) -> None:
    """Ask a quick check, or mark the answer to it.

    `quiz("two-thirds", "?")` shows the question: click an option and read why it is right or wrong. With a
    letter in place of the question mark the answer is marked without a click, which is what a grader reads.

    again: ask, or mark, the check's second wording: for review. Without it a letter always means the first one,
        whatever was asked or answered before.

    Raises:
        CheckFailed: not answered yet, not one of the letters, or not the right one.
    """
    from mi_tutor.teach.registry import UnknownSlug, get_quiz

    try:
        item = get_quiz(slug)
    except UnknownSlug as error:
        raise CheckFailed(str(error), failed(str(error))) from None
    asked = item.in_other_words() if again else item
    options = lettered(asked)
    if (
        answer is None
        or answer is Ellipsis
        or (isinstance(answer, str) and answer.strip() in {"", UNANSWERED})
    ):
        show_question(item, again=again)
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
    text, right = mark(asked, letter, again)
    if not right:
        more = "" if again or not item.review else "\n" + wrap(_OTHER_WORDS.format(slug), "  ")
        raise CheckFailed(f"{slug}: {options[letter].feedback}", text + more)
    tell(text)


def show_question(item: Quiz, again: bool = False) -> None:
    """The widget where there is a notebook to show it in, else the text. `again`: in its second wording."""
    try:
        from mi_tutor.teach.quiz_widget import display_quiz
    except ImportError:
        tell(as_text(item.in_other_words() if again else item))
        return
    display_quiz(item, again)
