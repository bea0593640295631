"""Exercises and quick checks of chapter 07, steering, in the order in which they are met."""

from mi_tutor.teach.exercises.steering.driving import DRIVING
from mi_tutor.teach.exercises.steering.investigations import INVESTIGATIONS
from mi_tutor.teach.exercises.steering.quizzes import QUIZZES
from mi_tutor.teach.exercises.steering.refusing import REFUSING

EXERCISES = (*DRIVING, *REFUSING, *INVESTIGATIONS)

__all__ = ["EXERCISES", "QUIZZES"]
