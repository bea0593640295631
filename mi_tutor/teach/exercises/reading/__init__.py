"""Exercises and quick checks of chapter 00, start here, in the order in which they are met."""

from mi_tutor.teach.exercises.reading.hooks import STRONGEST_HEAD, ZERO_A_HEAD
from mi_tutor.teach.exercises.reading.quizzes import QUIZZES
from mi_tutor.teach.exercises.reading.reading import READ_THE_CACHE, RESIDUAL_SUM
from mi_tutor.teach.exercises.reading.top_tokens import TOP_TOKENS

EXERCISES = (TOP_TOKENS, READ_THE_CACHE, RESIDUAL_SUM, ZERO_A_HEAD, STRONGEST_HEAD)

__all__ = ["EXERCISES", "QUIZZES"]
