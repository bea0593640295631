"""Swap what a model has worked out in the middle of a computation, and see whether the answer follows.

The middle step of a two-hop question ("the capital of the state of Dallas is") is a class: which state. Each class
has a mean activation at some site, and the difference of two means is a direction from one class to the other:

    direction(a -> b) = mean(activations of b) - mean(activations of a)         [d_model]

Added to the residual stream of a question about a, it should make the model answer as if it had been about b. If
it does so for questions that the model has never seen, for every answer that depends on the class, and if other
directions of the same length do nothing, then this is where the class is, and it is used.

    questions    prompts of one length with the place of their name, their class, and every class's answer
    directions   means, differences of means, reading by nearest mean
    making       the swap, on many questions; `swap_logits` with hooks, at any site of any model
    where        where the class can be read, and where exchanging it changes the answer
    controls     what else is added, or where else: interventions that should fail
    strength     dose-response; whether the class is needed, and whether it is enough
    heads        what some heads bring to the prompt's end, exchanged alone
    latents      the swap in a dictionary's latents, with and without what the dictionary leaves out
    texts        swaps in any model, with plain texts
"""

from mi_tutor.lab.ground.questions import Questions, name_place, other_classes, partners, thinned
from mi_tutor.lab.swaps.controls import CONTROLS, control_swaps
from mi_tutor.lab.swaps.directions import (
    class_direction,
    class_means,
    direction_agreement,
    nearest_mean,
    random_like,
    readable,
    readable_left_out,
)
from mi_tutor.lab.swaps.heads import (
    HeadSwap,
    answers_with_heads,
    chosen_heads,
    head_means,
    swap_head,
    swap_heads,
)
from mi_tutor.lab.swaps.latents import LatentSwap, latent_step, latent_swaps
from mi_tutor.lab.swaps.making import (
    SwapResult,
    answers_after,
    joined,
    means_at,
    streams,
    success_matrix,
    swap,
    swap_batches,
    swap_copies,
    swap_logits,
    swap_with,
)
from mi_tutor.lab.swaps.strength import (
    DoseResponse,
    Needed,
    answer_fates,
    dose_response,
    needed_and_enough,
)
from mi_tutor.lab.swaps.texts import TextQuestion, TextSwaps, swap_texts
from mi_tutor.lab.swaps.where import StateMap, patch_follows, same_until_name, state_map

__all__ = [
    "CONTROLS",
    "DoseResponse",
    "HeadSwap",
    "LatentSwap",
    "Needed",
    "Questions",
    "StateMap",
    "SwapResult",
    "TextQuestion",
    "TextSwaps",
    "answer_fates",
    "answers_after",
    "answers_with_heads",
    "chosen_heads",
    "class_direction",
    "class_means",
    "control_swaps",
    "direction_agreement",
    "dose_response",
    "head_means",
    "joined",
    "latent_step",
    "latent_swaps",
    "means_at",
    "name_place",
    "nearest_mean",
    "needed_and_enough",
    "other_classes",
    "partners",
    "patch_follows",
    "random_like",
    "readable",
    "readable_left_out",
    "same_until_name",
    "state_map",
    "streams",
    "success_matrix",
    "swap",
    "swap_batches",
    "swap_copies",
    "swap_head",
    "swap_heads",
    "swap_logits",
    "swap_texts",
    "swap_with",
    "thinned",
]
