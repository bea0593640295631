"""Figures and the viewer of chapter 06: a prompt's graph, its scores, its supernodes, and whether it is right."""

from mi_tutor.show.tracing.contexts import latent_contexts
from mi_tutor.show.tracing.graphs import graph_figure
from mi_tutor.show.tracing.scores import influence_against_effect, scores_bars
from mi_tutor.show.tracing.supernodes import supernode_figure
from mi_tutor.show.tracing.viewer import GraphViewer, graph_viewer

__all__ = [
    "GraphViewer",
    "graph_figure",
    "graph_viewer",
    "influence_against_effect",
    "latent_contexts",
    "scores_bars",
    "supernode_figure",
]
