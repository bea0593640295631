"""Why does a head look there? Attribution of one attention score, the part of the story that frozen patterns hide.

A head's score for a query and a key is a product of two vectors that are both linear in the stream, once
LayerNorm's denominators are frozen:

    score = q . k / sqrt(d_head)        q = LN(x[query]) W_Q + b_Q,   k = LN(x[key]) W_K + b_K

The stream is a sum over sources (`graph`), so q and k are sums too, and the score is one over PAIRS: what source i
gives to q, times what source j gives to k (Kamath et al. 2025, *Tracing Attention Computation*). A pair says: the
head looks there because i is at the query and j at the key. A score alone moves no attention; what counts is that
it is larger than the scores of other keys (`against`).
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.tracing.graph import AttributionGraph, Rows
from mi_tutor.lab.tracing.local import LocalReplacementModel
from mi_tutor.lab.tracing.pulling import ATTENTION, Stage, placed, pulled_through_norm
from mi_tutor.lab.tracing.sources import sources_of


class ScoreParts(NamedTuple):
    """One attention score as a sum over pairs.

    Attributes:
        pairs: rows are sources at the query, columns at the key; both in the order of the graph's nodes, and last
            what biases give.
        score: their sum.
    """

    pairs: Float[Tensor, "source source"]
    score: float


@torch.no_grad()
def score_parts(
    local: LocalReplacementModel,
    graph: AttributionGraph,
    layer: int,
    head: int,
    query: int,
    key: int,
    against: int | None = None,
) -> ScoreParts:
    """Which pairs of nodes make a head look from a query to a key.

    graph: of the same prompt. against: another key, whose score is subtracted: why there and not here?

    Raises ValueError for a key after the query, or if the graph is of another prompt.
    """
    n_pos = len(local.recording.embedding)
    keys = [key] if against is None else [key, against]
    if not all(0 <= each <= query < n_pos for each in keys):
        raise ValueError(
            f"A query looks at keys up to its own position, and positions go to {n_pos - 1}; got query {query} "
            f"and keys {keys}."
        )
    if len(graph.tokens) != n_pos:
        raise ValueError(
            f"The graph has {len(graph.tokens)} tokens and the model was run on {n_pos}."
        )
    at_query = head_parts(local, graph, layer, head, query, 0)
    at_key = head_parts(local, graph, layer, head, key, 1)
    if against is not None:
        at_key = at_key - head_parts(local, graph, layer, head, against, 1)
    pairs = at_query.mT @ at_key / len(at_query) ** 0.5
    return ScoreParts(pairs, pairs.sum().item())


def head_parts(
    local: LocalReplacementModel,
    graph: AttributionGraph,
    layer: int,
    head: int,
    position: int,
    which: int,
) -> Float[Tensor, "d_head source"]:
    """What every source gives to a head's query (which = 0) or key (1) at one position; last, what biases give."""
    plain, seen = local.plain, local.recording
    block, n_pos = plain.blocks[layer], len(seen.embedding)
    d_head = block.out.W.shape[0] // plain.n_heads
    width = plain.n_heads * d_head
    columns = slice(which * width + head * d_head, which * width + (head + 1) * d_head)
    reads = block.qkv.W[:, columns].mT
    bias = block.qkv.b[columns] + reads @ block.ln1.b
    direction = pulled_through_norm(reads, block.ln1, seen.attn_scale[layer, position])
    places = torch.full((d_head,), position, device=reads.device)
    n_latents = int((graph.nodes.kind == 0).sum())
    rows = Rows(local, sources_of(local, max(1, n_latents)), len(graph.constant), d_head)
    number = rows.stages.index(Stage(layer, ATTENTION))
    rows.pull(0, placed(direction, places, n_pos), bias, number)
    return torch.cat([rows.adjacency, rows.constant[:, None]], dim=1)
