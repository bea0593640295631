"""A model beside its base, or beside the facts: how many answers differ in each slice, and by how much."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground import kl


def changed_by_slice(
    answers: Int[Tensor, "prompt"],
    expected: Int[Tensor, "prompt"],
    slices: Int[Tensor, "prompt"],
    n_slices: int,
) -> Float[Tensor, "slice"]:
    """The share of each slice's prompts whose answer is not the expected one; NaN for a slice without prompts.

    A mean over all prompts hides what happens in a small slice, so each slice has its own.

    >>> answers, facts = torch.tensor([5, 5, 7]), torch.tensor([5, 6, 7])
    >>> changed_by_slice(answers, facts, slices=torch.tensor([0, 0, 1]), n_slices=2)
    tensor([0.5000, 0.0000])
    """
    differs = (answers != expected).float()
    none = differs.new_zeros(n_slices)
    n_prompts = none.index_add(0, slices, torch.ones_like(differs))
    return none.index_add(0, slices, differs) / n_prompts


def kl_to_base(
    logits: Float[Tensor, "*prompt vocab"], base_logits: Float[Tensor, "*prompt vocab"]
) -> Float[Tensor, "*prompt"]:
    """KL(model ‖ base) in nats: how surprised the base is, on average, by what the model says.

        KL(p ‖ q) = Σ_v p(v) (log p(v) - log q(v))

    >>> same = torch.tensor([[0.0, 1.0]])
    >>> kl_to_base(same, same + 3)
    tensor([0.])
    """
    return kl(logits, base_logits)
