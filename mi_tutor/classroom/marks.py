"""What became of one exercise of one learner: what gradebooks and feedback are made from."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple


def points_as_written(points: float) -> int | float:
    """Points in one form, wherever they are written down.

    >>> [points_as_written(points) for points in (0, 0.0, 2.0, 2.5)]
    [0, 0, 2, 2.5]
    """
    return int(points) if float(points).is_integer() else points


class Status(StrEnum):
    """Only `PASSED` is whole; `WRONG` may have points where a part of them is given."""

    PASSED = "passed"
    WRONG = "wrong"
    UNANSWERED = "not answered"
    STOPPED = "stopped"
    MISSING = "missing"


class Mark(NamedTuple):
    """One exercise, investigation or quick check.

    sentence: for the learner; it names no hidden number. mistake: the name of the known mistake it is.
    right, cases: how many cases were right, of how many; 0 of 0 where that makes no sense.
    flags: for a person to look at; they cost nothing by themselves.
    by_hand: why a person changed the points, or ""; before: the points that the grader gave then.
    """

    slug: str
    title: str
    kind: str
    status: Status
    earned: float
    points: int
    sentence: str = ""
    mistake: str | None = None
    right: int = 0
    cases: int = 0
    flags: tuple[str, ...] = ()
    by_hand: str = ""
    before: float = 0.0

    @property
    def whole(self) -> bool:
        """Whether it counts as right: a person's word is the last one."""
        return self.earned >= self.points if self.by_hand else self.status is Status.PASSED

    @property
    def tried(self) -> bool:
        """Whether there is an answer, or a person's word in its place."""
        return bool(self.by_hand) or self.status not in (Status.UNANSWERED, Status.MISSING)


class Graded(NamedTuple):
    """One learner's notebook. problem: why there is nothing to mark, or "". prints: of answers, by slug."""

    learner: str
    chapter: str | None
    marks: tuple[Mark, ...]
    notes: tuple[str, ...] = ()
    problem: str = ""
    seconds: float = 0.0
    prints: dict[str, str] = {}  # noqa: RUF012

    @property
    def earned(self) -> float:
        return round(sum(mark.earned for mark in self.marks), 2)

    @property
    def points(self) -> int:
        return sum(mark.points for mark in self.marks)

    def as_data(self) -> dict[str, Any]:
        """As JSON."""
        return {**self._asdict(), "marks": [mark._asdict() for mark in self.marks]}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Graded:
        """The same, read back."""
        marks = tuple(
            Mark(**{**mark, "status": Status(mark["status"]), "flags": tuple(mark["flags"])})
            for mark in data["marks"]
        )
        return cls(**{**data, "marks": marks, "notes": tuple(data["notes"])})
