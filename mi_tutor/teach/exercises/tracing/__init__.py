"""Exercises and quick checks of chapter 06, circuit tracing, in the order in which they are met."""

from mi_tutor.teach.exercises.tracing.supernodes import SUPERNODES, SWAP_A_SUPERNODE
from mi_tutor.teach.exercises.tracing.validating import VALIDATE

EXERCISES = (SUPERNODES, SWAP_A_SUPERNODE, VALIDATE)
QUIZZES = ()

__all__ = ["EXERCISES", "QUIZZES"]
