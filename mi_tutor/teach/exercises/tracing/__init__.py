"""Exercises and quick checks of chapter 06, circuit tracing, in the order in which they are met."""

from mi_tutor.teach.exercises.tracing.cross_layer import CLT_FORWARD
from mi_tutor.teach.exercises.tracing.dallas import READ_DALLAS
from mi_tutor.teach.exercises.tracing.errors import ERROR_NODES
from mi_tutor.teach.exercises.tracing.freezing import FROZEN_MODEL
from mi_tutor.teach.exercises.tracing.generic import THE_GENERIC_LATENT
from mi_tutor.teach.exercises.tracing.graphs import WHOLE_GRAPH
from mi_tutor.teach.exercises.tracing.influencing import INFLUENCE
from mi_tutor.teach.exercises.tracing.losing import CLT_LOSS
from mi_tutor.teach.exercises.tracing.pruning import PRUNE
from mi_tutor.teach.exercises.tracing.quizzes import AT_THE_END, QUIZZES_MAKING
from mi_tutor.teach.exercises.tracing.quizzes_reading import QUIZZES_READING
from mi_tutor.teach.exercises.tracing.rows import ATTRIBUTION_ROW
from mi_tutor.teach.exercises.tracing.scoring import SCORES
from mi_tutor.teach.exercises.tracing.supernodes import SUPERNODES
from mi_tutor.teach.exercises.tracing.swapping import SWAP_A_SUPERNODE
from mi_tutor.teach.exercises.tracing.transcoding import TRANSCODER
from mi_tutor.teach.exercises.tracing.validating import VALIDATE
from mi_tutor.teach.exercises.tracing.wrong_graph import A_WRONG_GRAPH

EXERCISES = (
    TRANSCODER,
    CLT_FORWARD,
    CLT_LOSS,
    FROZEN_MODEL,
    ATTRIBUTION_ROW,
    WHOLE_GRAPH,
    INFLUENCE,
    PRUNE,
    SCORES,
    ERROR_NODES,
    SUPERNODES,
    SWAP_A_SUPERNODE,
    THE_GENERIC_LATENT,
    READ_DALLAS,
    VALIDATE,
    A_WRONG_GRAPH,
)
QUIZZES = (*QUIZZES_MAKING, *QUIZZES_READING, AT_THE_END)

__all__ = ["EXERCISES", "QUIZZES"]
