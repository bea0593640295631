"""Before the first step: the scale of the activations, and starting weights.

Scale. Activations of different layers differ in size by orders of magnitude, and with them the balance of
reconstruction and sparsity. So training multiplies them by one number, such that the centred activations have
a mean square of 1 per dimension:

    scale = sqrt(d) / sqrt(mean ||x - mean x||^2)

Then the reconstruction loss divided by d is the fraction of variance that is left unexplained, whatever the
layer. The trained dictionary is rewritten for the activations as they are (`folded`). Conerly et al. 2024
scale ||x|| to sqrt(d) without centring, which a large mean would dominate.

Weights. The decoder's rows are random directions; the encoder is the decoder transposed, so that at first a
latent reads what it writes; b_dec is the mean of the data.
"""

from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.dictionaries.config import SaeConfig
from mi_tutor.lab.dictionaries.kinds import BatchTopK, JumpRelu
from mi_tutor.lab.dictionaries.model import Sae, folded, unit_decoder

Factor = float | tuple[float, ...]


class Scaling(NamedTuple):
    """Factors on the input and on the target of a dictionary while it is trained.

    Several factors belong to as many blocks of dimensions of the same width, from the first to the last.
    """

    scale_in: Factor
    scale_out: Factor


def scaled(x: Float[Tensor, "row d"], factor: Factor) -> Float[Tensor, "row d"]:
    """x times its factor, or each block of its dimensions times the block's.

    >>> scaled(torch.ones(1, 4), (2.0, 3.0))
    tensor([[2., 2., 3., 3.]])
    """
    if not isinstance(factor, (tuple, list)):
        return x * factor
    return x * x.new_tensor(factor).repeat_interleave(x.shape[1] // len(factor))


@runtime_checkable
class Family(Protocol):
    """How the training of one family of dictionaries begins and ends; all between is the same (`run`).

    `SINGLE` are dictionaries of one place. `lab.tracing` has cross-layer transcoders, which are of many.
    """

    def scaling(self, x: Tensor, y: Tensor | None) -> Scaling:
        """The factors for inputs and targets, from the first chunk."""

    def start(
        self, x: Tensor, y: Tensor | None, config: SaeConfig, generator: torch.Generator
    ) -> Sae:
        """Untrained weights, from scaled inputs and targets."""

    def folded(self, sae: Sae, scaling: Scaling) -> Sae:
        """The trained dictionary, rewritten for the activations as they are."""


def unit_scale(x: Float[Tensor, "row d"]) -> float:
    """The factor that gives the centred rows a mean square of 1 per dimension.

    Raises ValueError if all rows are the same, or some number is not finite.

    >>> unit_scale(torch.tensor([[0.0], [4.0]]))
    0.5
    """
    size = (x - x.mean(dim=0)).square().mean().sqrt().item()
    if not 0 < size < float("inf"):
        raise ValueError(
            "The activations should be finite and not all the same; their root mean square around their mean "
            f"is {size}."
        )
    return 1 / size


def starting_sae(
    x: Float[Tensor, "row d_in"],
    y: Float[Tensor, "row d_out"] | None,
    config: SaeConfig,
    generator: torch.Generator,
) -> Sae:
    """Untrained weights. x: scaled inputs; y: scaled targets of a transcoder, None for an autoencoder.

    A transcoder has a random encoder of its own, centred through b_enc, because what it reads is not what it
    writes.
    """
    draw = {"generator": generator, "device": generator.device}
    target = x if y is None else y
    W_dec = unit_decoder(torch.randn(config.d_sae, target.shape[1], **draw)).to(x)
    W_enc, b_enc = W_dec.mT.clone(), x.new_zeros(config.d_sae)
    if y is not None:
        W_enc = unit_decoder(torch.randn(config.d_sae, x.shape[1], **draw)).to(x).mT.clone()
        b_enc = -x.mean(dim=0) @ W_enc
    threshold = None
    if isinstance(config.kind, JumpRelu):
        threshold = x.new_full((config.d_sae,), config.kind.start)
    elif isinstance(config.kind, BatchTopK):
        threshold = x.new_zeros(config.d_sae)
    return Sae(
        W_enc=W_enc,
        b_enc=b_enc,
        W_dec=W_dec,
        b_dec=target.mean(dim=0),
        kind=config.kind,
        threshold=threshold,
        centred=y is None,
    )


class _Single:
    """Autoencoders and transcoders of one place."""

    def scaling(self, x: Tensor, y: Tensor | None) -> Scaling:
        return Scaling(unit_scale(x), unit_scale(x if y is None else y))

    def start(
        self, x: Tensor, y: Tensor | None, config: SaeConfig, generator: torch.Generator
    ) -> Sae:
        return starting_sae(x, y, config, generator)

    def folded(self, sae: Sae, scaling: Scaling) -> Sae:
        return folded(sae, *scaling)


SINGLE = _Single()
