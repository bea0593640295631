"""Figures and the widgets of chapter 02: how good a dictionary is, how it trained, what its latents mean."""

from mi_tutor.show.dictionaries.concepts import concept_score_figure
from mi_tutor.show.dictionaries.dashboard import LatentDashboard, latent_dashboard
from mi_tutor.show.dictionaries.marks import marks_figure
from mi_tutor.show.dictionaries.quality import density_figure, pareto_figure
from mi_tutor.show.dictionaries.splitting import splitting_figure
from mi_tutor.show.dictionaries.toy import feature_match_figure, recovered_features_figure
from mi_tutor.show.dictionaries.training import LiveTraining, live_training, training_figure

__all__ = [
    "LatentDashboard",
    "LiveTraining",
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
]
