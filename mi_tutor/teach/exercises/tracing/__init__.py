"""Exercises and quick checks of chapter 06, circuit tracing, in the order in which they are met."""

from mi_tutor.teach.exercises.tracing.cross_layer import CLT_FORWARD
from mi_tutor.teach.exercises.tracing.errors import ERROR_NODES
from mi_tutor.teach.exercises.tracing.freezing import FROZEN_MODEL
from mi_tutor.teach.exercises.tracing.graphs import WHOLE_GRAPH
from mi_tutor.teach.exercises.tracing.influencing import INFLUENCE
from mi_tutor.teach.exercises.tracing.losing import CLT_LOSS
from mi_tutor.teach.exercises.tracing.pruning import PRUNE
from mi_tutor.teach.exercises.tracing.quizzes import QUIZZES
from mi_tutor.teach.exercises.tracing.rows import ATTRIBUTION_ROW
from mi_tutor.teach.exercises.tracing.scoring import SCORES
from mi_tutor.teach.exercises.tracing.transcoding import TRANSCODER

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
)

__all__ = ["EXERCISES", "QUIZZES"]
