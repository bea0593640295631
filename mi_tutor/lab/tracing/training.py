"""How a cross-layer transcoder is trained: by the loop of `lab.dictionaries`, as one dictionary of all layers.

Side by side, all layers' MLP inputs are one long row [layer * d_model], and so are their outputs. A cross-layer
transcoder is then a transcoder of rows with three properties (`Joined`): an encoder reads its own layer's part of
the row (W_enc in blocks, [layer d_model latent]), a decoder writes nothing to earlier layers (those weights stay
0), and its norm is that of all its parts together.

Each layer's outputs are scaled to a mean square of 1 on their own (`start`), so that the loss is d_model times the
sum of the layers' FVUs: otherwise the layers that write most would be all that counts. BatchTopK chooses among the
latents of all layers together, so that a layer gets as many as it is worth: with the same k for each layer, the
first one of `atlas` has too few and the last one too many.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.dictionaries import JumpRelu, Sae, SaeConfig, unit_decoder
from mi_tutor.lab.dictionaries.kinds import BatchTopK
from mi_tutor.lab.dictionaries.losses import pre_activation_loss, reconstruction_loss, tanh_penalty
from mi_tutor.lab.dictionaries.start import Scaling, unit_scale
from mi_tutor.lab.tracing.transcoders import CrossLayerTranscoder, rescaled


def clt_loss(
    y: Float[Tensor, "batch layer d_model"],
    y_hat: Float[Tensor, "batch layer d_model"],
    pre: Float[Tensor, "batch layer latent"],
    latents: Float[Tensor, "batch layer latent"],
    threshold: Float[Tensor, "layer latent"],
    W_dec: Float[Tensor, "layer latent layer d_model"],
    sparsity: float,
    scale: float = 4.0,
    pull: float = 0.0,
) -> Float[Tensor, ""]:
    """The loss of a JumpReLU cross-layer transcoder (Ameisen et al. 2025).

        sum_t ||y_t - y_hat_t||^2
        + sparsity * sum_li tanh(scale f_li ||W_dec[l, i]||)               ||.|| over all layers written to
        + sparsity * pull * sum_li ReLU(threshold_li - pre_li) ||W_dec[l, i]||

    SUM over layers, dimensions and latents, MEAN over the batch.

    >>> y, on = torch.ones(1, 1, 2), torch.tensor([[[9.0]]])
    >>> W_dec = torch.tensor([[[[1.0, 1.0]]]])
    >>> clt_loss(y, torch.zeros_like(y), on, on, torch.ones(1, 1), W_dec, sparsity=0.5)
    tensor(2.5000)
    """
    rows = W_dec.flatten(0, 1).flatten(1)
    flat = latents.flatten(1)
    found = reconstruction_loss(y.flatten(1), y_hat.flatten(1))
    found = found + sparsity * tanh_penalty(flat, rows, scale)
    if pull:
        lost = pre_activation_loss(pre.flatten(1), threshold.flatten(), rows)
        found = found + sparsity * pull * lost
    return found


@dataclass(frozen=True, kw_only=True)
class Joined(Sae):
    """A cross-layer transcoder as a transcoder of rows that hold all layers: what the training loop moves."""

    W_enc: Float[Tensor, "layer d_model own"]
    centred: bool = False

    def __post_init__(self) -> None:
        """The shapes are `joined`'s."""

    def pre_activations(self, x: Float[Tensor, "*batch d_in"]) -> Float[Tensor, "*batch latent"]:
        """Block by block."""
        blocks = x.unflatten(-1, (len(self.W_enc), -1))
        return torch.einsum("...ld,ldm->...lm", blocks, self.W_enc).flatten(-2) + self.b_enc

    def allowed(self, gradient: Float[Tensor, "latent d_out"]) -> Float[Tensor, "latent d_out"]:
        """Nothing towards layers before a latent's own."""
        n_layers, d, m = self.W_enc.shape
        for layer in range(1, n_layers):
            gradient[layer * m : (layer + 1) * m, : layer * d] = 0
        return gradient

    @property
    def d_in(self) -> int:
        """Of all layers."""
        return self.W_enc.shape[0] * self.W_enc.shape[1]

    @property
    def d_sae(self) -> int:
        """Of all layers."""
        return len(self.b_enc)


def joined(clt: CrossLayerTranscoder) -> Joined:
    """All layers in one row."""
    threshold = None if clt.threshold is None else clt.threshold.flatten()
    return Joined(
        W_enc=clt.W_enc,
        b_enc=clt.b_enc.flatten(),
        W_dec=clt.W_dec.flatten(0, 1).flatten(1),
        b_dec=clt.b_dec.flatten(),
        kind=clt.kind,
        threshold=threshold,
    )


def parted(sae: Sae) -> CrossLayerTranscoder:
    """What `joined` was made of."""
    n_layers, d, m = sae.W_enc.shape
    return CrossLayerTranscoder(
        W_enc=sae.W_enc.contiguous(),
        b_enc=sae.b_enc.view(n_layers, m),
        W_dec=sae.W_dec.view(n_layers, m, n_layers, d),
        b_dec=sae.b_dec.view(n_layers, d),
        kind=sae.kind,
        threshold=None if sae.threshold is None else sae.threshold.view(n_layers, m),
    )


@dataclass(frozen=True)
class CrossLayer:
    """The family of cross-layer transcoders, for `train_sae(..., family=CrossLayer(n_layers))`.

    Args:
        n_layers: of the model; d_sae of the config counts the latents of all layers.
        rate: for JumpRelu, the share of samples in which each latent is on at the start. b_enc is set so.
    """

    n_layers: int
    rate: float = 0.1

    def scaling(self, x: Tensor, y: Tensor | None) -> Scaling:
        """One factor per layer for the outputs, and for the inputs."""
        if y is None:
            raise ValueError(
                "A cross-layer transcoder is trained on pairs: MLP inputs and outputs."
            )
        parts = (each.chunk(self.n_layers, dim=1) for each in (x, y))
        return Scaling(*(tuple(map(unit_scale, each)) for each in parts))

    def start(
        self, x: Tensor, y: Tensor | None, config: SaeConfig, generator: torch.Generator
    ) -> Sae:
        """Random encoders of norm 1, centred through b_enc; random decoders of joint norm 1."""
        n_layers, d = self.n_layers, x.shape[1] // self.n_layers
        if config.d_sae % n_layers:
            raise ValueError(
                f"d_sae counts the latents of all layers, so it should be a multiple of {n_layers}, got "
                f"{config.d_sae}."
            )
        m = config.d_sae // n_layers
        draw = {"generator": generator, "device": generator.device}
        rows = unit_decoder(torch.randn(config.d_sae, d, **draw)).to(x)
        W_enc = rows.view(n_layers, m, d).mT
        W_dec = torch.randn(config.d_sae, n_layers * d, **draw).to(x)
        b_enc = -torch.einsum("ld,ldm->lm", x.mean(dim=0).view(n_layers, d), W_enc).flatten()
        sae = Joined(W_enc=W_enc, b_enc=b_enc, W_dec=W_dec, b_dec=y.mean(dim=0), kind=config.kind)
        W_dec = unit_decoder(sae.allowed(W_dec.clone()))
        threshold = None
        if isinstance(config.kind, JumpRelu):
            threshold = x.new_full((config.d_sae,), config.kind.start)
            high = sae.pre_activations(x[:4096]).quantile(1 - self.rate, dim=0)
            b_enc = b_enc + threshold - high
        elif isinstance(config.kind, BatchTopK):
            threshold = x.new_zeros(config.d_sae)
        return replace(sae, W_dec=W_dec, b_enc=b_enc, threshold=threshold)

    def folded(self, sae: Sae, scaling: Scaling) -> Sae:
        """For MLP inputs and outputs as they are, with decoders of joint norm 1."""
        clt = parted(sae)
        into, out = (clt.W_enc.new_tensor(factors) for factors in scaling)
        clt = replace(
            clt,
            W_enc=clt.W_enc * into[:, None, None],
            W_dec=clt.W_dec / out[:, None],
            b_dec=clt.b_dec / out[:, None],
        )
        return joined(rescaled(clt))
