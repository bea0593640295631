"""Where the latents of a graph are on in other texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import torch
from jaxtyping import Int
from torch import Tensor

from mi_tutor.lab.dictionaries import Context, Sae, top_contexts
from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.tracing import ATTENTION, LATENT, PrunedGraph, Transcoders, record

AT_ONCE = 16  # texts
AROUND = 8  # tokens that are shown on both sides


@torch.no_grad()
def latent_contexts(
    pruned: PrunedGraph,
    plain: PlainTransformer,
    transcoders: Transcoders,
    tokens: Int[Tensor, "row pos"],
    attention: Mapping[int, Sae] | None = None,
    n: int = 5,
) -> dict[int, list[Context]]:
    """For each latent of a pruned graph, by its number in the whole graph, the tokens on which it is highest.

    tokens: texts of one length, BOS first in each row; some thousand tokens.
    attention: the dictionaries that the graph was made with.
    """
    wanted: dict[tuple[int, int], dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    nodes = pruned.nodes
    for i, number in enumerate(pruned.kept.tolist()):
        if nodes.kind[i] == LATENT:
            place = int(nodes.component[i]), int(nodes.layer[i])
            wanted[place][int(nodes.index[i])].append(number)
    found = defaultdict(list)
    for part in tokens.split(AT_ONCE):
        seen = record(plain, part)
        for component, layer in wanted:
            if component == ATTENTION:
                latents = (attention or {})[layer].encode(seen.attn_out[layer])
            else:
                latents = transcoders.encode_layer(layer, seen.mlp_in[layer])
            latents[:, 0] = 0
            found[component, layer].append(latents[..., list(wanted[component, layer])])
    contexts = {}
    for place, numbers in wanted.items():
        every = torch.cat(found[place])
        for column, same in enumerate(numbers.values()):
            here = top_contexts(every[..., column], tokens, n, AROUND)
            contexts |= dict.fromkeys(same, here)
    return contexts
