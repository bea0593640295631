"""Every exercise and quick check of the course, by slug.

Each chapter is a package `mi_tutor.teach.exercises.SUBJECT` with `EXERCISES` and `QUIZZES`, tuples in the order
in which a learner meets them. They are imported when first asked for, since they bring torch with them.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from mi_tutor.subjects import SUBJECTS
from mi_tutor.teach.exercise import Exercise, Quiz, ValueExercise
from mi_tutor.teach.investigation import Investigation

Graded = Exercise | ValueExercise | Investigation


class UnknownSlug(KeyError):
    """No exercise or quick check has this slug. The message names the nearest one."""

    def __str__(self) -> str:
        return str(self.args[0])


def chapters() -> tuple[str, ...]:
    """The numbers of the chapters that have exercises: ("00", "01", ...)."""
    return tuple(SUBJECTS)


def exercises(chapter: str | None = None) -> tuple[Graded, ...]:
    """All exercises, or one chapter's, in the order in which they are met."""
    return tuple(item for number in _selected(chapter) for item in _module(number).EXERCISES)


def quizzes(chapter: str | None = None) -> tuple[Quiz, ...]:
    """All quick checks, or one chapter's, in the order in which they are met."""
    return tuple(item for number in _selected(chapter) for item in _module(number).QUIZZES)


def get(slug: str) -> Graded:
    """The exercise with this slug.

    Raises:
        UnknownSlug: names the nearest slug there is.

    >>> get("toy-forward").title
    'The toy model, forwards'
    """
    return _lookup(slug, exercises, "exercise")


def get_quiz(slug: str) -> Quiz:
    """The quick check with this slug. Raises UnknownSlug like `get`."""
    return _lookup(slug, quizzes, "quick check")


def _lookup(slug: str, listed: Callable[[str], tuple[Any, ...]], what: str) -> Any:
    if not isinstance(slug, str):
        raise UnknownSlug(
            f"The name of the {what} comes first, in quotes; what came was {slug!r:.60}."
        )
    known = {}
    for number in _likely_first():
        known |= {item.slug: item for item in listed(number)}
        if slug in known:
            return known[slug]
    near = difflib.get_close_matches(slug.lower().replace("_", "-"), known, n=1, cutoff=0.5)
    advice = (
        f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known) or 'none yet'}."
    )
    raise UnknownSlug(f"There is no {what} {slug!r}. {advice}")


def _likely_first() -> list[str]:
    """The chapters, that of the latest subject in use first: a chapter uses its own subject and earlier ones.

    So a check loads its own chapter's exercises, and not those of the whole course.
    """
    in_use = [number for number, word in SUBJECTS.items() if f"mi_tutor.lab.{word}" in sys.modules]
    return [*reversed(in_use), *(number for number in SUBJECTS if number not in in_use)]


def _selected(chapter: str | None) -> tuple[str, ...]:
    if chapter is None:
        return chapters()
    if chapter not in chapters():
        raise UnknownSlug(f"There is no chapter {chapter!r}. There are: {', '.join(chapters())}.")
    return (chapter,)


def _module(number: str) -> ModuleType:
    return importlib.import_module(f"mi_tutor.teach.exercises.{SUBJECTS[number]}")
