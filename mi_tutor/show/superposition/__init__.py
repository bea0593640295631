"""Figures of superposition: what `mi_tutor.lab.superposition` trains and measures, drawn."""

from mi_tutor.show.superposition.dimensionality import PLATEAUS, dimensionality_vs_sparsity
from mi_tutor.show.superposition.explorer import superposition_explorer
from mi_tutor.show.superposition.gram import gram_heatmap
from mi_tutor.show.superposition.neurons import absolute_value_weights, neurons_and_features
from mi_tutor.show.superposition.packing import cosine_packing
from mi_tutor.show.superposition.phase import phase_diagram
from mi_tutor.show.superposition.plane import features_in_plane
from mi_tutor.show.superposition.predictions import predicted_and_found
from mi_tutor.show.superposition.training import losses_against_steps, training_curves

__all__ = [
    "PLATEAUS",
    "absolute_value_weights",
    "cosine_packing",
    "dimensionality_vs_sparsity",
    "features_in_plane",
    "gram_heatmap",
    "losses_against_steps",
    "neurons_and_features",
    "phase_diagram",
    "predicted_and_found",
    "superposition_explorer",
    "training_curves",
]
