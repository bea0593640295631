"""Crosscoders: what training on has changed in a model, told by one dictionary of two models.

Read in this order: `model` (one latent, two directions), `training` (by the loop of `lab.dictionaries`),
`comparing` (relative norms, twins), `scaling` (is it really absent there?), `putting_back` (does the behaviour
follow?), `stages` (when did it come?), `transferring` (has another model the same latent?); `files`. Then what is
changed by hand: `locating` (where is a fact?), `editing` (write another one
there), `marking` (what came of it?).
"""

from mi_tutor.lab.crosscoders.comparing import (
    EXCLUSIVE,
    Sides,
    Twins,
    decoder_cosine,
    relative_norm,
    shared_or_exclusive,
    sides,
    twins,
)
from mi_tutor.lab.crosscoders.editing import (
    Edits,
    Requests,
    edits,
    keys,
    rank_one_edit,
    said_after,
    second_moment,
    wanted_values,
    with_matrix,
)
from mi_tutor.lab.crosscoders.files import read_crosscoder, save_crosscoder
from mi_tutor.lab.crosscoders.locating import corrupted, probability, restored
from mi_tutor.lab.crosscoders.marking import FOLLOWS, KINDS, edit_marks
from mi_tutor.lab.crosscoders.model import (
    Crosscoder,
    batch_top_k_latents,
    crosscoder_decode,
    crosscoder_forward,
    crosscoder_loss,
    crosscoder_pre_activations,
    summed_norm,
)
from mi_tutor.lab.crosscoders.putting_back import (
    both_streams,
    put_back,
    recovered_share,
    streams_at,
)
from mi_tutor.lab.crosscoders.scaling import Scaled, base_shares, best_factor, latent_scaling
from mi_tutor.lab.crosscoders.stages import StageDiff, stage_diff
from mi_tutor.lab.crosscoders.training import (
    Models,
    Paired,
    TrainedCrosscoder,
    paired,
    parted,
    train_crosscoder,
)
from mi_tutor.lab.crosscoders.transferring import NO_PARTNER, Transfer, correlations, transfer
from mi_tutor.lab.ground import kl

__all__ = [
    "EXCLUSIVE",
    "FOLLOWS",
    "KINDS",
    "NO_PARTNER",
    "Crosscoder",
    "Edits",
    "Models",
    "Paired",
    "Requests",
    "Scaled",
    "Sides",
    "StageDiff",
    "TrainedCrosscoder",
    "Transfer",
    "Twins",
    "base_shares",
    "batch_top_k_latents",
    "best_factor",
    "both_streams",
    "correlations",
    "corrupted",
    "crosscoder_decode",
    "crosscoder_forward",
    "crosscoder_loss",
    "crosscoder_pre_activations",
    "decoder_cosine",
    "edit_marks",
    "edits",
    "keys",
    "kl",
    "latent_scaling",
    "paired",
    "parted",
    "probability",
    "put_back",
    "rank_one_edit",
    "read_crosscoder",
    "recovered_share",
    "relative_norm",
    "restored",
    "said_after",
    "save_crosscoder",
    "second_moment",
    "shared_or_exclusive",
    "sides",
    "stage_diff",
    "streams_at",
    "summed_norm",
    "train_crosscoder",
    "transfer",
    "twins",
    "wanted_values",
    "with_matrix",
]
