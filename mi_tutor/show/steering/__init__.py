"""Figures and the widget of chapter 07: effect against coherence, up against down, and the steering desk."""

from mi_tutor.show.steering.explorer import Vector, steering_desk

__all__ = ["Vector", "steering_desk"]
