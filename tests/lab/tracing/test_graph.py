"""The local replacement model and its graph against TransformerLens, autograd and an inverse."""

from dataclasses import replace

import pytest
import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.tracing import (
    ATTENTION,
    EMBEDDING,
    ERROR,
    LATENT,
    LOGIT,
    MLP,
    attribution_graph,
    edge_influence,
    graph_scores,
    influence,
    local_replacement,
    node_influence,
    prune,
    record,
    replaced_logits,
    salient_logits,
    shares,
    shuffled_decoders,
)

from .conftest import TOKENS, random_transcoders


@pytest.fixture
def local(plain, transcoders, attention):
    return local_replacement(plain, transcoders, TOKENS, attention)


def test_the_local_replacement_model_is_the_model(tiny_gpt2, plain, local):
    expected = tiny_gpt2(TOKENS[None])[0].detach()
    torch.testing.assert_close(local(), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(local.recording.logits, expected, rtol=1e-5, atol=1e-5)
    without = local(errors=torch.zeros_like(local.errors))
    assert (without - expected).abs().max() > 0.1  # the errors matter


def test_prompts_of_one_length_can_be_replaced_together(plain, transcoders):
    both = torch.stack([TOKENS, TOKENS.flip(0)])
    together = local_replacement(plain, transcoders, both)
    each = [local_replacement(plain, transcoders, tokens)() for tokens in both]
    torch.testing.assert_close(together(), torch.stack(each))
    logits = replaced_logits(plain, transcoders, both)
    torch.testing.assert_close(logits[0], replaced_logits(plain, transcoders, TOKENS))


def oracle(model, local, graph):
    """Rows by autograd, from TransformerLens's own patterns, scales and weights; one factor of 1 per source."""
    nodes, n = graph.nodes, len(TOKENS)
    _, cache = model.run_with_cache(TOKENS[None])
    factor = torch.ones(len(nodes.kind), requires_grad=True)

    def added(component, layer, position):
        """What latents add to the stream at one place."""
        total = torch.zeros(24)
        for i in range(len(nodes.kind)):
            here = nodes.position[i] == position and nodes.component[i] == component
            if nodes.kind[i] == LATENT and here and nodes.layer[i] <= layer:
                if component == MLP:
                    W_dec = local.transcoders.writes(int(nodes.layer[i]), layer)
                else:
                    W_dec = local.attention[layer].W_dec if nodes.layer[i] == layer else None
                if W_dec is not None:
                    total = total + factor[i] * nodes.value[i] * W_dec[nodes.index[i]]
        return total

    def error_of(component, layer, position, latents):
        name = "mlp_out" if component == MLP else "attn_out"
        whole = cache[f"blocks.{layer}.hook_{name}"][0, position]
        always = (
            local.transcoders.constant(layer) if component == MLP else local.attention[layer].b_dec
        )
        return always, whole - always - latents.detach()

    def node(kind, component, layer, position):
        match = (nodes.kind == kind) & (nodes.component == component)
        match &= (nodes.layer == layer) & (nodes.position == position)
        return factor[match.nonzero()[0, 0]]

    def replaced(component, layer):
        rows = []
        for position in range(n):
            if position == 0:
                name = "mlp_out" if component == MLP else "attn_out"
                constant = cache[f"blocks.{layer}.hook_{name}"][0, 0]
                rows.append(node(EMBEDDING, -1, -1, 0) * constant)
                continue
            latents = added(component, layer, position)
            always, error = error_of(component, layer, position, latents)
            rows.append(always + latents + node(ERROR, component, layer, position) * error)
        return torch.stack(rows)

    x = torch.stack([node(EMBEDDING, -1, -1, p) for p in range(n)])[:, None]
    x = x * (cache["hook_embed"][0] + cache["hook_pos_embed"][0])
    seen = torch.zeros(len(nodes.kind))
    rows = torch.zeros(len(nodes.kind), len(nodes.kind))

    def read(number, value):
        (rows[number],) = torch.autograd.grad(value, factor, retain_graph=True)
        seen[number] = value.detach()

    def norm(x, name, ln):
        centred = x - x.mean(dim=-1, keepdim=True)
        return centred / cache[f"{name}.hook_scale"][0] * ln.weight + ln.bias

    for layer, block in enumerate(model.blocks):
        normed = norm(x, f"blocks.{layer}.ln1", block.ln1)
        v = torch.einsum("pd,hdc->phc", normed, block.attn.W_V) + block.attn.b_V
        z = torch.einsum("hqk,khc->qhc", cache[f"blocks.{layer}.attn.hook_pattern"][0], v)
        written = torch.einsum("qhc,hcd->qd", z, block.attn.W_O) + block.attn.b_O
        readers = (nodes.kind == LATENT) & (nodes.layer == layer)
        if layer in local.attention:
            sae = local.attention[layer]
            for i in (readers & (nodes.component == ATTENTION)).nonzero()[:, 0].tolist():
                pre = sae.pre_activations(written[nodes.position[i]])[nodes.index[i]]
                read(i, pre)
            written = replaced(ATTENTION, layer)
        x = x + written
        normed = norm(x, f"blocks.{layer}.ln2", block.ln2)
        W_enc, b_enc = local.transcoders.reads(layer)
        for i in (readers & (nodes.component == MLP)).nonzero()[:, 0].tolist():
            read(i, normed[nodes.position[i]] @ W_enc[:, nodes.index[i]] + b_enc[nodes.index[i]])
        x = x + replaced(MLP, layer)
    final = norm(x, "ln_final", model.ln_final)[-1] @ model.W_U + model.b_U
    for i in (nodes.kind == LOGIT).nonzero()[:, 0].tolist():
        read(i, final[nodes.index[i]] - final.mean())
    return rows.detach(), seen


def test_rows_are_autograds_and_add_up_to_pre_activations(tiny_gpt2, local):
    graph = attribution_graph(local, TOKENS)
    expected, pre = oracle(tiny_gpt2, local, graph)
    size = expected.abs().max()
    assert (graph.adjacency - expected).abs().max() <= 3e-6 * max(1.0, size)
    sums = graph.adjacency.sum(dim=1) + graph.constant
    targets = (graph.nodes.kind == LATENT) | (graph.nodes.kind == LOGIT)
    torch.testing.assert_close(sums[targets], pre[targets], rtol=1e-5, atol=1e-5)
    latents = graph.nodes.kind == LATENT
    torch.testing.assert_close(pre[latents], graph.nodes.value[latents], rtol=1e-5, atol=1e-5)


def test_nodes_are_all_latents_that_reach_a_logit(local):
    nodes = attribution_graph(local, TOKENS).nodes
    latents = {tuple(map(int, row[1:5])) for row in zip(*nodes, strict=True) if row[0] == LATENT}
    expected = set()
    for component, values in (
        (MLP, dict(enumerate(local.latents))),
        (ATTENTION, local.attn_latents),
    ):
        for layer, f in values.items():
            for position, index in (f > 0).nonzero().tolist():
                if position > 0 and (layer < 2 or position == 5):
                    expected.add((component, layer, position, index))
    assert latents == expected
    assert sorted(nodes.kind.tolist()) == nodes.kind.tolist()
    assert (nodes.kind == ERROR).sum() == 6 * (3 + len(local.attention))


def test_with_too_many_latents_the_rest_is_error_and_the_sums_stay_exact(plain, transcoders):
    local = local_replacement(plain, transcoders, TOKENS)
    whole = attribution_graph(local, TOKENS)
    few = attribution_graph(local, TOKENS, most_latents=9)
    n_latents = int((whole.nodes.kind == LATENT).sum())
    assert (few.nodes.kind == LATENT).sum() == 9 and few.n_left_out == n_latents - 9
    logit = few.adjacency[-1].sum() + few.constant[-1]
    torch.testing.assert_close(logit, whole.adjacency[-1].sum() + whole.constant[-1])
    assert graph_scores(few).replacement < graph_scores(whole).replacement


def test_influence_is_the_inverses(local):
    graph = attribution_graph(local, TOKENS)
    A, one = shares(graph.adjacency).double(), torch.eye(len(graph.adjacency), dtype=torch.float64)
    B = torch.linalg.inv(one - A) - one
    expected = graph.logit_weights.double() @ B
    torch.testing.assert_close(node_influence(graph).double(), expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="way back"):
        influence(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.ones(2))


def paths(A, target, weight):
    """Every path that ends in a target, one by one, with the product of its shares."""
    for source in A[target].nonzero()[:, 0].tolist():
        product = weight * A[target, source]
        yield source, product
        yield from paths(A, source, product)


def test_influence_and_scores_are_sums_over_all_paths(plain):
    """On a graph small enough to walk: one latent kept in each place that matters."""
    local = local_replacement(plain, random_transcoders("per layer"), TOKENS[:3])
    graph = attribution_graph(local, TOKENS[:3], most_latents=5)
    A, kind = shares(graph.adjacency), graph.nodes.kind
    total, known, weight_of_all = torch.zeros(len(A)), 0.0, 0.0
    for logit in (kind == LOGIT).nonzero()[:, 0].tolist():
        total[logit] += 0  # a logit is no source
        for source, product in paths(A, logit, graph.logit_weights[logit]):
            total[source] += product
    torch.testing.assert_close(node_influence(graph), total)
    counts = total + graph.logit_weights
    for node in range(len(A)):
        known += counts[node] * (1 - sum(A[node, s] for s in range(len(A)) if kind[s] == ERROR))
        weight_of_all += counts[node]
    scores = graph_scores(graph)
    assert scores.completeness == pytest.approx(float(known / weight_of_all), abs=1e-6)
    embeddings, errors = (float(total[kind == each].sum()) for each in (EMBEDDING, ERROR))
    assert scores.replacement == pytest.approx(embeddings / (embeddings + errors), abs=1e-6)


def test_perfect_transcoders_score_1_and_shuffled_ones_less(plain, transcoders):
    local = local_replacement(plain, transcoders, TOKENS)
    perfect = replace(local, errors=torch.zeros_like(local.errors))
    assert graph_scores(attribution_graph(perfect, TOKENS)) == pytest.approx((1.0, 1.0))
    shuffled = shuffled_decoders(transcoders, seeded(0))
    assert local_replacement(plain, shuffled, TOKENS)().allclose(local(), atol=1e-4)


def test_pruning_keeps_what_it_says(local):
    graph = attribution_graph(local, TOKENS)
    pruned, whole = prune(graph, 0.8, 0.98), prune(graph, 1.0, 1.0)
    found, kind = node_influence(graph), graph.nodes.kind
    always = (kind == EMBEDDING) | (kind == LOGIT)
    by_influence = found.argsort(descending=True).tolist()
    needed, held = set(), 0.0
    for i in by_influence:
        if held < 0.8 * float(found.sum()):
            needed.add(i)
            held += float(found[i])
    assert set(pruned.kept.tolist()) <= needed | set(always.nonzero()[:, 0].tolist())
    assert len(pruned.kept) < len(whole.kept) <= len(found)
    edges = edge_influence(graph.adjacency, graph.logit_weights)
    assert float(edges.sum()) == pytest.approx(float(found.sum()), rel=1e-5)
    adjacency, nodes = pruned.adjacency, pruned.nodes
    for i in range(len(pruned.kept)):
        if nodes.kind[i] in (LATENT, ERROR):
            assert adjacency[:, i].any()
        if nodes.kind[i] == LATENT:
            assert adjacency[i].any()
    same = graph.adjacency[pruned.kept][:, pruned.kept]
    assert ((adjacency == same) | (adjacency == 0)).all()
    assert pruned.cumulative.max() <= 1 + 1e-6
    with pytest.raises(ValueError, match="node_share"):
        prune(graph, 80.0)


def test_bad_input_is_told(plain, transcoders):
    with pytest.raises(ValueError, match="reads 2 to 32"):
        record(plain, torch.zeros(33, dtype=torch.long))
    with pytest.raises(ValueError, match="3 layers and the transcoders are for 2"):
        local_replacement(plain, Two(), TOKENS)
    local = local_replacement(plain, transcoders, TOKENS)
    with pytest.raises(ValueError, match="one prompt"):
        attribution_graph(local, TOKENS[:4])
    with pytest.raises(ValueError, match="0 to 187"):
        attribution_graph(local, TOKENS, targets=torch.tensor([188]))
    broken = replace(plain, W_E=plain.W_E * float("nan"))
    with pytest.raises(FloatingPointError, match="nothing to trace"):
        record(broken, TOKENS)


class Two:
    """Transcoders for two layers."""

    n_layers = 2

    def encode_layer(self, layer, x): ...
    def reads(self, layer): ...
    def writes(self, layer, to): ...
    def constant(self, layer): ...
    def with_orders(self, orders): ...


def test_salient_logits():
    logits = torch.tensor([0.5, 0.3, 0.17, 0.03]).log()
    assert salient_logits(logits)[0].tolist() == [0, 1, 2]
    assert salient_logits(logits, most=2)[0].tolist() == [0, 1]
