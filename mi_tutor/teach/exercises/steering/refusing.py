"""Sections 6 to 9: refusing taken away, a guard, what a dictionary leaves out, a second instrument."""

from mi_tutor.teach.exercises.steering.guardrail import GUARDRAIL, UNSEEN_VECTOR
from mi_tutor.teach.exercises.steering.monitor import ERROR_TERM, MONITOR
from mi_tutor.teach.exercises.steering.refusal import ABLATE_IN_WEIGHTS, DIRECTIONAL_ABLATION
from mi_tutor.teach.exercises.steering.scoring import GUARD_SCORE

REFUSING = (
    DIRECTIONAL_ABLATION,
    ABLATE_IN_WEIGHTS,
    GUARD_SCORE,
    GUARDRAIL,
    UNSEEN_VECTOR,
    ERROR_TERM,
    MONITOR,
)
