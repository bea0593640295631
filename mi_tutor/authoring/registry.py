"""What authoring asks of the exercise registry; the only file here that knows where that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast


class ExerciseInfo(Protocol):
    """What a notebook says about an exercise: the fields of `mi_tutor.teach.exercise.Exercise`."""

    @property
    def slug(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def points(self) -> int: ...
    @property
    def minutes(self) -> int: ...
    @property
    def difficulty(self) -> int: ...
    @property
    def objective(self) -> str: ...
    @property
    def optional(self) -> bool: ...


class QuizInfo(Protocol):
    """What authoring needs to know about a quick check."""

    @property
    def slug(self) -> str: ...


class Registry(Protocol):
    """The exercises and quick checks of a chapter, in the order in which they are met."""

    def exercises(self, chapter: str) -> Sequence[ExerciseInfo]: ...
    def quizzes(self, chapter: str) -> Sequence[QuizInfo]: ...


def course_registry() -> Registry:
    """The registry of this course. Its chapters are imported (torch too) when first asked for."""
    from mi_tutor.teach import registry

    return cast(Registry, registry)
