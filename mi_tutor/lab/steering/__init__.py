"""Make a model do things: steer what it writes, take a behaviour away, guard it, and see where control ends.

# free text and its measures
    interventions   a vector added, a latent held at a value: at a site, at chosen positions
    generating      many texts at once, written on while the model is steered
    vectors         difference of means, contrastive activation addition, activation addition
    measuring       what the text is about, whether it is one, and what steering costs elsewhere
# refusing, guards, errors
    refusing    directions projected out while a model runs, and in its weights; one found by gradient
    guarding    latents as a guard, a clamp, what a dictionary says and leaves out, a vector it does not see
    monitoring  second instruments: the error's length, and thresholds set on clean requests
"""

from mi_tutor.lab.patching import fit_probe
from mi_tutor.lab.steering.generating import generate, steered_logits
from mi_tutor.lab.steering.guarding import (
    Guard,
    Parts,
    Score,
    clamp_on,
    clamped_on,
    crossed,
    fit_guard,
    guard_score,
    guarded_logits,
    latents_in_use,
    parts,
    score_of,
    search_unseen,
    unseen,
    unseen_part,
)
from mi_tutor.lab.steering.interventions import (
    Intervention,
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
    half_way,
    ordinary_loss,
    written_shares,
)
from mi_tutor.lab.steering.monitoring import (
    Alarm,
    alarm,
    error_norm,
)
from mi_tutor.lab.steering.refusing import (
    ablated_logits,
    ablated_stream,
    ablated_weights,
    learned_direction,
    orthonormal,
    project_out,
    two_causes,
)
from mi_tutor.lab.steering.vectors import (
    activation_addition,
    contrastive_vector,
    mean_difference,
    random_vector,
)

__all__ = [
    "Alarm",
    "Effect",
    "Guard",
    "Intervention",
    "Marked",
    "Parts",
    "Score",
    "ablated_logits",
    "ablated_stream",
    "ablated_weights",
    "activation_addition",
    "added",
    "added_from_start",
    "alarm",
    "at_positions",
    "at_tokens",
    "clamp_latent",
    "clamp_latents",
    "clamp_many",
    "clamp_on",
    "clamped",
    "clamped_on",
    "contrastive_vector",
    "crossed",
    "effect_and_coherence",
    "error_norm",
    "everywhere",
    "fit_guard",
    "fit_probe",
    "generate",
    "guard_score",
    "guarded_logits",
    "half_way",
    "latents_in_use",
    "learned_direction",
    "mean_difference",
    "ordinary_loss",
    "orthonormal",
    "parts",
    "project_out",
    "random_vector",
    "score_of",
    "search_unseen",
    "steered_logits",
    "two_causes",
    "unseen",
    "unseen_part",
    "with_norm_kept",
    "written_shares",
]
