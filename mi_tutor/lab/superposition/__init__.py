"""Superposition: toy models that store more features than they have dimensions."""

from mi_tutor.lab.superposition.absolute import absolute_forward
from mi_tutor.lab.superposition.data import paired_features, sparse_features
from mi_tutor.lab.superposition.geometry import (
    DEDICATED,
    NOT_REPRESENTED,
    SUPERPOSED,
    feature_dimensionality,
    feature_fates,
    gram,
    interference,
)
from mi_tutor.lab.superposition.model import toy_forward, weighted_loss
from mi_tutor.lab.superposition.neurons import features_per_neuron, neuron_forward
from mi_tutor.lab.superposition.packing import max_abs_cosine, welch_bound
from mi_tutor.lab.superposition.phase import PhaseLosses, phase_losses, phase_theory
from mi_tutor.lab.superposition.sweep import SweepResult, best_of_seeds, train_sweep
from mi_tutor.lab.superposition.sweep_config import ToySweep
from mi_tutor.lab.superposition.train import TrainedToy, train_toy

__all__ = [
    "DEDICATED",
    "NOT_REPRESENTED",
    "SUPERPOSED",
    "PhaseLosses",
    "SweepResult",
    "ToySweep",
    "TrainedToy",
    "absolute_forward",
    "best_of_seeds",
    "feature_dimensionality",
    "feature_fates",
    "features_per_neuron",
    "gram",
    "interference",
    "max_abs_cosine",
    "neuron_forward",
    "paired_features",
    "phase_losses",
    "phase_theory",
    "sparse_features",
    "toy_forward",
    "train_sweep",
    "train_toy",
    "weighted_loss",
    "welch_bound",
]
