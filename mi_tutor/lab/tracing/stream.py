"""The frozen stream: what every reader reads, as an affine function of all that is written.

With patterns and denominators frozen (`local`), and the MLPs' outputs taken as given, nothing is left between what
is written to the stream and what is read from it but sums, matrices and biases:

    reads = L(written) + constant

`written` has a part for each place where something is added that is not attention: part 0 is the embedding, part
l + 1 what layer l's MLP writes. `reads` has a part for each reader: part l is what layer l's MLP reads, the last
one what the unembedding reads. So the direct effect of a source that writes v on a target that reads along e is

    e . (reads(v) - reads(0))

exactly, whatever else is in the stream. `graph` has the same numbers in closed form, and faster.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.tracing.graph import EMBEDDING, ERROR, LATENT, Nodes
from mi_tutor.lab.tracing.local import (
    LocalReplacementModel,
    Recording,
    frozen_attention,
    frozen_norm,
)


def frozen_stream(
    plain: PlainTransformer, seen: Recording, written: Float[Tensor, "*batch part pos d_model"]
) -> Float[Tensor, "*batch part pos d_model"]:
    """What each MLP reads, and last what the unembedding reads, from all that is written. Affine in `written`.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> from mi_tutor.lab.ground.plain import plain_transformer
    >>> from mi_tutor.lab.tracing.local import record
    >>> model = open_specimen("primer", device="cpu")
    >>> plain = plain_transformer(model)
    >>> seen = record(plain, encode(model, "The capital of France is")[0])
    >>> reads = frozen_stream(plain, seen, all_written(seen))
    >>> bool(((reads[-1] @ plain.unembed.W + plain.unembed.b) - seen.logits).abs().max() < 1e-4)
    True
    """
    x, reads = written[..., 0, :, :], []
    for layer, block in enumerate(plain.blocks):
        x = x + frozen_attention(plain, layer, x, seen.patterns[layer], seen.attn_scale[layer])
        reads.append(frozen_norm(x, block.ln2, seen.mlp_scale[layer]))
        x = x + written[..., layer + 1, :, :]
    reads.append(frozen_norm(x, plain.ln_final, seen.final_scale))
    return torch.stack(reads, dim=-3)


def all_written(seen: Recording) -> Float[Tensor, "part pos d_model"]:
    """What was written at the prompt: the embedding, and each MLP's output."""
    return torch.cat([seen.embedding[None], seen.mlp_out])


@torch.no_grad()
def direct_effects(
    plain: PlainTransformer,
    seen: Recording,
    sources: Float[Tensor, "source part pos d_model"],
    layers: Int[Tensor, "target"],
    positions: Int[Tensor, "target"],
    encoders: Float[Tensor, "target d_model"],
) -> Float[Tensor, "target source"]:
    """What each source gives to each target's pre-activation. Rows targets, columns sources.

    sources: what each of them writes. layers: which part of `frozen_stream`'s result a target reads; the number of
    layers is the unembedding.
    """
    reads = frozen_stream(plain, seen, sources) - frozen_stream(
        plain, seen, torch.zeros_like(sources[:1])
    )
    return torch.einsum("std,td->ts", reads[:, layers, positions], encoders)


def written_by(
    local: LocalReplacementModel, nodes: Nodes
) -> Float[Tensor, "node part pos d_model"]:
    """What each node of a graph writes to the stream; logits write nothing.

    The constant that MLPs write at BOS is its embedding's. For graphs without attention latents.
    """
    seen, transcoders = local.recording, local.transcoders
    n_layers, n_pos, d_model = seen.mlp_out.shape
    found = seen.embedding.new_zeros(len(nodes.kind), n_layers + 1, n_pos, d_model)
    for number, (kind, _, layer, position, index) in enumerate(
        zip(*(part.tolist() for part in nodes[:5]), strict=True)
    ):
        if kind == LATENT:
            value = nodes.value[number]
            for to in range(layer, n_layers):
                W_dec = transcoders.writes(layer, to)
                if W_dec is not None:
                    found[number, to + 1, position] = value * W_dec[index]
        elif kind == ERROR and position > 0:
            found[number, layer + 1, position] = local.errors[layer, position]
        elif kind == EMBEDDING:
            found[number, 0, position] = seen.embedding[position]
            if position == 0:
                found[number, 1:, 0] = seen.mlp_out[:, 0]
    return found
