"""Make a model do things: steer what it writes, take a behaviour away, guard it, and see where control ends.

# free text and its measures
    (to come)
# refusing, guards, errors
    refusing    directions projected out while a model runs, and in its weights; one found by gradient
    guarding    latents as a guard, a clamp, what a dictionary says and leaves out, a vector it does not see
    monitoring  second instruments: the error's length, and thresholds set on clean requests
# for the investigations
    (to come)
"""

from mi_tutor.lab.patching import fit_probe
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

__all__ = [
    "Alarm",
    "Guard",
    "Parts",
    "Score",
    "ablated_logits",
    "ablated_stream",
    "ablated_weights",
    "alarm",
    "clamp_on",
    "clamped_on",
    "crossed",
    "error_norm",
    "fit_guard",
    "fit_probe",
    "guard_score",
    "guarded_logits",
    "latents_in_use",
    "learned_direction",
    "orthonormal",
    "parts",
    "project_out",
    "score_of",
    "search_unseen",
    "two_causes",
    "unseen",
    "unseen_part",
]
