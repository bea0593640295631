"""Exercises and quick checks of chapter 03, induction heads, in the order in which they are met."""

from mi_tutor.teach.exercises.induction.ablation import ABLATE_HEADS, NEEDED_HEAD
from mi_tutor.teach.exercises.induction.composition import FULL_INDUCTION_CIRCUIT, K_COMPOSITION
from mi_tutor.teach.exercises.induction.detectors import HEAD_DETECTORS
from mi_tutor.teach.exercises.induction.loss import PER_POSITION_LOSS
from mi_tutor.teach.exercises.induction.one_layer import ONE_LAYER_FAILS
from mi_tutor.teach.exercises.induction.phases import IN_CONTEXT_SCORE, PHASE_CHANGE
from mi_tutor.teach.exercises.induction.positions import PREVIOUS_TOKEN_CIRCUIT
from mi_tutor.teach.exercises.induction.quizzes import QUIZZES
from mi_tutor.teach.exercises.induction.roles import ROLES_OF_HEADS
from mi_tutor.teach.exercises.induction.rules import FUZZY_COPY
from mi_tutor.teach.exercises.induction.texts import REPEATED_TOKENS
from mi_tutor.teach.exercises.induction.training import TRAIN_YOUR_OWN
from mi_tutor.teach.exercises.induction.weights import COPYING_SCORE
from mi_tutor.teach.exercises.induction.why_it_matters import WHY_IT_MATTERS

EXERCISES = (
    REPEATED_TOKENS,
    PER_POSITION_LOSS,
    HEAD_DETECTORS,
    ABLATE_HEADS,
    NEEDED_HEAD,
    COPYING_SCORE,
    PREVIOUS_TOKEN_CIRCUIT,
    K_COMPOSITION,
    FULL_INDUCTION_CIRCUIT,
    WHY_IT_MATTERS,
    ONE_LAYER_FAILS,
    FUZZY_COPY,
    IN_CONTEXT_SCORE,
    PHASE_CHANGE,
    TRAIN_YOUR_OWN,
    ROLES_OF_HEADS,
)

__all__ = ["EXERCISES", "QUIZZES"]
