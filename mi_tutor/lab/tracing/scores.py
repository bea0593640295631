"""How much each node counts for the answer, along all paths: influence, and the two scores of a graph.

A graph's weights have signs and sizes that differ from target to target. So each target's inputs are first made
shares: absolute values, divided by their sum (`shares`). With that matrix A, what a node counts along paths of any
length is

    B = A + A^2 + A^3 + ... = (I - A)^-1 - I

which ends, since no path goes back. A node's influence is the mean of its column of B at the logits, weighted with
their probabilities (Ameisen et al. 2025). Influence says how much, not in which direction.

    replacement    of all that ends at embeddings or errors, the share that ends at embeddings
    completeness   of all inputs of all nodes, weighted with the nodes' influence, the share that is no error

Completeness is the milder one: an error far from the logits costs what one node loses, while for the replacement
score every path through it is lost. Look at both beside their floors: what they are for shuffled decoders.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mi_tutor.lab.tracing.graph import EMBEDDING, ERROR, AttributionGraph

SMALLEST = 1e-10  # a row with less input than that has none


class Scores(NamedTuple):
    """See the module."""

    replacement: float
    completeness: float


def shares(adjacency: Float[Tensor, "node node"]) -> Float[Tensor, "node node"]:
    """Each target's inputs as shares: absolute values, which add up to 1 in each row that has any.

    >>> shares(torch.tensor([[0.0, 3.0, -1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))[0]
    tensor([0.0000, 0.7500, 0.2500])
    """
    size = adjacency.abs()
    return size / size.sum(dim=1, keepdim=True).clamp_min(SMALLEST)


def influence(
    shares: Float[Tensor, "node node"], weights: Float[Tensor, "node"]
) -> Float[Tensor, "node"]:
    """weights B, B = (I - A)^-1 - I, as the sum of weights A, weights A^2 ... until nothing is left.

    That is one product of a vector and the matrix for each step of the longest path, and no inverse.
    Raises ValueError if there is a way back.

    >>> A = torch.tensor([[0.0, 0.5, 0.5], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    >>> influence(A, torch.tensor([1.0, 0.0, 0.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    total, now = torch.zeros_like(weights), weights
    for _ in range(len(weights) + 1):
        now = (now[None] @ shares)[0]
        if not now.any():
            return total
        total = total + now
    raise ValueError("The graph has a way back to where it began; no sum of its paths exists.")


def node_influence(graph: AttributionGraph) -> Float[Tensor, "node"]:
    """The influence of each node on the logits."""
    return influence(shares(graph.adjacency), graph.logit_weights)


def edge_influence(
    adjacency: Float[Tensor, "node node"], weights: Float[Tensor, "node"]
) -> Float[Tensor, "node node"]:
    """How much each edge counts: its share of the target's input, times how much the target counts.

    >>> edge_influence(torch.tensor([[0.0, 3.0, 1.0], [0.0, 0.0, 5.0], [0.0, 0.0, 0.0]]), torch.eye(3)[0])
    tensor([[0.0000, 0.7500, 0.2500],
            [0.0000, 0.0000, 0.7500],
            [0.0000, 0.0000, 0.0000]])
    """
    A = shares(adjacency)
    return A * (weights + influence(A, weights))[:, None]


def scores_of(
    adjacency: Float[Tensor, "node node"],
    weights: Float[Tensor, "node"],
    is_error: Bool[Tensor, "node"],
    is_embedding: Bool[Tensor, "node"],
) -> Scores:
    """Both scores from a graph's parts. weights: the logits' probabilities, 0 for other nodes. See the module.

    >>> A = torch.tensor([[0.0, 3.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])  # a logit, a word and an error
    >>> which = torch.arange(3)
    >>> scores_of(A, torch.tensor([1.0, 0.0, 0.0]), which == 2, which == 1)
    Scores(replacement=0.75, completeness=0.875)
    """
    A = shares(adjacency)
    counts = influence(A, weights)
    embeddings, errors = counts[is_embedding].sum(), counts[is_error].sum()
    known = 1 - A[:, is_error].sum(dim=1)
    # As circuit-tracer does it: nodes without inputs, embeddings and errors too, count as known.
    counts = counts + weights
    completeness = (known * counts).sum() / counts.sum()
    return Scores((embeddings / (embeddings + errors)).item(), completeness.item())


def graph_scores(graph: AttributionGraph) -> Scores:
    """Both scores of a graph. See the module."""
    kind = graph.nodes.kind
    return scores_of(graph.adjacency, graph.logit_weights, kind == ERROR, kind == EMBEDDING)


def unexplained(
    shares: Float[Tensor, "node node"], is_error: Bool[Tensor, "node"]
) -> Float[Tensor, "node"]:
    """For each node, the share of its input that comes from errors, along paths of any length.

    A latent in the middle of a graph can be made of errors while the whole graph scores well; this says which one.
    Raises ValueError if there is a way back.

    >>> A = torch.tensor([[0.0, 0.5, 0.5], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    >>> unexplained(A, torch.tensor([False, False, True]))
    tensor([1., 1., 0.])
    """
    total, now = torch.zeros_like(shares[0]), is_error.to(shares)
    for _ in range(len(shares) + 1):
        now = shares @ now
        if not now.any():
            return total
        total = total + now
    raise ValueError("The graph has a way back to where it began; no sum of its paths exists.")
