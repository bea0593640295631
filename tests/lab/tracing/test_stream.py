"""The frozen stream against the closed form of `graph`, and shares of errors against an inverse."""

import pytest
import torch

from mi_tutor.lab.tracing import (
    ERROR,
    LATENT,
    LOGIT,
    all_written,
    attribution_graph,
    direct_effects,
    frozen_stream,
    graph_scores,
    kept_nodes,
    local_replacement,
    shares,
    unexplained,
    written_by,
)

from .conftest import TOKENS


@pytest.fixture
def local(plain, transcoders):
    return local_replacement(plain, transcoders, TOKENS)


def test_with_all_that_was_written_the_readers_read_what_they_read(plain, local):
    seen = local.recording
    reads = frozen_stream(plain, seen, all_written(seen))
    torch.testing.assert_close(reads[:-1], seen.mlp_in, rtol=1e-5, atol=1e-5)
    logits = reads[-1] @ plain.unembed.W + plain.unembed.b
    torch.testing.assert_close(logits, seen.logits, rtol=1e-5, atol=1e-5)


def test_direct_effects_are_the_graphs(plain, local):
    graph = attribution_graph(local, TOKENS)
    nodes = graph.nodes
    targets = ((nodes.kind == LATENT) | (nodes.kind == LOGIT)).nonzero()[:, 0]
    centred = plain.unembed.W - plain.unembed.W.mean(dim=1, keepdim=True)
    encoders = [
        centred[:, nodes.index[i]]
        if nodes.kind[i] == LOGIT
        else local.transcoders.reads(int(nodes.layer[i]))[0][:, nodes.index[i]]
        for i in targets
    ]
    found = direct_effects(
        plain,
        local.recording,
        written_by(local, nodes),
        nodes.layer[targets],
        nodes.position[targets],
        torch.stack(encoders),
    )
    torch.testing.assert_close(found, graph.adjacency[targets], rtol=1e-5, atol=1e-5)


def test_unexplained_is_the_inverses(local):
    graph = attribution_graph(local, TOKENS)
    A, is_error = shares(graph.adjacency).double(), graph.nodes.kind == ERROR
    one = torch.eye(len(A), dtype=torch.float64)
    expected = torch.linalg.inv(one - A)[:, is_error].sum(dim=1) - is_error.double()
    torch.testing.assert_close(unexplained(A, is_error), expected)
    at_logits = (unexplained(A, is_error) * graph.logit_weights).sum() / graph.logit_weights.sum()
    assert 1 - float(at_logits) == pytest.approx(graph_scores(graph).replacement, abs=1e-5)
    with pytest.raises(ValueError, match="way back"):
        unexplained(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([True, False]))


def test_nodes_with_the_same_influence_stay_together():
    influence, never = torch.tensor([2.0, 4.0, 1.0, 1.0]), torch.zeros(4, dtype=torch.bool)
    assert kept_nodes(influence, never, 0.75).tolist() == [True, True, False, False]
    assert kept_nodes(influence, never, 0.8).tolist() == [True, True, True, True]
    assert kept_nodes(influence, ~never, 0.1).all()
