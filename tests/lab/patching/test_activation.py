"""Patching against TransformerLens's own, and by hand on Hugging Face's modules where that one is wrong.

TransformerLens's `get_act_patch_resid_mid` edits what the MLP reads and leaves the stream as it was.
"""

import doctest

import pytest
import torch
from transformer_lens import patching as theirs
from transformers import AutoModelForCausalLM

from mi_tutor.lab.ground import runs
from mi_tutor.lab.ground.metrics import Metric, loss_from, prefers
from mi_tutor.lab.ground.runs import capture, evaluate
from mi_tutor.lab.ground.sites import COMPONENTS, Site, site_grid
from mi_tutor.lab.patching import activation as patching
from mi_tutor.lab.patching import batched, sweeps
from mi_tutor.lab.patching.activation import patch_heads, patch_residual, run_patched
from mi_tutor.lab.patching.batched import batched_sweep
from mi_tutor.lab.patching.sweeps import denoise, noise

G = torch.Generator().manual_seed(1)
CLEAN = torch.randint(2, 188, (2, 7), generator=G)
CORRUPTED = torch.randint(2, 188, (2, 7), generator=G)
METRIC = prefers(torch.tensor([3, 100]), torch.tensor([50, 20]))
THEIRS = {
    ("resid_pre", ("layer", "position")): theirs.get_act_patch_resid_pre,
    ("attn_out", ("layer", "position")): theirs.get_act_patch_attn_out,
    ("mlp_out", ("layer", "position")): theirs.get_act_patch_mlp_out,
    ("z", ("layer", "position", "head")): theirs.get_act_patch_attn_head_out_by_pos,
    ("q", ("layer", "position", "head")): theirs.get_act_patch_attn_head_q_by_pos,
    ("k", ("layer", "position", "head")): theirs.get_act_patch_attn_head_k_by_pos,
    ("v", ("layer", "position", "head")): theirs.get_act_patch_attn_head_v_by_pos,
    ("pattern", ("layer", "head", "position")): theirs.get_act_patch_attn_head_pattern_by_pos,
    ("z", ("layer", "head")): theirs.get_act_patch_attn_head_out_all_pos,
    ("q", ("layer", "head")): theirs.get_act_patch_attn_head_q_all_pos,
    ("k", ("layer", "head")): theirs.get_act_patch_attn_head_k_all_pos,
    ("v", ("layer", "head")): theirs.get_act_patch_attn_head_v_all_pos,
    ("pattern", ("layer", "head")): theirs.get_act_patch_attn_head_pattern_all_pos,
}


@pytest.fixture(autouse=True)
def no_progress_bars(monkeypatch):
    monkeypatch.setattr(theirs, "tqdm", lambda rows: rows)


@pytest.fixture(params=["tiny_gpt2", "tiny_llama"])
def model(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def caches(model):
    with torch.no_grad():
        return [model.run_with_cache(tokens)[1] for tokens in (CLEAN, CORRUPTED)]


def close(seen, expected):
    torch.testing.assert_close(seen, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.slow  # all of them together
@pytest.mark.parametrize("case", THEIRS, ids=lambda case: " ".join((case[0], *case[1])))
def test_sweeps_are_transformer_lens_s_loops(model, caches, case):
    component, axes = case
    with torch.no_grad():
        expected = [
            THEIRS[case](model, tokens, source, lambda logits: METRIC(logits).mean())
            for tokens, source in ((CORRUPTED, caches[0]), (CLEAN, caches[1]))
        ]
    assert expected[0].std() > 1e-3  # patches of these do something
    close(denoise(model, CLEAN, CORRUPTED, METRIC, component, axes).values, expected[0])
    close(noise(model, CLEAN, CORRUPTED, METRIC, component, axes).values, expected[1])


def test_the_learners_loops_too(model, caches):
    def mean(logits):
        return METRIC(logits).mean()

    with torch.no_grad():
        residual = theirs.get_act_patch_resid_pre(model, CORRUPTED, caches[0], mean)
        heads = theirs.get_act_patch_attn_head_out_all_pos(model, CORRUPTED, caches[0], mean)
    close(patch_residual(model, CORRUPTED, caches[0], METRIC), residual)
    close(patch_heads(model, CORRUPTED, caches[0], METRIC), heads)


# ---- the stream in the middle and at the end of a block, on Hugging Face's modules ----


def by_hand(network, tokens, layer, component, position, source):
    """The plain model's logits, with its raw stream replaced by that of its run on `source`."""
    body = network.transformer

    def blocks(x, put=None, kept=None):
        for i, block in enumerate(body.h):
            x = x + block.attn(block.ln_1(x))[0]
            x = visit(x, (i, "resid_mid"), put, kept)
            x = x + block.mlp(block.ln_2(x))
            x = visit(x, (i, "resid_post"), put, kept)
        return x

    def visit(x, place, put, kept):
        if kept is not None:
            kept[place] = x
        if put is not None and place == (layer, component):
            x = x.clone()
            x[:, position] = put[:, position]
        return x

    def embed(ids):
        return body.wte(ids) + body.wpe(torch.arange(ids.shape[1]))

    kept = {}
    with torch.no_grad():
        blocks(embed(source), kept=kept)
        x = blocks(embed(tokens), put=kept[layer, component])
        return network.lm_head(body.ln_f(x))


@pytest.mark.parametrize("component", ["resid_mid", "resid_post"])
def test_the_stream_within_a_block_by_hand(tiny_gpt2, tiny_gpt2_path, component):
    network = AutoModelForCausalLM.from_pretrained(tiny_gpt2_path).eval()
    nothing_patched = by_hand(network, CORRUPTED, 0, component, 0, CORRUPTED)
    torch.testing.assert_close(nothing_patched, network(CORRUPTED).logits)
    axes = ("layer", "position")
    expected = torch.zeros(3, 7)
    for layer in range(3):
        for position in range(7):
            logits = by_hand(network, CORRUPTED, layer, component, position, CLEAN)
            expected[layer, position] = METRIC(logits).mean()
    found = denoise(tiny_gpt2, CLEAN, CORRUPTED, METRIC, component, axes).values
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=2e-4)
    with torch.no_grad():
        _, cache = tiny_gpt2.run_with_cache(CLEAN)
    for site in (Site(component, 1, 2), Site(component, 2, 6)):
        one = METRIC(run_patched(tiny_gpt2, CORRUPTED, cache, site)).mean()
        close(one, found[site.layer, site.position])


def test_stream_after_a_block_is_stream_before_the_next(tiny_gpt2):
    after = denoise(tiny_gpt2, CLEAN, CORRUPTED, METRIC, "resid_post").values
    before = denoise(tiny_gpt2, CLEAN, CORRUPTED, METRIC, "resid_pre").values
    close(after[:-1], before[1:])


# ---- what must hold for any model ----


@pytest.mark.parametrize("component", ["resid_pre", "resid_mid", "resid_post"])
def test_the_whole_stream_carries_everything(model, component):
    result = denoise(model, CLEAN, CORRUPTED, METRIC, component, ("layer",))
    torch.testing.assert_close(result.share, torch.ones_like(result.share), atol=1e-4, rtol=0)
    close(result.per_pair, evaluate(model, CLEAN, METRIC).expand_as(result.per_pair))


@pytest.mark.parametrize("component", COMPONENTS)
def test_patching_in_its_own_run_changes_nothing(model, component):
    result = denoise(model, CLEAN, CLEAN, METRIC, component)
    close(result.per_pair, result.unpatched.expand_as(result.per_pair))


@pytest.mark.parametrize("component", ["resid_pre", "z", "q", "pattern", "mlp_out", "resid_mid"])
@pytest.mark.parametrize("position", [2, -1, None])
def test_hooks_and_plain_arithmetic_agree_for_every_metric(tiny_gpt2, component, position):
    """Also where the metric reads elsewhere or everywhere, and however the rows are cut."""
    read = METRIC.measure
    metric = (
        loss_from(CORRUPTED, 2)
        if position is None
        else Metric(name="m", measure=read, position=position)
    )
    axes = (
        ("layer", "position", "head")
        if component in ("z", "q", "pattern")
        else ("layer", "position")
    )
    sizes = {"layer": 3, "position": 7, "head": 3}
    sites = site_grid(component, axes, sizes)
    source = capture(tiny_gpt2, CLEAN, [component])
    plain = batched_sweep(tiny_gpt2, CORRUPTED, source, metric, sites)
    for n_rows in (1, 10, 1000):
        close(batched_sweep(tiny_gpt2, CORRUPTED, source, metric, sites, n_rows), plain)
    with tiny_gpt2.hooks(fwd_hooks=[("hook_embed", lambda x, hook: x)]):  # no plain twin now
        close(batched_sweep(tiny_gpt2, CORRUPTED, source, metric, sites, 10), plain)
    for site, value in list(zip(sites, plain, strict=True))[::5]:
        close(value, metric(run_patched(tiny_gpt2, CORRUPTED, source, site)))


def test_large_vocabularies_are_cut_into_more_passes(tiny_gpt2, monkeypatch):
    metric = loss_from(CORRUPTED, 2)
    whole = denoise(tiny_gpt2, CLEAN, CORRUPTED, metric, "resid_pre").per_pair
    seen, plain_pass = [], batched.metric_given

    def counted(run, metric, component, layer, value):
        seen.append(len(value))
        return plain_pass(run, metric, component, layer, value)

    monkeypatch.setattr(batched, "metric_given", counted)
    for allowed, most in ((2 * 7 * 188 * 3, 3), (1, 1)):
        monkeypatch.setattr(batched, "N_LOGITS", allowed)
        seen.clear()
        close(denoise(tiny_gpt2, CLEAN, CORRUPTED, metric, "resid_pre").per_pair, whole)
        assert max(seen) == most and sum(seen) == 3 * 7


def test_sites_of_all_kinds_in_any_order_and_from_the_end(tiny_gpt2):
    sites = [
        Site("z", 2, -1, 0),
        Site("resid_pre", 0, 3),
        Site("z", 0),
        Site("z", 0, 2),
        Site("mlp_out", 1, -2),
        Site("v", 1, head=2),
    ]
    source = capture(tiny_gpt2, CLEAN, COMPONENTS)
    seen = batched_sweep(tiny_gpt2, CORRUPTED, source, METRIC, sites)
    for value, site in zip(seen, sites, strict=True):
        close(value, METRIC(run_patched(tiny_gpt2, CORRUPTED, source, site)))


def test_several_sites_at_once(tiny_gpt2):
    """All heads of a layer together are what attention adds (its bias is the same in both runs)."""
    source = capture(tiny_gpt2, CLEAN, ["z", "attn_out", "resid_mid", "mlp_out"])
    heads = [Site("z", 1, head=head) for head in range(3)]
    close(
        run_patched(tiny_gpt2, CORRUPTED, source, heads),
        run_patched(tiny_gpt2, CORRUPTED, source, Site("attn_out", 1)),
    )
    with torch.no_grad():
        expected = tiny_gpt2(CLEAN)
    for others in (
        ["mlp_out"],
        ["attn_out", "mlp_out"],
    ):  # what comes later in a block has the last word
        both = [Site("resid_mid", 1), *(Site(other, 1) for other in others)]
        close(run_patched(tiny_gpt2, CORRUPTED, source, both), expected)


def test_nothing_is_left_behind_and_no_cache_is_changed(model, caches):
    kept = {name: value.clone() for name, value in caches[0].items()}
    with torch.no_grad():
        before = model(CORRUPTED)
        for component in COMPONENTS:
            run_patched(model, CORRUPTED, caches[0], Site(component, 1))
            denoise(model, CLEAN, CORRUPTED, METRIC, component)
        assert torch.equal(model(CORRUPTED), before)
    assert not any(point.fwd_hooks or point.bwd_hooks for point in model.hook_dict.values())
    for name, value in caches[0].items():
        assert torch.equal(value, kept[name])


def test_a_learners_own_hook_is_part_of_the_model(tiny_gpt2):
    """A sweep inside `model.hooks` sweeps over the edited model, in both ways."""
    source = capture(tiny_gpt2, CLEAN, ["z"])

    def without_mlp(mlp_out, hook):
        return 0 * mlp_out

    with tiny_gpt2.hooks(fwd_hooks=[("blocks.2.hook_mlp_out", without_mlp)]):
        sites = site_grid("z", ("layer", "head"), {"layer": 3, "head": 3})
        seen = batched_sweep(tiny_gpt2, CORRUPTED, source, METRIC, sites)
        expected = torch.stack(
            [METRIC(run_patched(tiny_gpt2, CORRUPTED, source, site)) for site in sites]
        )
        close(evaluate(tiny_gpt2, CLEAN, METRIC), METRIC(tiny_gpt2(CLEAN).detach()))
    close(seen, expected)
    unedited = batched_sweep(tiny_gpt2, CORRUPTED, source, METRIC, sites)
    assert not torch.allclose(seen, unedited, atol=1e-3)


@pytest.mark.parametrize("component", ["resid_pre", "pattern"])
def test_runs_that_do_not_fit_each_other(tiny_gpt2, component):
    shorter = CLEAN[:, :-1]
    source = capture(tiny_gpt2, shorter, [component])
    with pytest.raises(ValueError, match=r"\[2, 6\]"):
        batched_sweep(tiny_gpt2, CORRUPTED, source, METRIC, [Site(component, 0)])
    with pytest.raises(ValueError, match="same number of prompts with the same number of tokens"):
        run_patched(tiny_gpt2, CORRUPTED, source, Site(component, 0))
    assert not any(point.fwd_hooks for point in tiny_gpt2.hook_dict.values())


def test_a_sweep_over_nothing(tiny_gpt2):
    with pytest.raises(ValueError, match="no sites"):
        batched_sweep(tiny_gpt2, CORRUPTED, {}, METRIC, [])


# ---- results ----


def test_results_name_their_sites(tiny_gpt2):
    result = denoise(tiny_gpt2, CLEAN, CORRUPTED, METRIC, "z", ("layer", "position", "head"))
    assert result.axes == ("layer", "position", "head") and result.metric == "logit difference"
    close(result.unpatched, evaluate(tiny_gpt2, CORRUPTED, METRIC))
    close(result.source, evaluate(tiny_gpt2, CLEAN, METRIC))
    close(result.effect, result.values - result.unpatched.mean())
    top = result.top(4)
    assert [abs(effect) for _, effect in top] == sorted(
        result.effect.abs().flatten().tolist(), reverse=True
    )[:4]
    source = capture(tiny_gpt2, CLEAN, ["z"])
    for site, effect in top:
        value = METRIC(run_patched(tiny_gpt2, CORRUPTED, source, site)).mean()
        assert (value - result.unpatched.mean()).item() == pytest.approx(effect, abs=1e-5)


def test_shares_of_both_directions(tiny_gpt2):
    for run in (denoise, noise):
        result = run(tiny_gpt2, CLEAN, CORRUPTED, METRIC, "resid_pre", ("layer",))
        torch.testing.assert_close(result.share, torch.ones(3), atol=1e-4, rtol=0)


@pytest.mark.parametrize("module", [patching, batched, sweeps, runs])
def test_examples(module):
    assert doctest.testmod(module).failed == 0
