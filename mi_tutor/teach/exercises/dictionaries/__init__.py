"""Exercises and quick checks of chapter 02, sparse autoencoders, in the order in which they are met."""

from mi_tutor.teach.exercises.dictionaries.ablating import ABLATE_A_LATENT
from mi_tutor.teach.exercises.dictionaries.atlas import TRAIN_ON_ATLAS
from mi_tutor.teach.exercises.dictionaries.choosing_latents import CHOOSE_THEN_MARK
from mi_tutor.teach.exercises.dictionaries.decoder import REMOVE_PARALLEL, UNIT_DECODER
from mi_tutor.teach.exercises.dictionaries.encoding import ENCODE_DECODE
from mi_tutor.teach.exercises.dictionaries.jump_relu import JUMP_RELU
from mi_tutor.teach.exercises.dictionaries.like_for_like import LIKE_FOR_LIKE
from mi_tutor.teach.exercises.dictionaries.loss import SAE_LOSS
from mi_tutor.teach.exercises.dictionaries.matching import MATCH_FEATURES
from mi_tutor.teach.exercises.dictionaries.metrics import SAE_METRICS
from mi_tutor.teach.exercises.dictionaries.names import NAME_THE_LATENTS
from mi_tutor.teach.exercises.dictionaries.naming import NAME_A_LATENT
from mi_tutor.teach.exercises.dictionaries.pareto import PARETO
from mi_tutor.teach.exercises.dictionaries.picking import PICK_LAMBDA
from mi_tutor.teach.exercises.dictionaries.quizzes import QUIZZES
from mi_tutor.teach.exercises.dictionaries.reading import READ_A_LATENT
from mi_tutor.teach.exercises.dictionaries.resampling import RESAMPLE
from mi_tutor.teach.exercises.dictionaries.scoring import SCORE_A_LABEL
from mi_tutor.teach.exercises.dictionaries.silence import DEAD_LATENTS
from mi_tutor.teach.exercises.dictionaries.splicing import LOSS_RECOVERED
from mi_tutor.teach.exercises.dictionaries.splitting import FEATURE_SPLITTING
from mi_tutor.teach.exercises.dictionaries.thresholds import NEURONS_VS_LATENTS
from mi_tutor.teach.exercises.dictionaries.top_k import TOP_K
from mi_tutor.teach.exercises.dictionaries.training import TRAIN_ON_TOY

EXERCISES = (
    ENCODE_DECODE,
    SAE_LOSS,
    UNIT_DECODER,
    REMOVE_PARALLEL,
    TRAIN_ON_TOY,
    MATCH_FEATURES,
    SAE_METRICS,
    DEAD_LATENTS,
    RESAMPLE,
    TOP_K,
    JUMP_RELU,
    PARETO,
    PICK_LAMBDA,
    TRAIN_ON_ATLAS,
    LOSS_RECOVERED,
    READ_A_LATENT,
    NAME_A_LATENT,
    SCORE_A_LABEL,
    CHOOSE_THEN_MARK,
    NEURONS_VS_LATENTS,
    LIKE_FOR_LIKE,
    FEATURE_SPLITTING,
    NAME_THE_LATENTS,
    ABLATE_A_LATENT,
)

__all__ = ["EXERCISES", "QUIZZES"]
