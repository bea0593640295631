"""Exercises and quick checks of chapter 05, circuit swaps, in the order in which they are met."""

from mi_tutor.teach.exercises.swaps.carrier import WHAT_DOES_THE_HEAD_SEE
from mi_tutor.teach.exercises.swaps.controls import CONTROL
from mi_tutor.teach.exercises.swaps.direction import STATE_DIRECTION
from mi_tutor.teach.exercises.swaps.dose import DOSE_RESPONSE
from mi_tutor.teach.exercises.swaps.languages import OTHER_HOPS
from mi_tutor.teach.exercises.swaps.latents import SWAP_LATENTS
from mi_tutor.teach.exercises.swaps.leak import FIND_THE_LEAK
from mi_tutor.teach.exercises.swaps.matrix import SWAP_MATRIX
from mi_tutor.teach.exercises.swaps.one_vector import ONE_VECTOR
from mi_tutor.teach.exercises.swaps.prompts import TWO_HOP_PROMPTS
from mi_tutor.teach.exercises.swaps.quizzes import QUIZZES
from mi_tutor.teach.exercises.swaps.state import FIND_THE_STATE, WHERE_IT_ACTS
from mi_tutor.teach.exercises.swaps.swapping import SWAP_THE_STATE
from mi_tutor.teach.exercises.swaps.verdicts import WHAT_DID_WE_SHOW, WHICH_MODEL

EXERCISES = (
    TWO_HOP_PROMPTS,
    FIND_THE_STATE,
    FIND_THE_LEAK,
    WHERE_IT_ACTS,
    STATE_DIRECTION,
    SWAP_THE_STATE,
    SWAP_MATRIX,
    CONTROL,
    DOSE_RESPONSE,
    SWAP_LATENTS,
    WHAT_DOES_THE_HEAD_SEE,
    WHICH_MODEL,
    OTHER_HOPS,
    ONE_VECTOR,
    WHAT_DID_WE_SHOW,
)

__all__ = ["EXERCISES", "QUIZZES"]
