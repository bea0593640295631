"""Graphs with a known fault: each has its fault and no other."""

import pytest
import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.tracing import (
    LATENT,
    attribution_graph,
    exchanged_graph,
    local_replacement,
    unfrozen_graph,
)

from .conftest import TOKENS


@pytest.fixture
def local(plain, transcoders):
    return local_replacement(plain, transcoders, TOKENS)


def test_with_frozen_denominators_backward_passes_give_the_graph(local):
    graph = attribution_graph(local, TOKENS)
    found = unfrozen_graph(local, graph, frozen=True)
    torch.testing.assert_close(found.adjacency, graph.adjacency, rtol=1e-4, atol=2e-5)


def test_without_them_rows_do_not_add_up(local):
    graph = attribution_graph(local, TOKENS)
    found = unfrozen_graph(local, graph)
    right, wrong = (each.adjacency.sum(dim=1) + each.constant for each in (graph, found))
    assert (right - wrong).abs().max() > 0.1 * right.abs().max()


def test_exchanged_graphs_have_the_same_sums_and_other_columns(local):
    graph = attribution_graph(local, TOKENS)
    found = exchanged_graph(graph, seeded(0))
    torch.testing.assert_close(found.adjacency.sum(dim=1), graph.adjacency.sum(dim=1))
    latents = graph.nodes.kind == LATENT
    moved = (found.adjacency != graph.adjacency).any(dim=0)
    assert moved[latents].float().mean() > 0.3
    assert not moved[~latents].any()
