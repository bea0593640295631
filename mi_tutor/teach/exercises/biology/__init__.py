"""Exercises and quick checks of chapter 08, field trips, in the order in which they are met."""

from mi_tutor.teach.exercises.biology.circuit_of_your_own import A_CIRCUIT_OF_YOUR_OWN
from mi_tutor.teach.exercises.biology.exchanging import BORROWED_STEP, SWAP_THE_LANGUAGE
from mi_tutor.teach.exercises.biology.failing import PARTS_RIGHT
from mi_tutor.teach.exercises.biology.fitting import WHAT_FITS
from mi_tutor.teach.exercises.biology.knowing import TOLD_APART
from mi_tutor.teach.exercises.biology.opinions import SET_TO_CENTRE
from mi_tutor.teach.exercises.biology.quizzes import QUIZZES
from mi_tutor.teach.exercises.biology.refusing import TURNED
from mi_tutor.teach.exercises.biology.taking_apart import COMMON_SHARE, INGREDIENTS
from mi_tutor.teach.exercises.biology.where_is_the_plan import WHERE_IS_THE_PLAN
from mi_tutor.teach.exercises.biology.writing import WRITE_A_LINE

EXERCISES = (
    WRITE_A_LINE,
    WHAT_FITS,
    INGREDIENTS,
    WHERE_IS_THE_PLAN,
    COMMON_SHARE,
    SWAP_THE_LANGUAGE,
    BORROWED_STEP,
    PARTS_RIGHT,
    TOLD_APART,
    SET_TO_CENTRE,
    TURNED,
    A_CIRCUIT_OF_YOUR_OWN,
)

__all__ = ["EXERCISES", "QUIZZES"]
