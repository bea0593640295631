"""Synthetic data for toy models: features that are on rarely, alone or in pairs.

A feature is a number in [0, 1) that is exactly 0 most of the time (Elhage et al. 2022). What a
feature "means" plays no part here: sparsity and correlation alone decide how a model stores it.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def sparse_features(
    n_batch: int, probability: Float[Tensor, "feature"], generator: torch.Generator
) -> Float[Tensor, "batch feature"]:
    """Independent sparse features: x_i = 0 with probability 1 - p_i, else uniform in [0, 1).

    Every entry of the batch decides on its own whether it is on, so E[x_i] = p_i / 2 and
    E[x_i²] = p_i / 3. The sparsity of Elhage et al. 2022 is S = 1 - p.

    Args:
        n_batch: number of samples.
        probability: p_i for each feature, each in [0, 1]. Its dtype is the dtype of the result.
        generator: source of randomness; the result lies on its device.

    Raises:
        ValueError: if a probability lies outside [0, 1].

    >>> from mi_tutor.lab.ground.device import seeded
    >>> x = sparse_features(1000, torch.tensor([0.0, 0.1, 1.0]), seeded(0))
    >>> x.shape, x[:, 0].max().item(), bool((x[:, 2] > 0).all())
    (torch.Size([1000, 3]), 0.0, True)
    """
    if not bool(((probability >= 0) & (probability <= 1)).all()):
        raise ValueError(
            f"probability must lie in [0, 1]; saw values from {probability.min():.3g} to "
            f"{probability.max():.3g}. A sparsity S is the probability 1 - S."
        )
    probability = probability.to(generator.device)
    like = {"generator": generator, "device": generator.device, "dtype": probability.dtype}
    shape = (n_batch, len(probability))
    is_on = torch.rand(shape, **like) < probability
    magnitude = torch.rand(shape, **like)
    return torch.where(is_on, magnitude, 0.0)


def paired_features(
    n_batch: int,
    n_pairs: int,
    probability: float,
    correlated: bool,
    generator: torch.Generator,
) -> Float[Tensor, "batch feature"]:
    """Features 2k and 2k+1 form a pair that is on together, or never together.

    Correlated: with probability p both are on, each with its own uniform magnitude, else both are
    off. Anti-correlated: each is on with probability p, never both, so p may be at most 1/2.
    Different pairs are independent. In both cases one feature alone looks as it does in
    `sparse_features`: on with probability p, then uniform in [0, 1).

    Args:
        n_batch: number of samples.
        n_pairs: number of pairs; the result has 2 * n_pairs features.
        probability: how often one feature is on.
        correlated: on together (True) or never together (False).
        generator: source of randomness; the result lies on its device.

    Raises:
        ValueError: if the probability is outside [0, 1], or above 1/2 for anti-correlated pairs.

    >>> from mi_tutor.lab.ground.device import seeded
    >>> x = paired_features(1000, 2, 0.3, correlated=False, generator=seeded(0))
    >>> x.shape, bool((x[:, 0] * x[:, 1] == 0).all())
    (torch.Size([1000, 4]), True)
    """
    highest = 1.0 if correlated else 0.5
    if not 0 <= probability <= highest:
        kind = "correlated" if correlated else "anti-correlated"
        raise ValueError(
            f"{kind} pairs need a probability in [0, {highest}]; saw {probability}."
            + ("" if correlated else " Two features that are never on together share the time.")
        )
    device = generator.device
    # One draw per pair decides for both of its features.
    draw = torch.rand(n_batch, n_pairs, 1, generator=generator, device=device)
    if correlated:
        is_on = (draw < probability).expand(-1, -1, 2)
    else:
        first, second = draw < probability, (draw >= probability) & (draw < 2 * probability)
        is_on = torch.cat([first, second], dim=-1)
    magnitude = torch.rand(n_batch, n_pairs, 2, generator=generator, device=device)
    return torch.where(is_on, magnitude, 0.0).flatten(start_dim=1)
