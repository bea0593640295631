"""Does another model have the same latent? Partners by activations (Bricken et al. 2023; Lan et al. 2024).

Two models have no common basis, so the directions of two dictionaries cannot be compared: what can be is when
their latents are on, on the same tokens.

    r_ij = correlation over all tokens of a_i and b_j               a: [token latent], b: [token other]

i and j are partners if each is the other's best, and r_ij > 0. How high an r is to be expected? Between two
dictionaries of ONE model that began otherwise (the ceiling), and with one side's tokens shuffled, or with
directions drawn at random in place of its latents (the floor).
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

NO_PARTNER = -1


def correlations(
    a: Float[Tensor, "token latent"], b: Float[Tensor, "token other"]
) -> Float[Tensor, "latent other"]:
    """Pearson's r over all tokens, those where a latent is off among them; 0 for a latent that never changes.

    >>> a = torch.tensor([[0.0, 1.0], [1.0, 1.0], [3.0, 1.0]])
    >>> correlations(a, 5 - 2 * a[:, :1]).round(decimals=2)
    tensor([[-1.],
            [ 0.]])
    """
    unit = []
    for each in (a, b):
        centred = each - each.mean(dim=0)
        norm = centred.norm(dim=0)
        # A constant is not exactly its own mean: what is left of it is rounding.
        moves = each.amax(dim=0) > each.amin(dim=0)
        unit.append(torch.where(moves, centred / norm.clamp_min(torch.finfo(norm.dtype).tiny), 0))
    return unit[0].mT @ unit[1]


class Transfer(NamedTuple):
    """What became of each latent of the first dictionary in the second.

    Attributes:
        best: the highest correlation with any latent of the other.
        partner: the other's latent, if each is the other's best; -1 without one.
    """

    best: Float[Tensor, "latent"]
    partner: Int[Tensor, "latent"]


def transfer(a: Float[Tensor, "token latent"], b: Float[Tensor, "token other"]) -> Transfer:
    """The best match of each latent of a among those of b, and its partner, one to one.

    >>> a = torch.tensor([[0.0, 0.0], [2.0, 2.0], [0.0, 1.0], [1.0, 1.0]])
    >>> found = transfer(a, a[:, [1]])
    >>> found.best.round(decimals=2), found.partner
    (tensor([0.8500, 1.0000]), tensor([-1,  0]))
    """
    r = correlations(a, b)
    best, at = r.max(dim=1)
    mutual = r.argmax(dim=0)[at] == torch.arange(len(r), device=r.device)
    return Transfer(best, torch.where(mutual & (best > 0), at, NO_PARTNER))
