"""Figures and widgets: tensors in, something to look at, to read and to check out.

Every name here is imported when it is first used, so that `import mi_tutor.show` costs nothing.

>>> from mi_tutor.show import features_in_plane
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "mi_tutor.show.charts": ("heatmap", "lines", "scatter"),
    "mi_tutor.show.biology": ("plan_desk",),
    "mi_tutor.show.crosscoders": ("norm_histogram",),
    "mi_tutor.show.dictionaries": (
        "concept_score_figure",
        "density_figure",
        "feature_match_figure",
        "latent_dashboard",
        "live_training",
        "marks_figure",
        "pareto_figure",
        "recovered_features_figure",
        "splitting_figure",
        "training_figure",
    ),
    "mi_tutor.show.drawing.figure": ("Figure",),
    "mi_tutor.show.patching": (
        "circuit_map",
        "estimate_scatter",
        "lens_table",
        "parts_bars",
        "patch_map",
    ),
    "mi_tutor.show.predicted": ("predictions",),
    "mi_tutor.show.induction": ("attention_patterns", "head_grid", "phase_curves"),
    "mi_tutor.show.drawing.require": ("MissingPackage",),
    "mi_tutor.show.steering": (
        "effect_against_coherence",
        "steering_desk",
        "strength_curves",
    ),
    "mi_tutor.show.superposition": (
        "absolute_value_weights",
        "cosine_packing",
        "dimensionality_vs_sparsity",
        "features_in_plane",
        "gram_heatmap",
        "losses_against_steps",
        "neurons_and_features",
        "phase_diagram",
        "superposition_explorer",
        "training_curves",
    ),
    "mi_tutor.show.swaps": (
        "control_bars",
        "dose_curves",
        "state_places",
        "swap_explorer",
        "swap_heatmap",
    ),
    "mi_tutor.show.tracing": (
        "graph_figure",
        "graph_viewer",
        "influence_against_effect",
        "latent_contexts",
        "scores_bars",
        "supernode_figure",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'mi_tutor.show' has no attribute {name!r}")
