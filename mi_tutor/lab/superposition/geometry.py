"""How features share a space: overlaps, dimensionality, and each feature's fate.

W is [hidden feature] and column W[:, i] is the direction of feature i. Every function takes any
number of leading axes (one per trained model) and treats each model on its own.
"""

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

NOT_REPRESENTED, SUPERPOSED, DEDICATED = 0, 1, 2
ARRANGEMENTS = ("dropped", "alone", "apart", "together")


def gram(
    W: Float[Tensor, "*instance hidden feature"],
) -> Float[Tensor, "*instance feature feature"]:
    """G = Wᵀ W: entry (i, j) is the overlap W_i · W_j, the diagonal holds |W_i|².

    >>> gram(torch.tensor([[1.0, -1.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    return W.mT @ W


def interference(
    W: Float[Tensor, "*instance hidden feature"],
) -> Float[Tensor, "*instance feature"]:
    """Σ_{j≠i} (Ŵ_i · W_j)²: how much of the other features lies along feature i's direction.

    Ŵ_i = W_i / |W_i|. A feature without a direction (W_i = 0) has interference 0.

    >>> interference(torch.tensor([[1.0, -2.0, 0.0]]))
    tensor([4., 1., 0.])
    """
    overlap_sq = _overlaps_with_unit_directions(W) ** 2
    others = overlap_sq - torch.diag_embed(torch.diagonal(overlap_sq, dim1=-2, dim2=-1))
    return others.sum(dim=-1)


def feature_dimensionality(
    W: Float[Tensor, "*instance hidden feature"],
) -> Float[Tensor, "*instance feature"]:
    """D_i = |W_i|² / Σ_j (Ŵ_i · W_j)², the share of a dimension that feature i owns.

    From Elhage et al. 2022. The sum includes j = i. D = 1 for a dimension of its own, and 2/n for
    each of n features on a regular polygon, so 1/2 is an antipodal pair or a square. A feature
    without a direction (W_i = 0) has D_i = 0.

    >>> feature_dimensionality(torch.tensor([[1.0, -1.0, 0.0], [0.0, 0.0, 3.0]]))
    tensor([0.5000, 0.5000, 1.0000])
    """
    norm_sq = (W**2).sum(dim=-2)
    crowd = (_overlaps_with_unit_directions(W) ** 2).sum(dim=-1)
    return torch.where(norm_sq > 0, norm_sq / crowd.where(crowd > 0, 1.0), 0.0)


def feature_fates(
    W: Float[Tensor, "*instance hidden feature"],
    min_norm: float = 0.5,
    min_interference: float = 0.25,
) -> Int[Tensor, "*instance feature"]:
    """Each feature's fate: 0 not represented, 1 superposed, 2 dedicated (Elhage et al. 2022).

    Not represented: |W_i| < min_norm. Otherwise superposed if its interference reaches
    min_interference, else dedicated. Trained weights are near 0 or near 1, so the exact limits
    matter only close to a boundary between phases.

    >>> feature_fates(torch.tensor([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.1]]))
    tensor([1, 1, 2, 0])
    """
    represented = W.norm(dim=-2) >= min_norm
    shared = interference(W) >= min_interference
    fate = torch.where(shared, SUPERPOSED, DEDICATED)
    return torch.where(represented, fate, NOT_REPRESENTED)


def arrangements(W: Float[Tensor, "*instance hidden feature"]) -> Int[Tensor, "*instance feature"]:
    """Each feature's place among the others, as a position in `ARRANGEMENTS`.

    `feature_fates`, and for a superposed feature the sign of its largest overlap Ŵ_i · W_j with another
    feature j: 0 dropped (not represented), 1 alone (dedicated), 2 apart (superposed, the nearest points the
    other way), 3 together (superposed, it points the same way).

    >>> arrangements(torch.tensor([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.1, 1.0]]))
    tensor([2, 2, 0, 1])
    """
    others = _overlaps_with_unit_directions(W)
    others = others - torch.diag_embed(torch.diagonal(others, dim1=-2, dim2=-1))
    strongest = others.gather(-1, others.abs().argmax(dim=-1, keepdim=True)).squeeze(-1)
    shared = torch.where(strongest < 0, 2, 3)
    fate = feature_fates(W)
    alone = torch.where(fate == DEDICATED, 1, 0)
    return torch.where(fate == SUPERPOSED, shared, alone)


def _overlaps_with_unit_directions(
    W: Float[Tensor, "*instance hidden feature"],
) -> Float[Tensor, "*instance feature feature"]:
    """Entry (i, j) is Ŵ_i · W_j; row i is 0 where W_i = 0."""
    norm = W.norm(dim=-2)
    unit = W / rearrange(norm.where(norm > 0, 1.0), "... feature -> ... 1 feature")
    return unit.mT @ W
