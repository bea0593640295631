"""Exercises, audits and quick checks of chapter 10, in the order in which they are met."""

from mi_tutor.teach.exercises.auditing.audits import CORAL, DUNE
from mi_tutor.teach.exercises.auditing.choice import CHOICE
from mi_tutor.teach.exercises.auditing.comparing import CHANGED_BY_SLICE, KL_TO_BASE
from mi_tutor.teach.exercises.auditing.quizzes import QUIZZES
from mi_tutor.teach.exercises.auditing.removing import REMOVAL, SET_COORDINATE
from mi_tutor.teach.exercises.auditing.searching import SAME_ANSWER

EXERCISES = (
    CHANGED_BY_SLICE,
    KL_TO_BASE,
    SAME_ANSWER,
    SET_COORDINATE,
    REMOVAL,
    CORAL,
    DUNE,
    CHOICE,
)

__all__ = ["EXERCISES", "QUIZZES"]
