"""The kinds of dictionary: the same encoder and decoder, another way to be sparse.

| kind      | which latents are on                | penalty in the loss               |
|-----------|-------------------------------------|-----------------------------------|
| Relu      | pre-activation above 0              | L1, weighted by decoder norm      |
| TopK      | k largest of the sample             | none                              |
| BatchTopK | k * batch largest of the batch      | none                              |
| JumpRelu  | above a threshold that is learned   | L0, or tanh                       |

A gated dictionary (Rajamanoharan et al. 2024a) is not here: with its tied weights it computes exactly a
JumpRelu, which is simpler to train. Files with gated ones can be read (`saelens`).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.dictionaries.activations import batch_top_k, jump_relu, top_k
from mi_tutor.lab.dictionaries.losses import (
    l0_penalty,
    l1_penalty,
    pre_activation_loss,
    tanh_penalty,
)

Latents = Float[Tensor, "*batch latent"]


@dataclass(frozen=True, kw_only=True)
class Relu:
    """f = ReLU(pre), penalty L1 (Bricken et al. 2023, Cunningham et al. 2023)."""

    name: ClassVar[str] = "relu"
    has_penalty: ClassVar[bool] = True

    def latents(self, pre: Latents, threshold: Float[Tensor, "latent"] | None) -> Latents:
        """The latents. A ReLU has no threshold."""
        return torch.relu(pre)

    def penalty(
        self, pre: Latents, latents: Latents, threshold: Tensor | None, W_dec: Tensor
    ) -> Float[Tensor, ""]:
        """`l1_penalty`."""
        return l1_penalty(latents, W_dec)


@dataclass(frozen=True, kw_only=True)
class TopK:
    """f = top_k(pre), no penalty: sparsity is set, not weighed (Gao et al. 2024).

    Args:
        k: how many latents may be on in a sample.
    """

    k: int
    name: ClassVar[str] = "topk"
    has_penalty: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _positive(k=self.k)

    def latents(self, pre: Latents, threshold: Float[Tensor, "latent"] | None) -> Latents:
        """The latents, k per sample."""
        return top_k(pre, self.k)

    def penalty(
        self, pre: Latents, latents: Latents, threshold: Tensor | None, W_dec: Tensor
    ) -> Float[Tensor, ""]:
        """None: 0."""
        return pre.new_zeros(())


@dataclass(frozen=True, kw_only=True)
class BatchTopK:
    """f = batch_top_k(pre), no penalty (Bussmann et al. 2024).

    During training a threshold is estimated: the running mean of the smallest latent that is on in a batch. The
    trained dictionary is a JumpRelu with that one threshold, so that a sample no longer depends on its batch.

    Args:
        k: how many latents are on in a sample, on average.
    """

    k: int
    name: ClassVar[str] = "batchtopk"
    has_penalty: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _positive(k=self.k)

    def latents(self, pre: Latents, threshold: Float[Tensor, "latent"] | None) -> Latents:
        """The latents while training, k per sample on average."""
        return batch_top_k(pre, self.k)

    def penalty(
        self, pre: Latents, latents: Latents, threshold: Tensor | None, W_dec: Tensor
    ) -> Float[Tensor, ""]:
        """None: 0."""
        return pre.new_zeros(())


@dataclass(frozen=True, kw_only=True)
class JumpRelu:
    """f = pre where it is above the latent's threshold, else 0 (Rajamanoharan et al. 2024b).

    Args:
        penalty_kind: "l0", whose gradient reaches the thresholds only, or "tanh" (Jermyn et al. 2024).
        bandwidth: of the straight-through estimator, in units of the scaled pre-activations (`train`).
        start: the thresholds before training, in the same units.
        tanh_scale: the factor within tanh.
        pull: the weight of `pre_activation_loss` as a share of the penalty's; 0 leaves silent latents alone.
    """

    penalty_kind: Literal["l0", "tanh"] = "l0"
    bandwidth: float = 0.5
    start: float = 0.5
    tanh_scale: float = 1.0
    pull: float = 0.0
    name: ClassVar[str] = "jumprelu"
    has_penalty: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.penalty_kind not in ("l0", "tanh"):
            raise ValueError(f'penalty_kind should be "l0" or "tanh", got {self.penalty_kind!r}.')
        _positive(bandwidth=self.bandwidth, start=self.start, tanh_scale=self.tanh_scale)
        if not self.pull >= 0:
            raise ValueError(f"pull should be at least 0, got {self.pull}.")

    def latents(self, pre: Latents, threshold: Float[Tensor, "latent"] | None) -> Latents:
        """The latents."""
        if threshold is None:
            raise ValueError("A JumpRelu dictionary needs its thresholds, one per latent.")
        return jump_relu(pre, threshold, self.bandwidth)

    def penalty(
        self, pre: Latents, latents: Latents, threshold: Tensor | None, W_dec: Tensor
    ) -> Float[Tensor, ""]:
        """`l0_penalty` or `tanh_penalty`, and with a pull `pre_activation_loss`."""
        if self.penalty_kind == "tanh":
            found = tanh_penalty(latents, W_dec, self.tanh_scale)
        else:
            found = l0_penalty(pre, threshold, self.bandwidth)
        return (
            found + self.pull * pre_activation_loss(pre, threshold, W_dec) if self.pull else found
        )


Kind = Relu | TopK | BatchTopK | JumpRelu
KINDS: dict[str, type[Kind]] = {kind.name: kind for kind in (Relu, TopK, BatchTopK, JumpRelu)}


def _positive(**values: float | int) -> None:
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name} should be above 0, got {value}.")
