"""Exercises and quick checks of chapter 09, what training changed, and what an edit does, in the order in which they are met."""

from mi_tutor.teach.exercises.crosscoders.asking_back import ARTEFACTS, CAUSAL_CHECK
from mi_tutor.teach.exercises.crosscoders.localising import LOCALISATION_IS_NOT_EDITING
from mi_tutor.teach.exercises.crosscoders.quizzes import QUIZZES
from mi_tutor.teach.exercises.crosscoders.rank_one import EDIT_MARKS, RANK_ONE_EDIT
from mi_tutor.teach.exercises.crosscoders.staging import STAGE_DIFF
from mi_tutor.teach.exercises.crosscoders.transferring import TRANSFER
from mi_tutor.teach.exercises.crosscoders.what_changed import WHAT_DID_TUNING_CHANGE
from mi_tutor.teach.exercises.crosscoders.where_is_the_fact import WHERE_IS_THE_FACT
from mi_tutor.teach.exercises.crosscoders.where_they_differ import WHERE_THEY_DIFFER
from mi_tutor.teach.exercises.crosscoders.writing import CROSSCODER, SHARED_OR_EXCLUSIVE

EXERCISES = (
    CROSSCODER,
    SHARED_OR_EXCLUSIVE,
    ARTEFACTS,
    CAUSAL_CHECK,
    WHAT_DID_TUNING_CHANGE,
    WHERE_THEY_DIFFER,
    STAGE_DIFF,
    TRANSFER,
    WHERE_IS_THE_FACT,
    RANK_ONE_EDIT,
    EDIT_MARKS,
    LOCALISATION_IS_NOT_EDITING,
)

__all__ = ["EXERCISES", "QUIZZES"]
