"""Sparse dictionaries: autoencoders and transcoders, from the equation to what their latents mean.

Read in this order: `model` (encode, decode, the unit-norm decoder), `activations` and `kinds` (ReLU, TopK,
BatchTopK, JumpReLU), `losses`, `dead`, `toy` (data whose features are known), `config`, `start`, `run`,
`train`, `recipes`; `metrics`, `shrinking` and `splice` (how good is it?), `means` (was it trained on
activations like these?), `concepts`, `reading`, `splitting` (what do its latents mean?); `sources` (samples
from a model); `saelens` (files that others can open), with `saelens_config` for what they say and
`saelens_weights` for what they hold. `written` has the gradients of a step written out, which is faster
(`sparse`: most latents are off; `jumping`: JumpReLU); `state` keeps a run on disk; `finite` keeps NaN and
overflow out of what is counted.
"""

from mi_tutor.lab.dictionaries.activations import batch_top_k, jump_relu, step, top_k
from mi_tutor.lab.dictionaries.concepts import (
    ConceptMatches,
    LabelScore,
    NeuronsVsLatents,
    auroc,
    best_f1,
    match_concepts,
    neurons_vs_latents,
    score_a_label,
)
from mi_tutor.lab.dictionaries.config import Auxiliary, Resample, SaeConfig
from mi_tutor.lab.dictionaries.dead import count_silence, dead_latents, resample
from mi_tutor.lab.dictionaries.gradients import autograd_gradients
from mi_tutor.lab.dictionaries.kinds import BatchTopK, JumpRelu, Kind, Relu, TopK
from mi_tutor.lab.dictionaries.losses import (
    auxiliary_loss,
    l0_penalty,
    l1_penalty,
    reconstruction_loss,
    sae_loss,
    tanh_penalty,
)
from mi_tutor.lab.dictionaries.means import MeanShift, check_means, mean_shift
from mi_tutor.lab.dictionaries.metrics import (
    DensityHistogram,
    SaeMetrics,
    cosine,
    density,
    density_histogram,
    fvu,
    l0,
    pareto_front,
    sae_metrics,
    sparsity_for,
)
from mi_tutor.lab.dictionaries.model import (
    Sae,
    folded,
    pre_activations,
    remove_parallel,
    sae_decode,
    sae_encode,
    unit_decoder,
)
from mi_tutor.lab.dictionaries.reading import (
    Context,
    LatentCard,
    encode_texts,
    logit_effects,
    read_a_latent,
    top_contexts,
)
from mi_tutor.lab.dictionaries.recipes import toy_features, toy_recipe
from mi_tutor.lab.dictionaries.saelens import open_sae, save_sae
from mi_tutor.lab.dictionaries.shrinking import shrinkage, soft_threshold
from mi_tutor.lab.dictionaries.sources import ActivationSource, Texts, activation_rows, oversample
from mi_tutor.lab.dictionaries.splice import (
    LossRecovered,
    loss_recovered,
    losses_recovered,
    losses_without,
    site_of,
)
from mi_tutor.lab.dictionaries.splitting import Absorption, Split, absorption, feature_splitting
from mi_tutor.lab.dictionaries.toy import MatchedFeatures, ToyActivations, match_features
from mi_tutor.lab.dictionaries.train import TrainedSae, train_sae
from mi_tutor.lab.dictionaries.written import written_gradients

__all__ = [
    "Absorption",
    "ActivationSource",
    "Auxiliary",
    "BatchTopK",
    "ConceptMatches",
    "Context",
    "DensityHistogram",
    "JumpRelu",
    "Kind",
    "LabelScore",
    "LatentCard",
    "LossRecovered",
    "MatchedFeatures",
    "MeanShift",
    "NeuronsVsLatents",
    "Relu",
    "Resample",
    "Sae",
    "SaeConfig",
    "SaeMetrics",
    "Split",
    "Texts",
    "TopK",
    "ToyActivations",
    "TrainedSae",
    "absorption",
    "activation_rows",
    "auroc",
    "autograd_gradients",
    "auxiliary_loss",
    "batch_top_k",
    "best_f1",
    "check_means",
    "cosine",
    "count_silence",
    "dead_latents",
    "density",
    "density_histogram",
    "encode_texts",
    "feature_splitting",
    "folded",
    "fvu",
    "jump_relu",
    "l0",
    "l0_penalty",
    "l1_penalty",
    "logit_effects",
    "loss_recovered",
    "losses_recovered",
    "losses_without",
    "match_concepts",
    "match_features",
    "mean_shift",
    "neurons_vs_latents",
    "open_sae",
    "oversample",
    "pareto_front",
    "pre_activations",
    "read_a_latent",
    "reconstruction_loss",
    "remove_parallel",
    "resample",
    "sae_decode",
    "sae_encode",
    "sae_loss",
    "sae_metrics",
    "save_sae",
    "score_a_label",
    "shrinkage",
    "site_of",
    "soft_threshold",
    "sparsity_for",
    "step",
    "tanh_penalty",
    "top_contexts",
    "top_k",
    "toy_features",
    "toy_recipe",
    "train_sae",
    "unit_decoder",
    "written_gradients",
]
