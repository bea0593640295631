"""Graphs with a known fault, to try measurements on: what shows that a graph is right?

unfrozen     denominators of LayerNorms answer to a change, as in a plain gradient. A LayerNorm does not care
             how long its input is, so its derivative leaves out the direction of the input itself: a row no
             longer adds up to what its target reads.
exchanged    latents of one layer at one position write what another one of them writes. A row has the same
             entries in another order: all its sums are as before, and the scores nearly so.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.ground.plain import affine
from mi_tutor.lab.tracing.graph import EMBEDDING, ERROR, LATENT, LOGIT, AttributionGraph
from mi_tutor.lab.tracing.local import (
    LocalReplacementModel,
    denominator,
    frozen_attention,
    frozen_norm,
)

AT_A_TIME = 128  # targets in one backward pass: each holds a gradient of the whole model


def exchanged_graph(graph: AttributionGraph, generator: torch.Generator) -> AttributionGraph:
    """The same nodes, with what they write exchanged among the latents of each layer and position."""
    nodes, order = graph.nodes, torch.arange(len(graph.constant))
    places = torch.stack([nodes.component, nodes.layer, nodes.position], dim=1)[
        nodes.kind == LATENT
    ]
    for place in places.unique(dim=0):
        here = (places == place).all(dim=1).nonzero()[:, 0]
        order[here] = here[torch.randperm(len(here), generator=generator)]
    return graph._replace(adjacency=graph.adjacency[:, order])


def unfrozen_graph(
    local: LocalReplacementModel, graph: AttributionGraph, frozen: bool = False
) -> AttributionGraph:
    """The same nodes, with denominators that answer; patterns stay frozen. For MLP transcoders only.

    frozen: keep the denominators too. Then this is the graph itself, by backward passes: a second way to it.

    Raises ValueError for a graph with attention latents.
    """
    if local.attention:
        raise ValueError("This is for graphs of MLP transcoders alone, without attention latents.")
    targets, at = read_by_targets(local, graph, frozen)
    by_some = [
        torch.autograd.grad(targets, at, some, retain_graph=True, is_grads_batched=True)
        for some in torch.eye(len(targets)).split(AT_A_TIME)
    ]
    by_embedding, by_written = map(torch.cat, zip(*by_some, strict=True))
    with torch.no_grad():
        columns = effects(local, graph, by_embedding, by_written)
        adjacency = torch.zeros_like(graph.adjacency)
        rows = (graph.nodes.kind == LATENT) | (graph.nodes.kind == LOGIT)
        adjacency[rows] = columns
    return graph._replace(adjacency=adjacency)


@torch.enable_grad()
def read_by_targets(
    local: LocalReplacementModel, graph: AttributionGraph, frozen: bool
) -> tuple[Float[Tensor, "target"], tuple[Tensor, Tensor]]:
    """What every latent and logit of the graph reads, and the embedding and MLP outputs that it depends on."""
    seen, plain, nodes = local.recording, local.plain, graph.nodes
    embedding = seen.embedding.clone().requires_grad_()
    written = seen.mlp_out.clone().requires_grad_()
    x, found = embedding, []
    for layer, block in enumerate(plain.blocks):
        scale = seen.attn_scale[layer] if frozen else denominator(x, plain.eps)
        x = x + frozen_attention(plain, layer, x, seen.patterns[layer], scale)
        scale = seen.mlp_scale[layer] if frozen else denominator(x, plain.eps)
        W_enc, b_enc = local.transcoders.reads(layer)
        read = frozen_norm(x, block.ln2, scale) @ W_enc + b_enc
        here = (nodes.kind == LATENT) & (nodes.layer == layer)
        found.append(read[nodes.position[here], nodes.index[here]])
        x = x + written[layer]
    scale = seen.final_scale if frozen else denominator(x, plain.eps)
    logits = affine(frozen_norm(x, plain.ln_final, scale), plain.unembed)[-1]
    found.append((logits - logits.mean())[nodes.index[nodes.kind == LOGIT]])
    return torch.cat(found), (embedding, written)


def effects(
    local: LocalReplacementModel,
    graph: AttributionGraph,
    by_embedding: Float[Tensor, "target pos d_model"],
    by_written: Float[Tensor, "target layer pos d_model"],
) -> Float[Tensor, "target node"]:
    """Each node's vector laid against the gradients."""
    nodes, n_layers = graph.nodes, local.transcoders.n_layers
    found = by_embedding.new_zeros(len(by_embedding), len(graph.constant))
    for to in range(n_layers):
        for layer in range(n_layers):
            W_dec = local.transcoders.writes(layer, to)
            if W_dec is not None:
                here = ((nodes.kind == LATENT) & (nodes.layer == layer)).nonzero()[:, 0]
                vector = W_dec[nodes.index[here]] * nodes.value[here, None]
                gradient = by_written[:, to, nodes.position[here]]
                found[:, here] += torch.einsum("tnd,nd->tn", gradient, vector)
        error = local.errors[to].clone()
        error[0] = 0
        here = (nodes.kind == ERROR) & (nodes.layer == to)
        found[:, here] = torch.einsum("tpd,pd->tp", by_written[:, to], error)
    seen = local.recording
    tokens = torch.einsum("tpd,pd->tp", by_embedding, seen.embedding)
    tokens[:, 0] += torch.einsum("tld,ld->t", by_written[:, :, 0], seen.mlp_out[:, 0])
    found[:, nodes.kind == EMBEDDING] = tokens
    return found
