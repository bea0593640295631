"""How good transcoders are, layer by layer: L0, FVU, dead latents.

Layers differ: what the first MLP of `atlas` writes takes thirty latents, what the last one writes takes five. So
each number is one per layer. L0 is added up over layers for a model's number, FVU and dead are averaged.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.dictionaries import fvu
from mi_tutor.lab.tracing.transcoders import Transcoders

AT_ONCE = 8192  # samples that are encoded together


class TranscoderMetrics(NamedTuple):
    """One number per layer.

    Attributes:
        l0: latents of this layer that are on per sample.
        fvu: share of the variance of this layer's MLP output that is not explained.
        dead: share of this layer's latents that are never on.
    """

    l0: Float[Tensor, "layer"]
    fvu: Float[Tensor, "layer"]
    dead: Float[Tensor, "layer"]


@torch.no_grad()
def transcoder_metrics(
    transcoders: Transcoders,
    x: Float[Tensor, "row layer d_model"],
    y: Float[Tensor, "row layer d_model"],
) -> TranscoderMetrics:
    """All numbers of `TranscoderMetrics`. x: MLP inputs, y: MLP outputs, of many samples.

    >>> from mi_tutor.lab.tracing.transcoders import LayerTranscoders, Transcoder
    >>> one = Transcoder(W_enc=torch.eye(2), b_enc=torch.zeros(2), W_dec=torch.eye(2), b_dec=torch.zeros(2))
    >>> x = torch.tensor([[[1.0, 0.0]], [[3.0, 0.0]]])
    >>> transcoder_metrics(LayerTranscoders([one]), x, x)
    TranscoderMetrics(l0=tensor([1.]), fvu=tensor([0.]), dead=tensor([0.5000]))
    """
    n_layers = transcoders.n_layers
    on = [0 for _ in range(n_layers)]
    y_hat = torch.empty_like(y)
    for start in range(0, len(x), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        latents = [transcoders.encode_layer(i, x[rows, i]) for i in range(n_layers)]
        for to in range(n_layers):
            y_hat[rows, to] = written_to(transcoders, latents, to)
        on = [seen + (each > 0).sum(dim=0) for seen, each in zip(on, latents, strict=True)]
    return TranscoderMetrics(
        torch.stack([each.sum() / len(x) for each in on]),
        torch.tensor([fvu(y[:, i], y_hat[:, i]) for i in range(n_layers)]),
        torch.stack([(each == 0).float().mean() for each in on]),
    )


def written_to(
    transcoders: Transcoders, latents: list[Float[Tensor, "*batch _"]], to: int
) -> Float[Tensor, "*batch d_model"]:
    """What the latents of all layers up to one write to it. latents: those of layers 0 to `to` at least."""
    total = transcoders.constant(to)
    for layer in range(to + 1):
        W_dec = transcoders.writes(layer, to)
        if W_dec is not None:
            total = total + latents[layer] @ W_dec
    return total
