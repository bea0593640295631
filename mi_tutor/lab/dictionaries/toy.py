"""Activations whose features are known: the test that every dictionary should pass first.

    x = sum over features i of s_i * direction_i,      s_i sparse and at least 0

There are more features than dimensions, as in the toy models of superposition (Elhage et al. 2022); here the
directions are simply given. A dictionary that works finds each of them (Sharkey et al. 2022).
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.dictionaries.model import unit_decoder
from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition.data import sparse_features


@dataclass(frozen=True, kw_only=True)
class ToyActivations:
    """Sparse sums of fixed directions.

    Args:
        directions: one row per feature.
        probability: how often each feature is on.

    >>> toy = ToyActivations.drawn(n_features=8, d=4, probability=0.1, seed=0)
    >>> toy.rows(100, seeded(1)).shape
    torch.Size([100, 4])
    """

    directions: Float[Tensor, "feature d"]
    probability: Float[Tensor, "feature"]

    @classmethod
    def drawn(cls, n_features: int, d: int, probability: float, seed: int) -> "ToyActivations":
        """Random directions of norm 1, all features equally likely."""
        directions = unit_decoder(torch.randn(n_features, d, generator=seeded(seed)))
        return cls(directions=directions, probability=torch.full((n_features,), probability))

    def sizes(self, n_rows: int, generator: torch.Generator) -> Float[Tensor, "row feature"]:
        """How much of each feature is in each fresh sample, the s_i: what the latents should say."""
        return sparse_features(n_rows, self.probability, generator)

    def rows(self, n_rows: int, generator: torch.Generator) -> Float[Tensor, "row d"]:
        """Fresh samples, on the generator's device. The same generator gives `sizes` and these."""
        return self.sizes(n_rows, generator) @ self.directions.to(generator.device)

    def chunk(self, i: int, n_rows: int = 16_384) -> Float[Tensor, "row d"]:
        """Samples number i, for `train_sae`: the same i gives the same samples."""
        return self.rows(n_rows, seeded(i))


class MatchedFeatures(NamedTuple):
    """For each known feature the latent that comes closest.

    Attributes:
        cosine: of the feature's direction and that latent's row of the decoder.
        latent: which one it is.
    """

    cosine: Float[Tensor, "feature"]
    latent: Int[Tensor, "feature"]

    @property
    def mean_max_cosine(self) -> float:
        """The mean over features: 1 if all were found."""
        return self.cosine.mean().item()


def match_features(
    W_dec: Float[Tensor, "latent d"], features: Float[Tensor, "feature d"]
) -> MatchedFeatures:
    """The most similar latent of each known feature, by cosine (Sharkey et al. 2022).

    The maximum is taken over LATENTS, the mean over features: every feature should be found, and a latent that
    is none of them does no harm here. A latent that points the opposite way is not a match.

    >>> match_features(torch.tensor([[0.0, 2.0], [3.0, 0.0]]), torch.eye(2)).latent
    tensor([1, 0])
    """
    cosine, latent = (unit_decoder(features) @ unit_decoder(W_dec).mT).max(dim=-1)
    return MatchedFeatures(cosine, latent)
