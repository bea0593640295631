"""Parts of attention scores against TransformerLens's scores, and against a source that is taken away."""

import pytest
import torch

from mi_tutor.lab.tracing import (
    EMBEDDING,
    attribution_graph,
    local_replacement,
    score_parts,
)

from .conftest import TOKENS


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_parts_add_up_to_the_score(tiny_gpt2, plain, transcoders, attention, layer):
    local = local_replacement(plain, transcoders, TOKENS, attention)
    graph = attribution_graph(local, TOKENS)
    _, cache = tiny_gpt2.run_with_cache(TOKENS[None])
    q, k = (cache[f"blocks.{layer}.attn.hook_{name}"][0] for name in "qk")
    for head, query, key in ((0, 5, 3), (2, 4, 4), (1, 2, 0)):
        expected = (q[query, head] @ k[key, head]) / q.shape[-1] ** 0.5
        found = score_parts(local, graph, layer, head, query, key)
        assert found.score == pytest.approx(float(expected), rel=1e-4, abs=1e-4)
    there = score_parts(local, graph, layer, 0, 5, 3, against=1)
    expected = q[5, 0] @ (k[3, 0] - k[1, 0]) / q.shape[-1] ** 0.5
    assert there.score == pytest.approx(float(expected), rel=1e-4, abs=1e-4)


def test_a_pair_of_embeddings_is_what_the_first_layer_multiplies(tiny_gpt2, plain, transcoders):
    local = local_replacement(plain, transcoders, TOKENS)
    graph = attribution_graph(local, TOKENS)
    found = score_parts(local, graph, layer=0, head=1, query=4, key=2).pairs
    attn, ln = tiny_gpt2.blocks[0].attn, tiny_gpt2.blocks[0].ln1
    x = local.recording.embedding

    def seen(W, position):
        centred = x[position] - x[position].mean()
        return centred / local.recording.attn_scale[0, position] * ln.weight @ W[1]

    expected = seen(attn.W_Q, 4) @ seen(attn.W_K, 2) / attn.W_Q.shape[-1] ** 0.5
    places = (graph.nodes.kind == EMBEDDING).nonzero()[:, 0]
    torch.testing.assert_close(found[places[4], places[2]], expected.detach())
    others = found.clone()
    others[places[4]] = others[-1] = 0  # at layer 0 the query has its own embedding, and biases
    assert not others.any()


def test_bad_places_are_told(plain, transcoders):
    local = local_replacement(plain, transcoders, TOKENS)
    graph = attribution_graph(local, TOKENS)
    with pytest.raises(ValueError, match="up to its own position"):
        score_parts(local, graph, 0, 0, query=2, key=3)
