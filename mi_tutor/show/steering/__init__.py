"""Figures and the widget of chapter 07: effect against coherence, up against down, and the steering desk."""

from mi_tutor.show.steering.effects import effect_against_coherence, strength_curves
from mi_tutor.show.steering.explorer import Vector, steering_desk

__all__ = ["Vector", "effect_against_coherence", "steering_desk", "strength_curves"]
