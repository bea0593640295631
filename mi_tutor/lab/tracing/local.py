"""The local replacement model: transcoders in place of MLPs, and at one prompt exactly the model itself.

1. Record the model on a prompt: where each head attends, the denominators of every LayerNorm, what each MLP reads
   and writes.
2. Put the transcoders in place of the MLPs. What they leave out at each layer and position is an error node, a
   constant vector:

       error_l = mlp_out_l - (what the latents write to l + b_dec[l])

3. Freeze the attention patterns and the denominators at what was recorded.

Its logits are then the model's own (Ameisen et al. 2025, *Local replacement model*). Between latents everything is
linear now: what one latent gives another is the product of its value and a number, and the graph can be exact.

What is frozen is not explained: why a head attends where it does, and how the prompt's size acts, stay outside.

Attention outputs can have dictionaries too (`attention`): an autoencoder reads what a layer's attention writes,
and its latents and its error take that place. What the heads moved is then said in latents.

The first position (BOS) has no latents and no errors: transcoders are not trained there. What its MLPs write is
constant, and counts with its embedding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.dictionaries import Sae
from mi_tutor.lab.ground.plain import Affine, PlainTransformer, affine
from mi_tutor.lab.tracing.metrics import written_to
from mi_tutor.lab.tracing.transcoders import Transcoders


class Recording(NamedTuple):
    """The model on one prompt, or on several of one length.

    Attributes:
        embedding: what enters the first block.
        patterns: where each head attends.
        attn_scale, mlp_scale: the denominators of the LayerNorms before each attention and each MLP.
        final_scale: the denominator of the last one.
        mlp_in, mlp_out: what each MLP reads, LN(resid_mid), and writes.
        attn_out: what each attention writes.
        logits: at all positions.
    """

    embedding: Float[Tensor, "*batch pos d_model"]
    patterns: Float[Tensor, "layer *batch head pos pos"]
    attn_scale: Float[Tensor, "layer *batch pos 1"]
    mlp_scale: Float[Tensor, "layer *batch pos 1"]
    final_scale: Float[Tensor, "*batch pos 1"]
    mlp_in: Float[Tensor, "layer *batch pos d_model"]
    mlp_out: Float[Tensor, "layer *batch pos d_model"]
    attn_out: Float[Tensor, "layer *batch pos d_model"]
    logits: Float[Tensor, "*batch pos vocab"]


def denominator(x: Float[Tensor, "*any d_model"], eps: float) -> Float[Tensor, "*any 1"]:
    """What LayerNorm divides by: sqrt(variance of x + eps).

    >>> denominator(torch.tensor([[3.0, -3.0]]), eps=0.0)
    tensor([[3.]])
    """
    return (x.var(dim=-1, unbiased=False, keepdim=True) + eps).sqrt()


def frozen_norm(
    x: Float[Tensor, "*any d_model"], ln: Affine, scale: Float[Tensor, "*like 1"]
) -> Float[Tensor, "*any d_model"]:
    """LayerNorm with a given denominator: (x - mean x) / scale * W + b, which is affine in x.

    >>> frozen_norm(torch.tensor([[4.0, 0.0]]), Affine(torch.ones(2), torch.zeros(2)), torch.tensor([[4.0]]))
    tensor([[ 0.5000, -0.5000]])
    """
    return (x - x.mean(dim=-1, keepdim=True)) / scale * ln.W + ln.b


def frozen_attention(
    plain: PlainTransformer,
    layer: int,
    x: Float[Tensor, "*any pos d_model"],
    pattern: Float[Tensor, "*like head pos pos"],
    scale: Float[Tensor, "*like pos 1"],
) -> Float[Tensor, "*any pos d_model"]:
    """What an attention writes when it attends as it is told: each head moves its values along its pattern."""
    block = plain.blocks[layer]
    W_V, b_V = value_weights(plain, layer)
    v = plain.split(frozen_norm(x, block.ln1, scale) @ W_V + b_V)
    z = torch.einsum("...hqk,...khd->...qhd", pattern, v)
    return affine(z.flatten(-2), block.out)


def value_weights(plain: PlainTransformer, layer: int) -> Affine:
    """W_V of all heads side by side, [d_model, head * d_head], and b_V."""
    qkv = plain.blocks[layer].qkv
    width = qkv.W.shape[1] // 3
    return Affine(qkv.W[:, 2 * width :], qkv.b[2 * width :])


@torch.no_grad()
def record(plain: PlainTransformer, tokens: Int[Tensor, "*batch pos"]) -> Recording:
    """Run the model and keep what is frozen afterwards.

    Raises ValueError for a prompt that is longer than the model's context, or without a token after BOS;
    FloatingPointError if the model's activations are not finite.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> from mi_tutor.lab.ground.plain import plain_transformer
    >>> model = open_specimen("primer", device="cpu")
    >>> record(plain_transformer(model), encode(model, "The capital of France is")[0]).patterns.shape
    torch.Size([2, 4, 6, 6])
    """
    context, n_pos = len(plain.W_pos), tokens.shape[-1]
    if not 2 <= n_pos <= context:
        raise ValueError(
            f"The prompt has {n_pos} tokens with BOS; this model reads 2 to {context}. Take another prompt."
        )
    x = plain.W_E[tokens] + plain.W_pos[:n_pos]
    embedding, kept = x, []
    for layer, block in enumerate(plain.blocks):
        at = plain.complete(layer, {"resid_pre": x})
        mid = at["resid_mid"]
        scales = denominator(x, plain.eps), denominator(mid, plain.eps)
        read = plain.mlp_reads(block, mid)
        kept.append((at["pattern"], *scales, read, at["mlp_out"], at["attn_out"]))
        x = at["resid_post"]
    patterns, attn_scale, mlp_scale, mlp_in, mlp_out, attn_out = map(
        torch.stack, zip(*kept, strict=True)
    )
    logits = affine(plain.norm(x, plain.ln_final), plain.unembed)
    if not logits.isfinite().all():
        raise FloatingPointError(
            "The model's logits are NaN or infinite on this prompt, so there is nothing to trace. Are its weights?"
        )
    final_scale = denominator(x, plain.eps)
    return Recording(
        embedding, patterns, attn_scale, mlp_scale, final_scale, mlp_in, mlp_out, attn_out, logits
    )


def latents_of(
    transcoders: Transcoders, mlp_in: Float[Tensor, "layer *batch pos d_model"]
) -> list[Float[Tensor, "*batch pos _"]]:
    """Each layer's latents from what its MLP reads; none at BOS."""
    return [without_bos(transcoders.encode_layer(i, read)) for i, read in enumerate(mlp_in)]


def without_bos(latents: Float[Tensor, "*batch pos latent"]) -> Float[Tensor, "*batch pos latent"]:
    """The same with zeros at position 0."""
    keep = torch.arange(latents.shape[-2], device=latents.device) > 0
    return latents * keep[:, None]


def errors_of(
    transcoders: Transcoders,
    recording: Recording,
    latents: list[Float[Tensor, "*batch pos _"]],
) -> Float[Tensor, "layer *batch pos d_model"]:
    """What the transcoders leave out at each layer and position. At BOS: everything but b_dec, a constant."""
    written = [written_to(transcoders, latents, to) for to in range(transcoders.n_layers)]
    return recording.mlp_out - torch.stack(written)


@dataclass(frozen=True)
class LocalReplacementModel:
    """Transcoders and error nodes in place of the MLPs, with patterns and denominators frozen. See the module.

    Made by `local_replacement`.
    """

    plain: PlainTransformer
    transcoders: Transcoders
    recording: Recording
    latents: list[Float[Tensor, "*batch pos _"]]
    errors: Float[Tensor, "layer *batch pos d_model"]
    attention: Mapping[int, Sae] = field(default_factory=dict)
    attn_latents: Mapping[int, Float[Tensor, "*batch pos _"]] = field(default_factory=dict)
    attn_errors: Mapping[int, Float[Tensor, "*batch pos d_model"]] = field(default_factory=dict)

    def __call__(
        self,
        embedding: Float[Tensor, "*batch pos d_model"] | None = None,
        errors: Float[Tensor, "layer *batch pos d_model"] | None = None,
        added: Sequence[Float[Tensor, "*batch pos _"]] | None = None,
    ) -> Float[Tensor, "*batch pos vocab"]:
        """The logits: the model's own, unless one of its parts is given another value. Differentiable.

        added: is added to each layer's latents after they were read; the layers after that read what follows.
        """
        plain, seen = self.plain, self.recording
        x = seen.embedding if embedding is None else embedding
        errors = self.errors if errors is None else errors
        latents: list[Tensor] = []
        for layer, block in enumerate(plain.blocks):
            pattern, scale = seen.patterns[layer], seen.attn_scale[layer]
            written = frozen_attention(plain, layer, x, pattern, scale)
            if layer in self.attention:
                sae = self.attention[layer]
                written = sae.decode(without_bos(sae.encode(written))) + self.attn_errors[layer]
            x = x + written
            read = frozen_norm(x, block.ln2, seen.mlp_scale[layer])
            f = without_bos(self.transcoders.encode_layer(layer, read))
            latents.append(f if added is None else f + added[layer])
            x = x + written_to(self.transcoders, latents, layer) + errors[layer]
        return affine(frozen_norm(x, plain.ln_final, seen.final_scale), plain.unembed)


def local_replacement(
    plain: PlainTransformer,
    transcoders: Transcoders,
    tokens: Int[Tensor, "*batch pos"],
    attention: Mapping[int, Sae] | None = None,
) -> LocalReplacementModel:
    """The local replacement model at a prompt.

    attention: dictionaries of what some layers' attention writes, by layer; each is centred (an autoencoder).

    Raises ValueError if the transcoders belong to a model of another depth or width, and what `record` raises.
    """
    check_fit(plain, transcoders)
    recording = record(plain, tokens)
    latents = latents_of(transcoders, recording.mlp_in)
    errors = errors_of(transcoders, recording, latents)
    attention = dict(attention or {})
    check_attention(plain, attention)
    seen = {i: without_bos(sae.encode(recording.attn_out[i])) for i, sae in attention.items()}
    left = {i: recording.attn_out[i] - sae.decode(seen[i]) for i, sae in attention.items()}
    return LocalReplacementModel(
        plain, transcoders, recording, latents, errors, attention, seen, left
    )


def check_attention(plain: PlainTransformer, attention: Mapping[int, Sae]) -> None:
    """ValueError unless each is an autoencoder of the model's width, for a layer that there is."""
    n_layers, d_model = len(plain.blocks), plain.W_E.shape[1]
    for layer, sae in attention.items():
        if not (0 <= layer < n_layers and sae.centred and sae.d_in == d_model):
            raise ValueError(
                f"The dictionary for attention {layer} reads {sae.d_in} dimensions and is "
                f"{'an autoencoder' if sae.centred else 'a transcoder'}; it should be an autoencoder of {d_model} "
                f"dimensions, of one of {n_layers} layers."
            )


def check_fit(plain: PlainTransformer, transcoders: Transcoders) -> None:
    """ValueError unless there is a transcoder for every layer, of the model's width."""
    n_layers, d_model = len(plain.blocks), plain.W_E.shape[1]
    if transcoders.n_layers != n_layers:
        raise ValueError(
            f"The model has {n_layers} layers and the transcoders are for {transcoders.n_layers}. Do they belong "
            "together?"
        )
    width = transcoders.reads(0)[0].shape[0]
    if width != d_model:
        raise ValueError(
            f"The model's activations have {d_model} dimensions and the transcoders read {width}. Do they belong "
            "together?"
        )


@torch.no_grad()
def replaced_logits(
    plain: PlainTransformer, transcoders: Transcoders, tokens: Int[Tensor, "*batch pos"]
) -> Float[Tensor, "*batch pos vocab"]:
    """The replacement model: transcoders in place of all MLPs, without error nodes, and nothing frozen.

    Unlike the local one it works for any text, and its logits are not quite the model's. At BOS the MLPs stay.
    """
    check_fit(plain, transcoders)
    x = plain.W_E[tokens] + plain.W_pos[: tokens.shape[-1]]
    latents: list[Tensor] = []
    for layer, block in enumerate(plain.blocks):
        x = plain.complete(layer, {"resid_pre": x}, until="resid_mid")["resid_mid"]
        latents.append(transcoders.encode_layer(layer, plain.mlp_reads(block, x)))
        written = written_to(transcoders, latents, layer)
        bos = plain.mlp(block, x[..., :1, :])
        latents[-1] = without_bos(latents[-1])
        x = x + torch.cat([bos, written[..., 1:, :]], dim=-2)
    return affine(plain.norm(x, plain.ln_final), plain.unembed)
