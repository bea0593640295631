"""Spaced review: the quick checks that `teach.leitner` says are due, asked again."""

from __future__ import annotations

from datetime import date

from mi_tutor.teach.console import tell
from mi_tutor.teach.leitner import Review, schedule

AT_ONCE = 5  # how many `review()` asks


def review(at_once: int = AT_ONCE) -> None:
    """Ask the quick checks that are due, in other words than last time. Click an answer, or leave it for later."""
    from mi_tutor.teach.progress_store import read
    from mi_tutor.teach.quiz import show_question
    from mi_tutor.teach.registry import get_quiz, quizzes

    planned = schedule([item.slug for item in quizzes()], read().events)
    ready = [one for one in planned if one.due <= date.today()]
    if not ready:
        tell(nothing_due(planned))
        return
    for one in ready[:at_once]:
        item = get_quiz(one.slug)
        again = one.again and item.review is not None
        show_question(item, again=again)
        tell(f'Typed: quiz("{one.slug}", "a letter"{", again=True" * again})')
    left = len(ready) - at_once
    if left > 0:
        tell(f"{left} more after these: run review() again.")


def nothing_due(planned: list[Review]) -> str:
    """What is said on a day without reviews."""
    if not planned:
        return "There is nothing to review yet. Quick checks come back a day after you answered them right."
    first = planned[0].due
    same = sum(one.due == first for one in planned)
    return f"Nothing to review today. {same} quick check(s) come back on {first:%d %B %Y}."


__all__ = ["AT_ONCE", "nothing_due", "review"]
