"""Exercises and quick checks of chapter 06, circuit tracing, in the order in which they are met."""

from mi_tutor.teach.exercises.tracing.dallas import READ_DALLAS
from mi_tutor.teach.exercises.tracing.generic import THE_GENERIC_LATENT
from mi_tutor.teach.exercises.tracing.quizzes_reading import QUIZZES_READING
from mi_tutor.teach.exercises.tracing.supernodes import SUPERNODES
from mi_tutor.teach.exercises.tracing.swapping import SWAP_A_SUPERNODE
from mi_tutor.teach.exercises.tracing.validating import VALIDATE
from mi_tutor.teach.exercises.tracing.wrong_graph import A_WRONG_GRAPH

EXERCISES = (
    SUPERNODES,
    SWAP_A_SUPERNODE,
    THE_GENERIC_LATENT,
    READ_DALLAS,
    VALIDATE,
    A_WRONG_GRAPH,
)
QUIZZES = QUIZZES_READING

__all__ = ["EXERCISES", "QUIZZES"]
