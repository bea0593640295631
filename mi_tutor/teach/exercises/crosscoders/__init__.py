"""Exercises and quick checks of chapter 09, what training changed, in the order in which they are met."""

from mi_tutor.teach.exercises.crosscoders.asking_back import ARTEFACTS, CAUSAL_CHECK
from mi_tutor.teach.exercises.crosscoders.quizzes import QUIZZES
from mi_tutor.teach.exercises.crosscoders.what_changed import WHAT_DID_TUNING_CHANGE
from mi_tutor.teach.exercises.crosscoders.writing import CROSSCODER, SHARED_OR_EXCLUSIVE

EXERCISES = (
    CROSSCODER,
    SHARED_OR_EXCLUSIVE,
    ARTEFACTS,
    CAUSAL_CHECK,
    WHAT_DID_TUNING_CHANGE,
)

__all__ = ["EXERCISES", "QUIZZES"]
