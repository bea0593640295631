"""Pruning a graph: the nodes and edges that carry most of what the logits owe to the rest.

1. Nodes, by influence from the largest on, until they hold a share of all influence (.8). Embeddings and logits
   stay.
2. Edges among these, by influence from the largest on, until they hold a share of all edges' influence (.98).
   Inputs are shares anew, among the nodes that are left.
3. Latents and errors that lead nowhere any more go, and latents into which nothing leads; and so on until none is
   left.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor.lab.tracing.graph import (
    EMBEDDING,
    ERROR,
    LATENT,
    LOGIT,
    AttributionGraph,
    Nodes,
)
from mi_tutor.lab.tracing.scores import edge_influence, node_influence


class PrunedGraph(NamedTuple):
    """What is left of a graph.

    Attributes:
        kept: the numbers of the nodes that are left, in the graph's order.
        nodes: these.
        adjacency: among them, 0 where the edge is gone.
        influence: of these nodes, in the whole graph.
        cumulative: for each of these nodes the share of all influence that nodes with at least its own have.
    """

    kept: Int[Tensor, "kept"]
    nodes: Nodes
    adjacency: Float[Tensor, "kept kept"]
    influence: Float[Tensor, "kept"]
    cumulative: Float[Tensor, "kept"]

    @property
    def edges(self) -> Int[Tensor, "edge 2"]:
        """Target and source of each edge."""
        return self.adjacency.nonzero()


def bound_for(scores: Float[Tensor, "score"], share: float) -> float:
    """The smallest score that is needed: those that reach it hold a share of the sum, and without it they do not.

    >>> bound_for(torch.tensor([1.0, 5.0, 4.0]), 0.9)
    4.0
    """
    ordered = scores.sort(descending=True).values
    reached = ordered.cumsum(0) / ordered.sum()
    place = int(torch.searchsorted(reached, share))
    return ordered[min(place, len(ordered) - 1)].item()


def kept_nodes(
    influence: Float[Tensor, "node"], always: Bool[Tensor, "node"], share: float
) -> Bool[Tensor, "node"]:
    """Step 1: the strongest nodes that together hold a share of all influence, and those that always stay.

    >>> kept_nodes(torch.tensor([1.0, 5.0, 4.0]), torch.tensor([False, False, False]), 0.9)
    tensor([False,  True,  True])
    """
    return (influence >= bound_for(influence, share)) | always


def prune(
    graph: AttributionGraph, node_share: float = 0.8, edge_share: float = 0.98
) -> PrunedGraph:
    """Keep the nodes, and among them the edges, that hold these shares of the influence.

    Raises ValueError for a share outside of (0, 1].
    """
    for name, share in (("node_share", node_share), ("edge_share", edge_share)):
        if not 0 < share <= 1:
            raise ValueError(f"{name} should be above 0 and at most 1, got {share}.")
    kind, found = graph.nodes.kind, node_influence(graph)
    always = (kind == EMBEDDING) | (kind == LOGIT)
    kept = kept_nodes(found, always, node_share).nonzero()[:, 0]
    adjacency = graph.adjacency[kept][:, kept]
    scores = edge_influence(adjacency, graph.logit_weights[kept])
    scores_on = scores[scores > 0]
    edges = (scores > 0) & (scores >= bound_for(scores_on, edge_share))
    alive = connected(edges, kind[kept])
    edges, kept = edges[alive][:, alive], kept[alive]
    nodes = Nodes(*(part[kept] for part in graph.nodes))
    order = found.argsort(descending=True)
    cumulative = torch.empty_like(found)
    cumulative[order] = found[order].cumsum(0) / found.sum()
    adjacency = graph.adjacency[kept][:, kept] * edges
    return PrunedGraph(kept, nodes, adjacency, found[kept], cumulative[kept])


def connected(edges: Bool[Tensor, "node node"], kind: Int[Tensor, "node"]) -> Bool[Tensor, "node"]:
    """Which nodes are left once all dead ends are gone.

    A latent needs an edge to it and one from it, an error one from it.

    >>> edges = torch.tensor([[False, False, False], [False, False, False], [True, False, False]])
    >>> connected(edges, torch.tensor([EMBEDDING, LATENT, LOGIT]))  # nothing leads to the latent
    tensor([ True, False,  True])
    """
    alive = torch.ones_like(kind, dtype=torch.bool)
    while True:
        among = edges & alive & alive[:, None]
        leads, led = among.any(dim=0), among.any(dim=1)
        still = alive & (leads | (kind != LATENT) & (kind != ERROR)) & (led | (kind != LATENT))
        if still.equal(alive):
            return alive
        alive = still
