"""Sections 1 to 5: vectors, latents, how much they do and what they cost."""

from mi_tutor.teach.exercises.steering.clamping import MANY_AT_ONCE, STEER
from mi_tutor.teach.exercises.steering.measuring import EFFECT_AND_COHERENCE, SUPPRESS_VS_AMPLIFY
from mi_tutor.teach.exercises.steering.vectors import STEER_VECTOR

DRIVING = (STEER_VECTOR, STEER, EFFECT_AND_COHERENCE, MANY_AT_ONCE, SUPPRESS_VS_AMPLIFY)

__all__ = ["DRIVING"]
