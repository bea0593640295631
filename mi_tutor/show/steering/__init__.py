"""Figures and the widget of chapter 07: effect against coherence, up against down, and the dashboard."""

from mi_tutor.show.steering.effects import effect_against_coherence, strength_curves

__all__ = ["effect_against_coherence", "strength_curves"]
