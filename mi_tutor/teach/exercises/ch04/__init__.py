"""Exercises and quick checks of chapter 04, patching, in the order in which they are met."""

from mi_tutor.teach.exercises.ch04.gates import DENOISE_OR_NOISE, READ_THE_GATES
from mi_tutor.teach.exercises.ch04.gradients import (
    ATTRIBUTION_PATCHING,
    INTEGRATED_GRADIENTS,
    WHERE_ATTRIBUTION_FAILS,
)
from mi_tutor.teach.exercises.ch04.lenses import DIRECT_LOGIT_ATTRIBUTION, LOGIT_LENS
from mi_tutor.teach.exercises.ch04.measures import LOGIT_DIFF, RECOVERED
from mi_tutor.teach.exercises.ch04.pairs import ALIGNED, DESIGN_A_PAIR
from mi_tutor.teach.exercises.ch04.patching import BATCHED_SWEEP, PATCH_HEADS, PATCH_RESIDUAL
from mi_tutor.teach.exercises.ch04.paths import PATH_PATCHING
from mi_tutor.teach.exercises.ch04.probing import EXCHANGE_ALONG, PROBE_IS_NOT_CAUSE
from mi_tutor.teach.exercises.ch04.quizzes import QUIZZES
from mi_tutor.teach.exercises.ch04.removing import ABLATIONS

EXERCISES = (
    LOGIT_DIFF,
    RECOVERED,
    ALIGNED,
    DESIGN_A_PAIR,
    LOGIT_LENS,
    DIRECT_LOGIT_ATTRIBUTION,
    PATCH_RESIDUAL,
    PATCH_HEADS,
    DENOISE_OR_NOISE,
    READ_THE_GATES,
    BATCHED_SWEEP,
    ATTRIBUTION_PATCHING,
    WHERE_ATTRIBUTION_FAILS,
    INTEGRATED_GRADIENTS,
    PATH_PATCHING,
    ABLATIONS,
    EXCHANGE_ALONG,
    PROBE_IS_NOT_CAUSE,
)

__all__ = ["EXERCISES", "QUIZZES"]
