"""Whose latent is it? The norms of its two directions, the angle between them, and twins.

    relative norm = ||W_dec^tuned|| / (||W_dec^base|| + ||W_dec^tuned||)          (Lindsey et al. 2024)

0: the base model only; 1/2: both the same; 1: the tuned model only.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cosine_similarity

EXCLUSIVE = 0.9


def relative_norm(
    W_dec: Float[Tensor, "latent model d_model"],
) -> Float[Tensor, "latent"]:
    """The tuned model's share of each latent's norms; nan for a latent that writes nothing.

    >>> relative_norm(torch.tensor([[[3.0, 4.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 3.0]]]))
    tensor([0.0000, 0.7500])
    """
    base, tuned = W_dec.norm(dim=-1).unbind(dim=-1)
    return tuned / (base + tuned)


def decoder_cosine(W_dec: Float[Tensor, "latent model d_model"]) -> Float[Tensor, "latent"]:
    """The cosine of a latent's two directions: does it write the same in both models?

    >>> decoder_cosine(torch.tensor([[[1.0, 0.0], [2.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]]))
    tensor([1., 0.])
    """
    return cosine_similarity(W_dec[:, 0], W_dec[:, 1], dim=-1)


def shared_or_exclusive(
    W_dec: Float[Tensor, "latent model d_model"],
) -> tuple[Float[Tensor, "latent"], Float[Tensor, "latent"]]:
    """`relative_norm` and `decoder_cosine`: whose it is, and whether it writes the same in both."""
    return relative_norm(W_dec), decoder_cosine(W_dec)


class Sides(NamedTuple):
    """Which latents are whose: base only, shared, tuned only. What is between counts as neither."""

    base: Bool[Tensor, "latent"]
    shared: Bool[Tensor, "latent"]
    tuned: Bool[Tensor, "latent"]


def sides(share: Float[Tensor, "latent"], exclusive: float = EXCLUSIVE) -> Sides:
    """By relative norm: below 1 - exclusive, above exclusive, and between 0.3 and 0.7.

    >>> [each.tolist() for each in sides(torch.tensor([0.05, 0.5, 0.95]))]
    [[True, False, False], [False, True, False], [False, False, True]]
    """
    return Sides(share < 1 - exclusive, (share > 0.3) & (share < 0.7), share > exclusive)


class Twins(NamedTuple):
    """For each latent of the tuned model the likest one of the base.

    Attributes:
        tuned, base: the two latents' numbers.
        cosine: of what the one writes in the tuned model and the other in the base.
        together: of the tokens where either is on, the share where both are.
    """

    tuned: Int[Tensor, "pair"]
    base: Int[Tensor, "pair"]
    cosine: Float[Tensor, "pair"]
    together: Float[Tensor, "pair"]


def twins(
    latents: Float[Tensor, "token latent"],
    W_dec: Float[Tensor, "latent model d_model"],
    more: float = 0.7,
) -> Twins:
    """Latent decoupling: one concept, two latents, each written in one model.

    For each latent whose relative norm is above `more`, the one below 1 - `more` with the likest direction. A
    concept that really is the tuned model's own has none that is alike.

    >>> W_dec = torch.tensor([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 0.0]]])
    >>> twins(torch.tensor([[1.0, 1.0], [0.0, 0.0]]), W_dec).cosine
    tensor([1.])
    """
    share = relative_norm(W_dec)
    tuned, base = ((side).nonzero()[:, 0] for side in (share > more, share < 1 - more))
    if len(tuned) == 0 or len(base) == 0:
        nothing = torch.zeros(0, dtype=torch.long)
        return Twins(nothing, nothing, W_dec.new_zeros(0), W_dec.new_zeros(0))
    cosines = cosine_similarity(W_dec[tuned, None, 1], W_dec[None, base, 0], dim=-1)
    cosine, at = cosines.max(dim=1)
    base = base[at]
    on = latents > 0
    both, either = (on[:, tuned] & on[:, base]).sum(0), (on[:, tuned] | on[:, base]).sum(0)
    return Twins(tuned, base, cosine, both / either.clamp_min(1))
