"""How a crosscoder is trained: by the loop of `lab.dictionaries`, as one dictionary of rows that hold both models.

Side by side, the activations of the models are one long row [model * d_model]. A crosscoder is then an
autoencoder of rows whose price is another one: not the norm of a latent's whole row, but the sum of the norms of
its parts (`model`). So the loop holds the rows at norm 1, as always, and what is written is the row divided by
that sum (`Paired.decode`): every latent's norms then add up to 1, its value IS its price, and the loop's own L1
and BatchTopK are the papers'.

Every latent begins with the same direction in both models. At first all is shared; what becomes exclusive does so
because the data ask for it. With `apart` the directions are drawn for each model: what is shared has to be found.

    trained = train_crosscoder(chunk, SaeConfig(d_sae=512, kind=BatchTopK(k=20), n_steps=1000))
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.crosscoders.model import Crosscoder, summed_norm
from mi_tutor.lab.dictionaries import (
    BatchTopK,
    JumpRelu,
    Sae,
    SaeConfig,
    autograd_gradients,
    train_sae,
    unit_decoder,
)
from mi_tutor.lab.dictionaries.run import Record
from mi_tutor.lab.dictionaries.start import Scaling, unit_scale


@dataclass(frozen=True, kw_only=True)
class Paired(Sae):
    """A crosscoder as a dictionary of rows: what the training loop moves."""

    centred: bool = False
    n_models: int = 2

    def parts(self) -> Float[Tensor, "latent model d_model"]:
        """The decoder's rows, a part for each model."""
        return self.W_dec.unflatten(-1, (self.n_models, -1))

    def decode(self, latents: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch d_out"]:
        """What is written: each row divided by the sum of its parts' norms."""
        return (latents / summed_norm(self.parts())) @ self.W_dec + self.b_dec


def paired(crosscoder: Crosscoder) -> Paired:
    """Both models in one row. Latents change their unit to that of `Paired`."""
    norm = summed_norm(crosscoder.W_dec)
    threshold = crosscoder.threshold
    return Paired(
        W_enc=crosscoder.W_enc.flatten(0, 1) * norm,
        b_enc=crosscoder.b_enc * norm,
        W_dec=crosscoder.W_dec.flatten(1),
        b_dec=crosscoder.b_dec.flatten(),
        kind=crosscoder.kind,
        threshold=None if threshold is None else threshold * norm,
        n_models=len(crosscoder.b_dec),
    )


def parted(sae: Paired) -> Crosscoder:
    """A crosscoder whose latents' norms add up to 1."""
    n_models = sae.n_models
    return Crosscoder(
        W_enc=sae.W_enc.unflatten(0, (n_models, -1)).contiguous(),
        b_enc=sae.b_enc,
        W_dec=sae.parts() / summed_norm(sae.parts())[:, None, None],
        b_dec=sae.b_dec.unflatten(0, (n_models, -1)),
        kind=sae.kind,
        threshold=sae.threshold,
    )


@dataclass(frozen=True)
class Models:
    """The family of crosscoders, for `train_sae(..., family=Models(2))`.

    apart: whether a latent begins with a direction of its own in each model.
    """

    n_models: int = 2
    apart: bool = False

    def scaling(self, x: Tensor, y: Tensor | None) -> Scaling:
        """One factor for all models: with one for each, a difference between them would be scaled away."""
        if y is not None:
            raise ValueError("A crosscoder reconstructs what it reads: rows, not pairs of rows.")
        return Scaling(unit_scale(x), unit_scale(x))

    def start(
        self, x: Tensor, y: Tensor | None, config: SaeConfig, generator: torch.Generator
    ) -> Sae:
        """Random directions; the encoder looks for them around the mean."""
        if x.shape[1] % self.n_models:
            raise ValueError(
                f"{x.shape[1]} dimensions are not {self.n_models} models side by side."
            )
        d = x.shape[1] // self.n_models
        n_drawn = self.n_models if self.apart else 1
        drawn = torch.randn(
            config.d_sae, n_drawn * d, generator=generator, device=generator.device
        ).to(x)
        W_dec = unit_decoder(drawn if self.apart else drawn.repeat(1, self.n_models))
        W_enc, mean = W_dec.mT.clone(), x.mean(dim=0)
        threshold = None
        if isinstance(config.kind, JumpRelu):
            threshold = x.new_full((config.d_sae,), config.kind.start)
        elif isinstance(config.kind, BatchTopK):
            threshold = x.new_zeros(config.d_sae)
        return Paired(
            W_enc=W_enc, b_enc=-mean @ W_enc, W_dec=W_dec, b_dec=mean, kind=config.kind,
            threshold=threshold, n_models=self.n_models,
        )  # fmt: skip

    def folded(self, sae: Paired, scaling: Scaling) -> Paired:
        """For activations as they are."""
        scale = scaling.scale_in
        threshold = None if sae.threshold is None else sae.threshold / scale
        return replace(sae, b_enc=sae.b_enc / scale, b_dec=sae.b_dec / scale, threshold=threshold)


class TrainedCrosscoder(NamedTuple):
    """A crosscoder, about a hundred records of its training, and its seconds."""

    crosscoder: Crosscoder
    history: list[Record]
    seconds: float


def train_crosscoder(
    chunk: Callable[[int], Float[Tensor, "row model d_model"]],
    config: SaeConfig,
    *,
    device: torch.device | str = "cpu",
    work: Path | None = None,
    progress: bool = True,
    apart: bool = False,
) -> TrainedCrosscoder:
    """Train a crosscoder on chunks of paired activations: the same tokens, read by each model.

    >>> from mi_tutor.lab.dictionaries import Relu
    >>> x = torch.randn(256, 2, 4)
    >>> config = SaeConfig(d_sae=8, kind=Relu(), sparsity=0.2, n_steps=5, batch_size=64)
    >>> train_crosscoder(lambda i: x, config).crosscoder.W_dec.shape
    torch.Size([8, 2, 4])
    """
    options: dict[str, Any] = {"device": device, "work": work, "progress": progress}
    trained = train_sae(
        lambda i: chunk(i).flatten(1),
        config,
        gradients=autograd_gradients,  # the written ones do not know this decoder
        family=Models(chunk(0).shape[1], apart),
        **options,
    )
    return TrainedCrosscoder(parted(trained.sae), trained.history, trained.seconds)
