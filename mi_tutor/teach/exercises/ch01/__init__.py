"""Exercises and quick checks of chapter 01, superposition, in the order in which they are met."""

from mi_tutor.teach.exercises.ch01.fates import FATES
from mi_tutor.teach.exercises.ch01.geometry import DIMENSIONALITY, INTERFERENCE
from mi_tutor.teach.exercises.ch01.model import TOY_FORWARD, WEIGHTED_LOSS
from mi_tutor.teach.exercises.ch01.neurons import ABSOLUTE, POLYSEMANTIC_NEURON
from mi_tutor.teach.exercises.ch01.packing import ALMOST_ORTHOGONAL
from mi_tutor.teach.exercises.ch01.paired import CORRELATED_FEATURES
from mi_tutor.teach.exercises.ch01.phase import PHASE_DIAGRAM, PHASE_LOSSES
from mi_tutor.teach.exercises.ch01.quizzes import QUIZZES
from mi_tutor.teach.exercises.ch01.sparse import SPARSE_FEATURES
from mi_tutor.teach.exercises.ch01.training import TRAIN_TOY

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
    POLYSEMANTIC_NEURON,
    ABSOLUTE,
    ALMOST_ORTHOGONAL,
)

__all__ = ["EXERCISES", "QUIZZES"]
