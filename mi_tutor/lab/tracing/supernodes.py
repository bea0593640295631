"""Supernodes: nodes that mean the same, seen as one.

Of a group's inputs, what share comes from another group? Each node's inputs are shares already
(`scores.shares`); a group's are the mean over its nodes, each weighted with its own influence. Edges within a
group say nothing about it and are left out, so that what comes from outside adds up to 1 with `others`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.tracing.graph import AttributionGraph
from mi_tutor.lab.tracing.scores import SMALLEST, influence, shares


class GroupedGraph(NamedTuple):
    """A graph of supernodes.

    Attributes:
        names: of the groups.
        inputs: rows targets, columns sources: the share of a group's input from outside that another group gives.
        others: the share that comes from nodes in no group.
        influence: how much each group counts for the logits: the sum of its nodes' influence.
    """

    names: tuple[str, ...]
    inputs: Float[Tensor, "group group"]
    others: Float[Tensor, "group"]
    influence: Float[Tensor, "group"]


def grouped(graph: AttributionGraph, supernodes: Mapping[str, Sequence[int]]) -> GroupedGraph:
    """The graph of some groups of nodes, by name; nodes by their number in the graph.

    Raises ValueError if a group is empty, a node is none of the graph's, or is in two groups.

    >>> from mi_tutor.lab.tracing.graph import Nodes
    >>> kinds = torch.tensor([0, 0, 2, 3])
    >>> nodes = Nodes(kinds, *[kinds] * 4, value=torch.ones(4))
    >>> A = torch.tensor([[0.0, 0, 2, 0], [1, 0, 1, 0], [0, 0, 0, 0], [0, 4, 0, 0]])
    >>> graph = AttributionGraph(nodes, A, torch.zeros(4), torch.zeros(1).long(), 0)
    >>> grouped(graph, {"word": [2], "answer": [3], "both": [0, 1]}).inputs
    tensor([[0., 0., 0.],
            [0., 0., 1.],
            [1., 0., 0.]])
    """
    n_nodes, every = len(graph.constant), [i for nodes in supernodes.values() for i in nodes]
    if not all(supernodes.values()) or len(set(every)) < len(every):
        raise ValueError(
            "Each group should have a node at least, and each node should be in one group at most."
        )
    if not all(0 <= i < n_nodes for i in every):
        raise ValueError(f"Nodes go from 0 to {n_nodes - 1}; got {sorted(every)}.")
    member = graph.constant.new_zeros(len(supernodes), n_nodes)
    for row, nodes in zip(member, supernodes.values(), strict=True):
        row[list(nodes)] = 1
    A = shares(graph.adjacency)
    found = influence(A, graph.logit_weights)
    # The nodes in no group are one more group, for what comes from them.
    nowhere = (member.sum(dim=0, keepdim=True) == 0).to(member.dtype)
    every = group_inputs(A, found + graph.logit_weights, torch.cat([member, nowhere]))[:-1]
    return GroupedGraph(
        tuple(supernodes), every[:, :-1], every[:, -1], (member @ found[:, None])[:, 0]
    )


def group_inputs(
    shares: Float[Tensor, "node node"],
    counts: Float[Tensor, "node"],
    member: Float[Tensor, "group node"],
) -> Float[Tensor, "group group"]:
    """Of what each group gets from outside of it, the share that each group gives.

    shares: each node's inputs as shares. counts: how much each node counts. member: 1 where a node is in a group.

    >>> A = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.25, 0.75, 0.0]])
    >>> member = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    >>> group_inputs(A, torch.tensor([1.0, 1.0, 2.0]), member)  # what comes from the own group is left out
    tensor([[0., 0.],
            [1., 0.]])
    """
    given = (member * counts) @ shares  # [group, source]: what each node gives to the group
    outside = given * (1 - member)
    return outside @ member.mT / outside.sum(dim=1, keepdim=True).clamp_min(SMALLEST)
