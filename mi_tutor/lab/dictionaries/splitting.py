"""Two ways in which "one latent, one concept" fails.

Splitting: as a dictionary grows, one latent "Texas" becomes several, say one for Texan cities and one for the
name of the state (Bricken et al. 2023). Each is precise, only together are they complete.

Absorption (Chanin et al. 2024): a latent for "Texas" is silent on " Dallas", because a latent for " Dallas"
has taken the direction "Texas" into its own row. That saves one latent per token, so sparsity rewards it. The
latent "Texas" looks precise, and has holes at arbitrary places.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mi_tutor.lab.dictionaries.concepts import score_a_label
from mi_tutor.lab.dictionaries.finite import check_finite
from mi_tutor.lab.dictionaries.model import unit_decoder


class Split(NamedTuple):
    """Latents that together say where a concept is.

    Attributes:
        latents: the best one first, then whichever helps most.
        f1: after each of them, of "at least one of these is on".
    """

    latents: list[int]
    f1: list[float]


def feature_splitting(
    on: Bool[Tensor, "token latent"],
    there: Bool[Tensor, "token"],
    gain: float = 0.03,
    most: int = 10,
) -> Split:
    """Latents are added one by one as long as the next one raises F1 by at least `gain`.

    One latent: the concept is not split. Chanin et al. 2024 speak of splitting in the same way where one more
    latent raises the F1 of a sparse probe by 0.03; this is the probe "at least one is on", which needs no
    training.

    on: where each latent is on (or above a threshold of its own).

    >>> on = torch.tensor([[True, False], [False, True], [False, False]])
    >>> feature_splitting(on, torch.tensor([True, True, False]))
    Split(latents=[0, 1], f1=[0.6666666865348816, 1.0])
    """
    chosen, scores = [], []
    covered = torch.zeros_like(there)
    while len(chosen) < most:
        together = on | covered[:, None]
        right = (together & there[:, None]).sum(dim=0)
        f1 = 2 * right / (together.sum(dim=0) + there.sum()).clamp_min(1)
        best = int(f1.argmax())
        if chosen and f1[best] < scores[-1] + gain:
            break
        chosen.append(best)
        scores.append(f1[best].item())
        covered = together[:, best]
    return Split(chosen, scores)


class Absorption(NamedTuple):
    """Where a concept is carried by latents that do not stand for it.

    Attributes:
        rate: the share of tokens with the concept on which it is absorbed.
        missed: the share on which none of the main latents is on, absorbed or not.
        absorbed: which tokens.
        absorber: on each of them the latent that carries the concept; -1 elsewhere.
    """

    rate: float
    missed: float
    absorbed: Bool[Tensor, "token"]
    absorber: Tensor


def absorption(
    latents: Float[Tensor, "token latent"],
    W_dec: Float[Tensor, "latent d"],
    there: Bool[Tensor, "token"],
    direction: Float[Tensor, "d"],
    main: list[int],
    least_cosine: float = 0.025,
    least_share: float = 0.4,
) -> Absorption:
    """How often a concept is absorbed (after Chanin et al. 2024).

    On a token with the concept it is absorbed if

        1. no main latent is on,
        2. the latent that writes most along `direction` has a cosine of at least `least_cosine` with it,
        3. and writes at least `least_share` of what the main latents write where they are on (mean).

    direction: of the concept in activation space, such as a difference of means or a probe's.
    main: the concept's own latents, from `feature_splitting`.

    The paper asks whether ablating that latent changes the model's answer most; here the projection stands for
    it.

    >>> W_dec = torch.tensor([[1.0, 0.0], [0.6, 0.8]])  # "Texas", and a "Dallas" that says "Texas" too
    >>> latents = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    >>> absorption(latents, W_dec, torch.tensor([True, True]), torch.tensor([1.0, 0.0]), main=[0]).rate
    0.5
    """
    check_finite(latents=latents, direction=direction)
    unit = direction / direction.norm()
    written = latents * (W_dec @ unit)  # [token, latent]
    on = (latents[:, main] > 0).any(dim=1)
    usual = written[there & on][:, main].sum(dim=1)
    typical = usual.mean() if len(usual) else written.new_tensor(float("inf"))
    others = written.clone()
    others[:, main] = 0.0
    most, which = others.max(dim=1)
    aligned = (unit_decoder(W_dec) @ unit)[which] >= least_cosine
    absorbed = there & ~on & aligned & (most >= least_share * typical)
    n_there = max(1, int(there.sum()))
    return Absorption(
        rate=int(absorbed.sum()) / n_there,
        missed=1 - score_a_label(on, there).recall if there.any() else 0.0,
        absorbed=absorbed,
        absorber=torch.where(absorbed, which, -1),
    )
