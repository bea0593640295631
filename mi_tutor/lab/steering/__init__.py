"""Make a model do things: steer what it writes, take a behaviour away, guard it, and see where control ends.

# free text and its measures
    interventions   a vector added, a latent held at a value: at a site, at chosen positions
    generating      many texts at once, written on while the model is steered
    vectors         difference of means, contrastive activation addition, activation addition
    measuring       what the text is about, whether it is one, and what steering costs elsewhere
# refusing, guards, errors
    (to come)
# for the investigations
    (to come)
"""

from mi_tutor.lab.steering.generating import generate, steered_logits
from mi_tutor.lab.steering.interventions import (
    Intervention,
    Where,
    added,
    added_from_start,
    at_positions,
    at_tokens,
    clamp_latent,
    clamp_latents,
    clamp_many,
    clamped,
    everywhere,
    with_norm_kept,
)
from mi_tutor.lab.steering.measuring import (
    Effect,
    Marked,
    effect_and_coherence,
    effect_curve,
    half_way,
    ordinary_loss,
    written_shares,
)
from mi_tutor.lab.steering.vectors import (
    activation_addition,
    contrastive_vector,
    mean_difference,
    random_vector,
)

__all__ = [
    "Effect",
    "Intervention",
    "Marked",
    "Where",
    "activation_addition",
    "added",
    "added_from_start",
    "at_positions",
    "at_tokens",
    "clamp_latent",
    "clamp_latents",
    "clamp_many",
    "clamped",
    "contrastive_vector",
    "effect_and_coherence",
    "effect_curve",
    "everywhere",
    "generate",
    "half_way",
    "mean_difference",
    "ordinary_loss",
    "random_vector",
    "steered_logits",
    "with_norm_kept",
    "written_shares",
]
