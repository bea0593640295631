"""Transcoders: one layer's, several layers' side by side, and a cross-layer transcoder.

A transcoder reads what an MLP reads, x_l = LN(resid_mid), and writes what it writes, y_l. With one per layer,

    f_l     = activation(x_l W_enc[l] + b_enc[l])
    y_hat_l = f_l W_dec[l] + b_dec[l]                              (Dunefsky et al. 2024)

What several layers compute in steps is then a chain of latents. A cross-layer transcoder's latent reads at its own
layer and writes to the MLP outputs of this layer and of all later ones:

    y_hat_t = sum over l <= t of   f_l W_dec[l, :, t]   + b_dec[t]   (Ameisen et al. 2025)

So one latent can stand for what would be a latent in each layer, and paths through a graph become shorter. It is
no autoencoder: it never reads what it reconstructs.

Shapes. Activations of all layers lie side by side, [*batch layer d_model]; latents are [*batch layer latent].
W_dec[l, i, t] is what latent i of layer l writes to layer t, and 0 for t < l.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.dictionaries import JumpRelu, Sae
from mi_tutor.lab.dictionaries.kinds import Kind


@dataclass(frozen=True, kw_only=True)
class Transcoder(Sae):
    """An `Sae` whose input is another activation than its target, so that b_dec is not subtracted from the input.

    >>> one = Transcoder(W_enc=torch.eye(2), b_enc=torch.zeros(2), W_dec=torch.eye(2), b_dec=torch.ones(2))
    >>> one(torch.tensor([[3.0, -1.0]]))
    tensor([[4., 1.]])
    """

    centred: bool = False


@runtime_checkable
class Transcoders(Protocol):
    """What a graph needs to know about the transcoders of a model, whichever kind they are."""

    @property
    def n_layers(self) -> int:
        """Layers of the model that they are for."""

    def encode_layer(self, layer: int, x: Tensor) -> Tensor:
        """[*batch d_model] -> [*batch latent], from one layer's MLP input."""

    def reads(self, layer: int) -> tuple[Tensor, Tensor]:
        """W_enc [d_model latent] and b_enc [latent] of one layer."""

    def writes(self, layer: int, to: int) -> Tensor | None:
        """[latent d_model], what one layer's latents write to a layer; None if nothing."""

    def constant(self, layer: int) -> Tensor:
        """[d_model], what is written to one layer whatever the latents are."""

    def with_orders(self, orders: Sequence[Tensor]) -> "Transcoders":
        """The same with each layer's decoders in another order."""


@dataclass(frozen=True)
class LayerTranscoders:
    """One transcoder per layer, as one object with the face of a cross-layer transcoder.

    Raises ValueError if some would subtract b_dec from its input, or their sizes differ.

    >>> one = Transcoder(W_enc=torch.eye(2), b_enc=torch.zeros(2), W_dec=torch.eye(2), b_dec=torch.ones(2))
    >>> LayerTranscoders([one, one])(torch.ones(1, 2, 2)).shape
    torch.Size([1, 2, 2])
    """

    each: Sequence[Sae]

    def __post_init__(self) -> None:
        if not self.each or any(one.centred for one in self.each):
            raise ValueError(
                "There should be a transcoder for every layer, from layer 0 on, each with centred=False; "
                f"got {len(self.each)}, of which {sum(one.centred for one in self.each)} are autoencoders."
            )
        sizes = {(one.d_in, one.d_out) for one in self.each}
        if len(sizes) > 1:
            raise ValueError(
                f"The transcoders belong to models of different widths: {sorted(sizes)}."
            )

    @property
    def n_layers(self) -> int:
        """One per layer."""
        return len(self.each)

    def encode_layer(
        self, layer: int, x: Float[Tensor, "*batch d_model"]
    ) -> Float[Tensor, "*batch latent"]:
        """One layer's latents."""
        return self.each[layer].encode(x)

    def reads(self, layer: int) -> tuple[Tensor, Tensor]:
        """W_enc and b_enc of one layer."""
        return self.each[layer].W_enc, self.each[layer].b_enc

    def writes(self, layer: int, to: int) -> Tensor | None:
        """W_dec, to the own layer only."""
        return self.each[layer].W_dec if layer == to else None

    def constant(self, layer: int) -> Tensor:
        """b_dec of one layer."""
        return self.each[layer].b_dec

    def with_orders(self, orders: Sequence[Int[Tensor, "latent"]]) -> "LayerTranscoders":
        """Latent i of layer l writes what latent orders[l][i] wrote."""
        each = zip(self.each, orders, strict=True)
        return LayerTranscoders([replace(one, W_dec=one.W_dec[order]) for one, order in each])

    def __call__(
        self, x: Float[Tensor, "*batch layer d_model"]
    ) -> Float[Tensor, "*batch layer d_model"]:
        """All layers' reconstructions."""
        return torch.stack([one(x[..., i, :]) for i, one in enumerate(self.each)], dim=-2)


def clt_encode(
    x: Float[Tensor, "*batch layer d_model"],
    W_enc: Float[Tensor, "layer d_model latent"],
    b_enc: Float[Tensor, "layer latent"],
) -> Float[Tensor, "*batch layer latent"]:
    """Pre-activations: each layer's latents read their own layer.

    >>> clt_encode(torch.tensor([[[2.0], [3.0]]]), torch.ones(2, 1, 1), torch.zeros(2, 1)).flatten()
    tensor([2., 3.])
    """
    return torch.einsum("...ld,ldm->...lm", x, W_enc) + b_enc


def clt_decode(
    latents: Float[Tensor, "*batch layer latent"],
    W_dec: Float[Tensor, "layer latent to d_model"],
    b_dec: Float[Tensor, "to d_model"],
) -> Float[Tensor, "*batch to d_model"]:
    """y_hat_t: what all latents write to each layer. W_dec must be 0 for layers before a latent's own.

    >>> writes = torch.ones(2, 1, 2, 1).tril().mT  # both layers' latents: layer 0 writes to 0 and 1, layer 1 to 1
    >>> W_dec = torch.tensor([[[[1.0], [1.0]]], [[[0.0], [1.0]]]])
    >>> clt_decode(torch.tensor([[[2.0], [3.0]]]), W_dec, torch.zeros(2, 1)).flatten()
    tensor([2., 5.])
    """
    return torch.einsum("...lm,lmtd->...td", latents, W_dec) + b_dec


@dataclass(frozen=True, kw_only=True)
class CrossLayerTranscoder:
    """A cross-layer transcoder's weights, and what it computes with them. See the module.

    Args:
        kind, threshold: as in `Sae`; BatchTopK shares its latents out over all layers together.

    Raises ValueError if the shapes do not belong together, or a latent would write to an earlier layer.

    >>> W_dec = torch.tensor([[[[1.0], [1.0]]], [[[0.0], [1.0]]]])
    >>> clt = CrossLayerTranscoder(W_enc=torch.ones(2, 1, 1), b_enc=torch.zeros(2, 1), W_dec=W_dec,
    ...     b_dec=torch.zeros(2, 1), threshold=torch.full((2, 1), 2.5))
    >>> clt(torch.tensor([[2.0], [3.0]])).flatten()  # layer 0's latent stays off
    tensor([0., 3.])
    """

    W_enc: Float[Tensor, "layer d_model latent"]
    b_enc: Float[Tensor, "layer latent"]
    W_dec: Float[Tensor, "layer latent layer d_model"]
    b_dec: Float[Tensor, "layer d_model"]
    threshold: Float[Tensor, "layer latent"] | None = None
    kind: Kind = field(default_factory=JumpRelu)

    def __post_init__(self) -> None:
        n_layers, d, m = self.W_enc.shape
        shapes = [tuple(each.shape) for each in self.tensors().values()]
        wanted = [(n_layers, d, m), (n_layers, m), (n_layers, m, n_layers, d), (n_layers, d)]
        if shapes[:4] != wanted or shapes[4:] not in ([], [(n_layers, m)]):
            raise ValueError(
                "Shapes should be W_enc [layer d_model latent], b_enc [layer latent], W_dec [layer latent layer "
                f"d_model], b_dec [layer d_model], threshold [layer latent]; got {shapes}."
            )
        if any(self.W_dec[layer, :, :layer].any() for layer in range(n_layers)):
            raise ValueError(
                "Some latent writes to an earlier layer than it reads: W_dec[l, :, t] should be 0 for t < l."
            )

    @property
    def n_layers(self) -> int:
        """Layers that are read and written."""
        return self.W_enc.shape[0]

    @property
    def d_sae(self) -> int:
        """Latents of each layer."""
        return self.W_enc.shape[2]

    def pre_activations(
        self, x: Float[Tensor, "*batch layer d_model"]
    ) -> Float[Tensor, "*batch layer latent"]:
        """`clt_encode` with its weights."""
        return clt_encode(x, self.W_enc, self.b_enc)

    def encode(
        self, x: Float[Tensor, "*batch layer d_model"]
    ) -> Float[Tensor, "*batch layer latent"]:
        """The latents of all layers."""
        pre = self.pre_activations(x).flatten(-2)
        threshold = None if self.threshold is None else self.threshold.flatten()
        return self.kind.latents(pre, threshold).unflatten(-1, self.b_enc.shape)

    def decode(
        self, latents: Float[Tensor, "*batch layer latent"]
    ) -> Float[Tensor, "*batch layer d_model"]:
        """`clt_decode` with its weights."""
        return clt_decode(latents, self.W_dec, self.b_dec)

    def __call__(
        self, x: Float[Tensor, "*batch layer d_model"]
    ) -> Float[Tensor, "*batch layer d_model"]:
        """The reconstruction of all MLP outputs."""
        return self.decode(self.encode(x))

    def encode_layer(
        self, layer: int, x: Float[Tensor, "*batch d_model"]
    ) -> Float[Tensor, "*batch latent"]:
        """One layer's latents. Only after training: BatchTopK would compare layers."""
        pre = x @ self.W_enc[layer] + self.b_enc[layer]
        return self.kind.latents(pre, None if self.threshold is None else self.threshold[layer])

    def reads(self, layer: int) -> tuple[Tensor, Tensor]:
        """W_enc and b_enc of one layer."""
        return self.W_enc[layer], self.b_enc[layer]

    def writes(self, layer: int, to: int) -> Tensor | None:
        """W_dec from one layer to another."""
        return self.W_dec[layer, :, to] if layer <= to else None

    def constant(self, layer: int) -> Tensor:
        """b_dec of one layer."""
        return self.b_dec[layer]

    def with_orders(self, orders: Sequence[Int[Tensor, "latent"]]) -> "CrossLayerTranscoder":
        """Latent i of layer l writes what latent orders[l][i] wrote."""
        each = zip(self.W_dec, orders, strict=True)
        return replace(self, W_dec=torch.stack([rows[order] for rows, order in each]))

    def tensors(self) -> dict[str, Tensor]:
        """The weights by name, thresholds last if there are any."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, Tensor)}

    def to(self, target: torch.device | str | torch.dtype) -> "CrossLayerTranscoder":
        """The same on another device, or in another precision."""
        return replace(self, **{name: value.to(target) for name, value in self.tensors().items()})

    @cached_property
    def joint_norm(self) -> Float[Tensor, "layer latent"]:
        """The norm of all that a latent writes, to all layers together."""
        return self.W_dec.flatten(2).norm(dim=-1)


def shuffled_decoders(transcoders: Transcoders, generator: torch.Generator) -> Transcoders:
    """A floor for every score of a graph: the same latents come on, and write what others should.

    >>> from mi_tutor.lab.ground.device import seeded
    >>> one = Transcoder(W_enc=torch.eye(3), b_enc=torch.zeros(3), W_dec=torch.eye(3), b_dec=torch.zeros(3))
    >>> shuffled = shuffled_decoders(LayerTranscoders([one]), seeded(0)).each[0]
    >>> shuffled.W_enc.equal(one.W_enc), shuffled.W_dec.sum(dim=0)
    (True, tensor([1., 1., 1.]))
    """
    draw = {"generator": generator, "device": generator.device}
    sizes = [transcoders.reads(layer)[0].shape[1] for layer in range(transcoders.n_layers)]
    return transcoders.with_orders([torch.randperm(size, **draw) for size in sizes])


def rescaled(clt: CrossLayerTranscoder) -> CrossLayerTranscoder:
    """The same function with decoders of joint norm 1, so that a latent's value says how much it writes.

    >>> W_dec = torch.tensor([[[[3.0]]]])
    >>> weights = {"W_enc": torch.ones(1, 1, 1), "b_enc": torch.zeros(1, 1), "b_dec": torch.zeros(1, 1)}
    >>> one = rescaled(CrossLayerTranscoder(**weights, W_dec=W_dec, threshold=torch.ones(1, 1)))
    >>> one.W_dec.item(), one.encode(torch.tensor([[2.0]])).item(), one(torch.tensor([[2.0]])).item()
    (1.0, 6.0, 6.0)
    """
    norm = torch.where(clt.joint_norm > 0, clt.joint_norm, 1.0)
    return replace(
        clt,
        W_enc=clt.W_enc * norm[:, None],
        b_enc=clt.b_enc * norm,
        W_dec=clt.W_dec / norm[..., None, None],
        threshold=None if clt.threshold is None else clt.threshold * norm,
    )
