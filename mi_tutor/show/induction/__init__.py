"""Figures of chapter 03: where heads look, what they score, and the change in training."""

from mi_tutor.show.induction.curves import phase_curves
from mi_tutor.show.induction.patterns import attention_patterns
from mi_tutor.show.induction.scores import head_grid

__all__ = ["attention_patterns", "head_grid", "phase_curves"]
