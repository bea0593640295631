"""When quick checks come back: what was once understood is asked again, in other words.

Leitner's boxes, replayed from the log of answers, so that nothing else has to be kept:

1. The first right answer puts a quick check into box 1: it comes back after a day.
2. A right answer on or after that day moves it one box on (3, 7, 16, 35, 80 days). One
   given before changes nothing.
3. A wrong answer puts it back into box 1, and takes no point away.

A quick check has at most a dozen answers, right or wrong. With so little to fit, a scheduler with a model of
forgetting (FSRS) would use its defaults, and nobody could see why a question comes today.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mi_tutor.teach.progress_store import Event

DAYS = (1, 3, 7, 16, 35, 80)  # until a quick check of box 1, 2, ... comes back


class Review(NamedTuple):
    """When a quick check comes back. again: in its second wording, since the last time it was the first."""

    slug: str
    due: date
    box: int
    again: bool


def schedule(slugs: Iterable[str], events: Iterable[Event]) -> list[Review]:
    """When each quick check that was once right comes back, the earliest first.

    >>> from mi_tutor.teach.progress_store import Event
    >>> right = Event("2030-05-01T12:00:00", "a-check", True)
    >>> schedule(["a-check"], [right])[0].due.isoformat()
    '2030-05-02'
    """
    wanted = dict.fromkeys(slugs)
    found: dict[str, Review] = {}
    for event in events:
        day = _day(event.time)
        if event.slug not in wanted or day is None:
            continue
        before = found.get(event.slug)
        if before is None and not event.passed:
            continue
        box = _next_box(before, event.passed, day)
        is_early = before is not None and event.passed and day < before.due
        due = before.due if before and is_early else day + timedelta(days=DAYS[box - 1])
        found[event.slug] = Review(event.slug, due, box, not event.again)
    return sorted(found.values(), key=lambda one: (one.due, list(wanted).index(one.slug)))


def due(slugs: Iterable[str], events: Iterable[Event], today: date | None = None) -> list[Review]:
    """Those that come back today, or should have before."""
    day = today or date.today()
    return [one for one in schedule(slugs, events) if one.due <= day]


def _next_box(before: Review | None, passed: bool, day: date) -> int:
    if before is None or not passed:
        return 1
    return before.box if day < before.due else min(before.box + 1, len(DAYS))


def _day(time: str) -> date | None:
    """The learner's day of an event; None if its time cannot be read."""
    try:
        moment = datetime.fromisoformat(time)
        day = moment.astimezone().date() if moment.tzinfo else moment.date()
        return (
            day if day + timedelta(days=DAYS[-1]) else None
        )  # a clock at the end of time overflows
    except (ValueError, OverflowError):
        return None


__all__ = ["DAYS", "Review", "due", "schedule"]
