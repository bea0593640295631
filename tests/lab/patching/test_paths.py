"""Path patching against TransformerLens's direct paths, and by plain arithmetic where MLPs take part."""

import doctest

import pytest
import torch
from transformer_lens.patching import get_act_patch_direct_path

from mi_tutor.lab.ground.metrics import prefers
from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.lab.ground.sites import Site, hook_name
from mi_tutor.lab.patching import paths
from mi_tutor.lab.patching.activation import run_patched
from mi_tutor.lab.patching.lens import read_out
from mi_tutor.lab.patching.paths import path_patching, path_sweep

G = torch.Generator().manual_seed(1)
CLEAN = torch.randint(2, 188, (2, 7), generator=G)
CORRUPTED = torch.randint(2, 188, (2, 7), generator=G)
METRIC = prefers(torch.tensor([3, 100]), torch.tensor([50, 20]))


@pytest.fixture
def runs(tiny_gpt2):
    with torch.no_grad():
        return [tiny_gpt2.run_with_cache(tokens)[1] for tokens in (CLEAN, CORRUPTED)]


def close(seen, expected):
    torch.testing.assert_close(seen, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("letter", ["q", "k", "v"])
def test_direct_paths_are_transformer_lens_s(tiny_gpt2, runs, letter):
    clean, corrupted = runs
    theirs = get_act_patch_direct_path(
        tiny_gpt2,
        CORRUPTED,
        clean,
        corrupted,
        lambda logits: METRIC(logits).mean(),
        src_layer=0,
        src_head=2,
        component=letter,
        verbose=False,
    )
    for layer in (1, 2):
        for head in range(3):
            receiver = [Site(letter, layer, head=head)]
            ours = path_patching(
                tiny_gpt2, CORRUPTED, CLEAN, METRIC, Site("z", 0, head=2), receiver, False
            )
            close(ours.mean(), theirs[layer, head])


def test_a_path_through_an_mlp_by_hand(tiny_gpt2, runs):
    """Sender z 0.1 -> MLP 0 -> queries of layer 1, head 0."""
    clean, corrupted = runs
    twin, block = plain_transformer(tiny_gpt2), plain_transformer(tiny_gpt2).blocks[0]
    z = corrupted[hook_name("z", 0)].clone()
    z[:, :, 1] = clean[hook_name("z", 0)][:, :, 1]
    mid = corrupted[hook_name("resid_pre", 0)] + (z.flatten(2) @ block.out.W + block.out.b)
    stream = mid + twin.mlp(block, mid)
    queries = dict(corrupted.items())
    queries[hook_name("q", 1)] = twin.complete(1, {"resid_pre": stream})["q"]
    receiver = Site("q", 1, head=0)
    expected = METRIC(run_patched(tiny_gpt2, CORRUPTED, queries, receiver))
    sender = Site("z", 0, head=1)
    seen = path_patching(tiny_gpt2, CORRUPTED, CLEAN, METRIC, sender, [receiver])
    close(seen, expected)
    direct = path_patching(tiny_gpt2, CORRUPTED, CLEAN, METRIC, sender, [receiver], False)
    assert not torch.allclose(seen, direct, atol=1e-4)


@pytest.mark.parametrize("sender", [Site("z", 1, head=0), Site("z", 2, -1, 1), Site("mlp_out", 0)])
def test_the_direct_way_to_the_logits_by_hand(tiny_gpt2, runs, sender):
    clean, corrupted = runs
    change = torch.zeros_like(clean[sender.hook_name])
    change[sender.index] = (clean[sender.hook_name] - corrupted[sender.hook_name])[sender.index]
    if sender.component == "z":
        change = torch.einsum("bphd,hdm->bpm", change, tiny_gpt2.W_O[sender.layer].detach())
    expected = METRIC(read_out(tiny_gpt2, corrupted[hook_name("resid_post", 2)] + change))
    end = [Site("resid_post", 2)]
    close(path_patching(tiny_gpt2, CORRUPTED, CLEAN, METRIC, sender, end, False), expected)


def test_all_the_ways_of_the_last_head_are_an_ordinary_patch(tiny_gpt2, runs):
    """After the last layer's heads nothing but its MLP follows, which lets the change through."""
    sender = Site("z", 2, head=1)
    expected = METRIC(run_patched(tiny_gpt2, CORRUPTED, runs[0], sender))
    end = [Site("resid_post", 2)]
    close(path_patching(tiny_gpt2, CORRUPTED, CLEAN, METRIC, sender, end), expected)


def test_nothing_travels_between_equal_runs(tiny_gpt2):
    receivers = [Site("k", 2, head=0), Site("v", 1, head=1)]
    seen = path_patching(tiny_gpt2, CLEAN, CLEAN, METRIC, Site("z", 0, head=0), receivers)
    with torch.no_grad():
        close(seen, METRIC(tiny_gpt2(CLEAN)))


@pytest.mark.parametrize("name", ["tiny_gpt2", "tiny_llama"])
def test_a_sweep_is_one_path_per_sender(name, request):
    model = request.getfixturevalue(name)
    last = model.cfg.n_layers - 1
    receivers = [Site("q", last, head=0), Site("q", last, head=1)]
    sweep = path_sweep(model, CORRUPTED, CLEAN, METRIC, receivers)
    assert sweep.axes == ("layer", "head")
    for head in range(model.cfg.n_heads):
        sender = Site("z", 0, head=head)
        one = path_patching(model, CORRUPTED, CLEAN, METRIC, sender, receivers)
        close(sweep.per_pair[0, head], one)
    assert sweep.effect[0].abs().max() > 1e-4
    assert (sweep.effect[last] == 0).all()
    assert not any(p.fwd_hooks or p.bwd_hooks for p in model.hook_dict.values())


@pytest.mark.parametrize(
    ("sender", "receivers", "sentence"),
    [
        (Site("q", 0, head=0), [Site("q", 1, head=0)], "z or mlp_out, got q 0.0"),
        (Site("z", 1, head=0), [Site("q", 1, head=0)], "q 1.0 does not come after z 1.0"),
        (Site("z", 1, head=0), [Site("mlp_out", 2)], "q, k or v of a head, or resid_post"),
        (Site("z", 1, head=0), [], "no receivers"),
    ],
)
def test_what_is_no_path(tiny_gpt2, sender, receivers, sentence):
    with pytest.raises(ValueError, match=sentence):
        path_patching(tiny_gpt2, CORRUPTED, CLEAN, METRIC, sender, receivers)


def test_examples():
    assert doctest.testmod(paths).failed == 0
