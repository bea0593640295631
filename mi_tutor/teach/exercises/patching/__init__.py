"""Exercises and quick checks of chapter 04, patching, in the order in which they are met."""

from mi_tutor.teach.exercises.patching.attributing import DIRECT_LOGIT_ATTRIBUTION
from mi_tutor.teach.exercises.patching.batching import BATCHED_SWEEP
from mi_tutor.teach.exercises.patching.circuit import THE_CIRCUIT
from mi_tutor.teach.exercises.patching.estimates import ATTRIBUTION_PATCHING
from mi_tutor.teach.exercises.patching.flaws import WHAT_IS_WRONG
from mi_tutor.teach.exercises.patching.gates import DENOISE_OR_NOISE, READ_THE_GATES
from mi_tutor.teach.exercises.patching.keeping import RUN_A_CIRCUIT
from mi_tutor.teach.exercises.patching.lenses import LOGIT_LENS
from mi_tutor.teach.exercises.patching.measures import LOGIT_DIFF, RECOVERED
from mi_tutor.teach.exercises.patching.missed import WHERE_ATTRIBUTION_FAILS
from mi_tutor.teach.exercises.patching.on_the_way import INTEGRATED_GRADIENTS
from mi_tutor.teach.exercises.patching.pairs import ALIGNED, DESIGN_A_PAIR
from mi_tutor.teach.exercises.patching.patching import PATCH_HEADS, PATCH_RESIDUAL
from mi_tutor.teach.exercises.patching.paths import PATH_PATCHING
from mi_tutor.teach.exercises.patching.probing import EXCHANGE_ALONG, PROBE_IS_NOT_CAUSE
from mi_tutor.teach.exercises.patching.quizzes import QUIZZES
from mi_tutor.teach.exercises.patching.removing import ABLATIONS
from mi_tutor.teach.exercises.patching.telling import WHO_TELLS_WHOM

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
    WHO_TELLS_WHOM,
    ABLATIONS,
    RUN_A_CIRCUIT,
    THE_CIRCUIT,
    EXCHANGE_ALONG,
    PROBE_IS_NOT_CAUSE,
    WHAT_IS_WRONG,
)

__all__ = ["EXERCISES", "QUIZZES"]
