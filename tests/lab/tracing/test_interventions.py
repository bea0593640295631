"""Interventions against TransformerLens's hooks, and supernodes against sums over their nodes."""

import numpy as np
import pytest
import torch

from mi_tutor.lab.tracing import (
    ATTENTION,
    LATENT,
    LOGIT,
    MLP,
    Change,
    agreement,
    attribution_graph,
    changes_of,
    divergences,
    grouped,
    influence,
    intervene,
    local_replacement,
    node_influence,
    shares,
    spearman,
    supernode_step,
    validate,
    written_layers,
)
from mi_tutor.lab.tracing.interventions import deltas

from .conftest import TOKENS, random_transcoders


@pytest.fixture
def local(plain, transcoders, attention):
    return local_replacement(plain, transcoders, TOKENS, attention)


def by_hooks(model, local, changes, held, freeze_patterns):
    """The same with hooks: MLP outputs replaced in the range, patterns replaced, attention outputs moved."""
    _, cache = model.run_with_cache(TOKENS[None])
    delta = torch.zeros(2, 3, len(TOKENS), 24)
    for component, layer, position, index, value in changes:
        sites = local.latents if component == MLP else local.attn_latents
        step = value - sites[layer][position, index]
        for to in range(layer, 3):
            if component == MLP:
                W_dec = local.transcoders.writes(layer, to)
            else:
                W_dec = local.attention[layer].W_dec if to == layer else None
            if W_dec is not None:
                delta[component, to, position] += step * W_dec[index]
    hooks = []
    for layer in range(3):
        if layer in held:
            whole = cache[f"blocks.{layer}.hook_mlp_out"] + delta[MLP, layer]
            hooks.append((f"blocks.{layer}.hook_mlp_out", lambda x, hook, whole=whole: whole))
        move = delta[ATTENTION, layer]
        hooks.append((f"blocks.{layer}.hook_attn_out", lambda x, hook, move=move: x + move))
        if freeze_patterns:
            name = f"blocks.{layer}.attn.hook_pattern"
            hooks.append((name, lambda x, hook, pattern=cache[name]: pattern))
    return model.run_with_hooks(TOKENS[None], fwd_hooks=hooks)[0]


@pytest.mark.parametrize("freeze_patterns", [False, True])
@pytest.mark.parametrize("held", [None, range(1), range(3), range(0)], ids=str)
def test_interventions_are_what_hooks_do(tiny_gpt2, local, held, freeze_patterns):
    changes = [Change(MLP, 0, 3, 4, 5.0), Change(MLP, 1, 5, 2, -1.0)]
    if local.attention:
        changes.append(Change(ATTENTION, 1, 5, 3, 4.0))
    sets = [changes, changes[:1], []]
    found = intervene(local, sets, held, freeze_patterns)
    held = written_layers(local, changes) if held is None else held
    for logits, each in zip(found.logits, sets, strict=True):
        expected = by_hooks(tiny_gpt2, local, each, held, freeze_patterns)
        torch.testing.assert_close(logits, expected, rtol=1e-4, atol=2e-5)
    torch.testing.assert_close(found.logits[2], local.recording.logits, rtol=1e-5, atol=2e-5)


def anew_by_hooks(model, local, changes):
    """Iterative patching with hooks: every MLP runs, and latents are read anew before they are changed."""
    added = torch.zeros(2, 3, len(TOKENS), 24)

    def change(component, layer, values):
        for of, at, position, index, value in changes:
            if (of, at) == (component, layer):
                for to in range(layer, 3):
                    if component == MLP:
                        W_dec = local.transcoders.writes(layer, to)
                    else:
                        W_dec = local.attention[layer].W_dec if to == layer else None
                    if W_dec is not None:
                        step = value - values[0, position, index]
                        added[component, to, position] += step * W_dec[index]

    def at_attention(x, hook):
        if hook.layer() in local.attention:
            change(ATTENTION, hook.layer(), local.attention[hook.layer()].encode(x))
        return x + added[ATTENTION, hook.layer()]

    read = {}

    def before(x, hook):
        read[hook.layer()] = x @ torch.eye(24)

    def at_mlp(x, hook):
        layer, block = hook.layer(), local.plain.blocks[hook.layer()]
        mlp_in = read[layer] * block.ln2.W + block.ln2.b
        change(MLP, layer, local.transcoders.encode_layer(layer, mlp_in))
        return x + added[MLP, layer]

    hooks = []
    for layer in range(3):
        hooks += [
            (f"blocks.{layer}.hook_attn_out", at_attention),
            (f"blocks.{layer}.ln2.hook_normalized", before),
            (f"blocks.{layer}.hook_mlp_out", at_mlp),
        ]
    return model.run_with_hooks(TOKENS[None], fwd_hooks=hooks)[0]


def test_iterative_patching_is_what_hooks_do(tiny_gpt2, local):
    changes = [Change(MLP, 0, 3, 4, 5.0), Change(MLP, 1, 5, 2, -1.0), Change(MLP, 1, 4, 7, 2.0)]
    if local.attention:
        changes.append(Change(ATTENTION, 1, 5, 3, 4.0))
    sets = [changes, changes[1:], []]
    found = intervene(local, sets, mode="iterative").logits
    for logits, each in zip(found, sets, strict=True):
        expected = anew_by_hooks(tiny_gpt2, local, each)
        torch.testing.assert_close(logits, expected, rtol=1e-4, atol=2e-5)
    torch.testing.assert_close(found[2], local.recording.logits, rtol=1e-5, atol=2e-5)


def test_iterative_patching_changes_latents_from_what_they_are_now(local):
    """A later latent that is given the value it has anyway, after the earlier change, changes nothing."""
    first = Change(MLP, 0, 3, 4, 9.0)
    alone = intervene(local, [[first]], mode="iterative")
    now = local.transcoders.encode_layer(2, alone.mlp_in[2, 0, 3])
    moved = int((now - local.latents[2][3]).abs().argmax())
    assert (now - local.latents[2][3])[moved].abs() > 0.1
    again = Change(MLP, 2, 3, moved, float(now[moved]))
    both = intervene(local, [[first, again]], mode="iterative")
    torch.testing.assert_close(both.logits, alone.logits, rtol=1e-4, atol=2e-5)


def test_direct_effects_are_the_rows_of_the_graph(local):
    """What a logit loses when latents go off is what the graph says that they give it, and so for what is read."""
    graph = attribution_graph(local, TOKENS)
    nodes = graph.nodes
    numbers = (nodes.kind == LATENT).nonzero()[:, 0].tolist()
    sets = [[change] for change in changes_of(nodes, numbers)]
    found = intervene(local, sets, mode="direct")
    centred = [
        (logits - logits.mean(dim=-1, keepdim=True))[..., nodes.index[nodes.kind == LOGIT]]
        for logits in (found.logits[:, -1], local.recording.logits[-1])
    ]
    falls = (centred[1] - centred[0]).T
    row = graph.adjacency[nodes.kind == LOGIT][:, numbers]
    torch.testing.assert_close(falls, row, rtol=1e-3, atol=2e-5)
    for target in numbers[-8:]:
        if nodes.component[target] == MLP:
            layer, position, index = (int(part[target]) for part in nodes[2:5])
            W_enc, _ = local.transcoders.reads(layer)
            before = local.recording.mlp_in[layer, position] @ W_enc[:, index]
            after = found.mlp_in[layer, :, position] @ W_enc[:, index]
            torch.testing.assert_close(
                before - after, graph.adjacency[target, numbers], rtol=1e-3, atol=2e-5
            )


def test_a_mode_that_leaves_no_choice_takes_no_layers(local):
    with pytest.raises(ValueError, match="holds none"):
        intervene(local, [[]], range(2), mode="iterative")
    with pytest.raises(ValueError, match="holds all of them"):
        intervene(local, [[]], range(2), mode="direct")
    with pytest.raises(Exception, match="mode"):  # jaxtyping's, in tests
        intervene(local, [[]], mode="free")


def test_held_is_every_layer_that_is_written(plain):
    clt = local_replacement(plain, random_transcoders("cross-layer"), TOKENS)
    per_layer = local_replacement(plain, random_transcoders("per layer"), TOKENS)
    changes = [Change(MLP, 1, 3, 4, 5.0)]
    assert written_layers(clt, changes) == range(1, 3)
    assert written_layers(per_layer, changes) == range(1, 2)
    assert written_layers(clt, [Change(ATTENTION, 1, 3, 4, 5.0)]) == range(0)


def test_a_supernode_step_is_what_interventions_add(local):
    if local.transcoders.writes(0, 1) is None:
        return
    values, donor = local.latents[0][3], local.latents[0][5]
    off, on = torch.tensor([0, 2, 4]), torch.tensor([2, 7])
    W_dec = torch.stack([local.transcoders.writes(0, to) for to in range(3)], dim=1)
    step = supernode_step(values, donor, off, on, 1.5, W_dec)
    new = dict.fromkeys(off.tolist(), 0.0) | {i: 1.5 * float(donor[i]) for i in on.tolist()}
    added = deltas(local, [[Change(MLP, 0, 3, i, value) for i, value in new.items()]])
    torch.testing.assert_close(added[MLP, :, 0, 3], step, rtol=1e-4, atol=1e-5)
    assert not added[ATTENTION].any()


def test_agreement_is_validation_among_some(local):
    graph = attribution_graph(local, TOKENS)
    numbers = (graph.nodes.kind == LATENT).nonzero()[:12, 0].tolist()
    seen = validate(local, graph, numbers, layers=range(3))
    sets = [[change] for change in changes_of(graph.nodes, numbers)]
    after = intervene(local, sets, range(3)).logits[:, -1]
    before = local.recording.logits[-1]
    torch.testing.assert_close(divergences(before, after), seen.measured, rtol=1e-3, atol=1e-6)
    some = torch.arange(12)
    assert agreement(seen.predicted, before, after, some) == pytest.approx(seen.spearman, abs=1e-6)


def test_changes_of_nodes(local):
    graph = attribution_graph(local, TOKENS)
    n_latents = int((graph.nodes.kind == LATENT).sum())
    changes = changes_of(graph.nodes, [0, n_latents - 1], 1.0)
    same = intervene(local, [changes]).logits[0]
    torch.testing.assert_close(same, local.recording.logits, rtol=1e-5, atol=2e-5)
    with pytest.raises(ValueError, match="no latent"):
        changes_of(graph.nodes, [n_latents])


def test_what_is_not_there_cannot_be_changed(local):
    with pytest.raises(ValueError, match="BOS has none"):
        intervene(local, [[Change(MLP, 0, 0, 1, 1.0)]])
    with pytest.raises(ValueError, match="layer 0's attention"):
        intervene(local, [[Change(ATTENTION, 0, 1, 1, 1.0)]])


def test_supernodes_are_their_nodes_weighted(local):
    graph = attribution_graph(local, TOKENS)
    A, found = shares(graph.adjacency), node_influence(graph)
    latents = (graph.nodes.kind == LATENT).nonzero()[:, 0]
    strong = latents[found[latents].argsort(descending=True)[:6]].tolist()
    groups = {"a": strong[:2], "b": strong[2:6], "out": [len(A) - 1]}
    seen = grouped(graph, groups)
    for row, target in enumerate(groups.values()):
        weight = {t: float(found[t] + graph.logit_weights[t]) for t in target}
        outside = sum(
            weight[t] * float(A[t, s]) for t in target for s in range(len(A)) if s not in target
        )
        for column, source in enumerate(groups.values()):
            given = sum(weight[t] * float(A[t, s]) for t in target for s in source)
            expected = 0.0 if row == column else given / outside
            assert float(seen.inputs[row, column]) == pytest.approx(expected, abs=1e-5)
    torch.testing.assert_close(seen.inputs.sum(dim=1) + seen.others, torch.ones(3))
    torch.testing.assert_close(seen.influence[0], found[strong[:2]].sum())
    assert influence(A, graph.logit_weights).equal(found)
    with pytest.raises(ValueError, match="one group"):
        grouped(graph, {"a": [0], "b": [0]})
    with pytest.raises(ValueError, match="Nodes go from"):
        grouped(graph, {"a": [10_000]})


def test_validation_is_one_ablation_at_a_time(tiny_gpt2, local):
    graph = attribution_graph(local, TOKENS)
    numbers = (graph.nodes.kind == LATENT).nonzero()[::3, 0].tolist()
    found = validate(local, graph, numbers)
    before = tiny_gpt2(TOKENS[None])[0, -1].detach().log_softmax(dim=-1)
    for number, kl in zip(numbers, found.measured, strict=True):
        (change,) = changes_of(graph.nodes, [number])
        held = written_layers(local, [change])
        after = by_hooks(tiny_gpt2, local, [change], held, False)[-1].detach().log_softmax(dim=-1)
        expected = torch.nn.functional.kl_div(after, before, log_target=True, reduction="sum")
        assert float(kl) == pytest.approx(float(expected), rel=1e-2, abs=2e-5)
    torch.testing.assert_close(found.predicted, node_influence(graph)[numbers])
    assert found.spearman == pytest.approx(spearman(found.predicted, found.measured))


def test_spearman_is_the_correlation_of_ranks():
    a, b = torch.tensor([0.3, 2.0, 2.0, -1.0, 5.0]), torch.tensor([1.0, 4.0, 3.0, 3.0, 0.0])
    expected = np.corrcoef([1, 2.5, 2.5, 0, 4], [1, 4, 2.5, 2.5, 0])[0, 1]
    assert spearman(a, b) == pytest.approx(expected)
    with pytest.raises(ValueError, match="two different values"):
        spearman(a, torch.ones(5))
