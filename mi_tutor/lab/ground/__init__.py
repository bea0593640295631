"""The common ground: what several subjects stand on.

From the ground up:

    device      where tensors live, where randomness comes from
    sites       one place in a transformer: its components, their hooks' names
    plain       a GPT-2 in plain torch, from an opened model's own weights
    edits       edits that reach what comes after them, and those that would not
    runs        one run of a model: its activations, its metric
    streams     many texts through one hook
    metrics     one number per prompt
    prompts     pairs of prompts as batches that can be compared position by position
    questions   questions with a middle step, and what each class would answer
"""

from mi_tutor.lab.ground.device import best_device, one_thread, seeded
from mi_tutor.lab.ground.metrics import (
    Metric,
    in_context_score,
    kl,
    logit_difference,
    loss_from,
    per_position_loss,
    prefers,
    recovered,
)
from mi_tutor.lab.ground.plain import PlainTransformer, has_hooks, is_plain_gpt2, plain_transformer
from mi_tutor.lab.ground.prompts import Pair, PairBatch, pair_batch, pair_batches
from mi_tutor.lab.ground.questions import Questions, name_place, other_classes, partners, thinned
from mi_tutor.lab.ground.runs import capture, evaluate, observe
from mi_tutor.lab.ground.sites import Cache, Site, hook_name, residual_part_names, site_grid
from mi_tutor.lab.ground.streams import activation_stream, token_rows

__all__ = [
    "Cache",
    "Metric",
    "Pair",
    "PairBatch",
    "PlainTransformer",
    "Questions",
    "Site",
    "activation_stream",
    "best_device",
    "capture",
    "evaluate",
    "has_hooks",
    "hook_name",
    "in_context_score",
    "is_plain_gpt2",
    "kl",
    "logit_difference",
    "loss_from",
    "name_place",
    "observe",
    "one_thread",
    "other_classes",
    "pair_batch",
    "pair_batches",
    "partners",
    "per_position_loss",
    "plain_transformer",
    "prefers",
    "recovered",
    "residual_part_names",
    "seeded",
    "site_grid",
    "thinned",
    "token_rows",
]
