"""Exercises and quick checks of chapter 01, superposition, in the order in which they are met."""

from mi_tutor.teach.exercises.superposition.fates import FATES
from mi_tutor.teach.exercises.superposition.geometry import DIMENSIONALITY, INTERFERENCE
from mi_tutor.teach.exercises.superposition.model import TOY_FORWARD, WEIGHTED_LOSS
from mi_tutor.teach.exercises.superposition.neurons import ABSOLUTE, POLYSEMANTIC_NEURON
from mi_tutor.teach.exercises.superposition.packing import ALMOST_ORTHOGONAL
from mi_tutor.teach.exercises.superposition.paired import CORRELATED_FEATURES
from mi_tutor.teach.exercises.superposition.phase import PHASE_DIAGRAM, PHASE_LOSSES
from mi_tutor.teach.exercises.superposition.predicting import PREDICT_THE_FATE
from mi_tutor.teach.exercises.superposition.quizzes import QUIZZES
from mi_tutor.teach.exercises.superposition.removing import SWITCH_A_NEURON_OFF
from mi_tutor.teach.exercises.superposition.sparse import SPARSE_FEATURES
from mi_tutor.teach.exercises.superposition.training import TRAIN_TOY

EXERCISES = (
    SPARSE_FEATURES,
    TOY_FORWARD,
    WEIGHTED_LOSS,
    TRAIN_TOY,
    INTERFERENCE,
    DIMENSIONALITY,
    FATES,
    PHASE_LOSSES,
    PHASE_DIAGRAM,
    CORRELATED_FEATURES,
    PREDICT_THE_FATE,
    POLYSEMANTIC_NEURON,
    ABSOLUTE,
    SWITCH_A_NEURON_OFF,
    ALMOST_ORTHOGONAL,
)

__all__ = ["EXERCISES", "QUIZZES"]
