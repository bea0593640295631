"""Lens and attribution against TransformerLens's tools, the model's own logits, and exact sums."""

import doctest

import pytest
import torch
from transformer_lens.tools.analysis import direct_logit_attribution as their_attribution
from transformer_lens.tools.analysis import logit_lens as their_lens

from mi_tutor.lab.ground import edits
from mi_tutor.lab.ground.metrics import logit_difference
from mi_tutor.lab.ground.sites import residual_part_names
from mi_tutor.lab.patching import lens
from mi_tutor.lab.patching.lens import (
    direct_logit_attribution,
    head_attribution,
    logit_lens,
    part_hooks,
    read_out,
)

TOKENS = torch.randint(2, 188, (3, 8), generator=torch.Generator().manual_seed(0))
ANSWERS, WRONGS = torch.tensor([5, 60, 7]), torch.tensor([9, 11, 100])


@pytest.fixture(params=["primer", "tiny_gpt2", "tiny_llama"])
def model(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def run(model):
    with torch.no_grad():
        return model.run_with_cache(TOKENS)


@pytest.mark.parametrize("position", [-1, 3])
def test_the_last_stream_says_what_the_model_says(model, run, position):
    logits, cache = run
    seen = logit_lens(model, cache, position)
    assert seen.shape == (model.cfg.n_layers + 1, 3, 188)
    torch.testing.assert_close(seen[-1], logits[:, position], atol=1e-5, rtol=1e-4)


def test_the_lens_is_transformer_lens_s(model, run):
    theirs = their_lens(run[1], incl_mid=False, return_type="log_probs").readout
    values = theirs.values if hasattr(theirs, "values") else theirs
    seen = logit_lens(model, run[1]).log_softmax(-1)
    torch.testing.assert_close(seen, values, atol=1e-4, rtol=1e-4)


def test_any_vector_can_be_read_out(tiny_gpt2):
    """By hand: (x - mean) / std, then W_U and b_U."""
    x = torch.randn(2, 5, 24)
    normal = (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    expected = (normal @ tiny_gpt2.W_U + tiny_gpt2.b_U).detach()
    torch.testing.assert_close(read_out(tiny_gpt2, x), expected, atol=1e-4, rtol=1e-4)
    assert not read_out(tiny_gpt2, x.requires_grad_()).requires_grad


@pytest.mark.parametrize("position", [-1, 3])
def test_the_parts_add_up_to_the_logit_difference(model, run, position):
    logits, cache = run
    parts = direct_logit_attribution(model, cache, ANSWERS, WRONGS, position)
    constant = (model.b_U[ANSWERS] - model.b_U[WRONGS]).detach()
    expected = logit_difference(logits, ANSWERS, WRONGS, position)
    torch.testing.assert_close(parts.sum(0) + constant, expected, atol=1e-4, rtol=1e-4)


def test_the_parts_are_transformer_lens_s(model, run):
    theirs = their_attribution(
        model, answer_tokens=ANSWERS, incorrect_tokens=WRONGS, cache=run[1], unit="component"
    )
    ours = direct_logit_attribution(model, run[1], ANSWERS, WRONGS)
    torch.testing.assert_close(ours, theirs.attribution, atol=1e-4, rtol=1e-4)


def test_the_heads_are_transformer_lens_s(model, run):
    theirs = their_attribution(
        model, answer_tokens=ANSWERS, incorrect_tokens=WRONGS, cache=run[1], unit="head"
    )
    n = model.cfg.n_layers * model.cfg.n_heads
    ours = head_attribution(model, run[1], ANSWERS, WRONGS).flatten(0, 1)
    torch.testing.assert_close(ours, theirs.attribution[:n], atol=1e-4, rtol=1e-4)


def test_a_layers_heads_and_its_bias_are_its_attention(tiny_gpt2):
    with torch.no_grad():
        _, cache = tiny_gpt2.run_with_cache(TOKENS)
    heads = head_attribution(tiny_gpt2, cache, ANSWERS, WRONGS).sum(dim=1)
    parts = direct_logit_attribution(tiny_gpt2, cache, ANSWERS, WRONGS)
    attention = [i for i, name in enumerate(residual_part_names(3)) if "attn_out" in name]
    direction = tiny_gpt2.W_U[:, ANSWERS] - tiny_gpt2.W_U[:, WRONGS]
    divisor = cache["ln_final.hook_scale"][:, -1].T
    bias = (tiny_gpt2.b_O @ direction / divisor).detach()
    torch.testing.assert_close(heads + bias, parts[attention], atol=1e-4, rtol=1e-4)


def test_a_model_whose_norm_is_not_folded_is_refused(primer):
    scale = primer.ln_final.weight
    with torch.no_grad():
        _, cache = primer.run_with_cache(TOKENS)
        scale.mul_(2)
        try:
            with pytest.raises(ValueError, match="open_specimen, which folds them"):
                direct_logit_attribution(primer, cache, ANSWERS, WRONGS)
        finally:
            scale.div_(2)


# ---- other architectures: every one's numbers are in tests/specimens/opening/test_architectures.py ----


def run_of(model):
    with torch.no_grad():
        return model.run_with_cache(TOKENS)


def test_granite_divides_its_logits(tiny):
    """By hand: the unembedding alone is logits_scaling = 8 times too large, and so is what a part adds to it."""
    model = tiny("granite")
    logits, cache = run_of(model)
    with torch.no_grad():
        undivided = model.unembed(model.ln_final(cache["blocks.1.hook_resid_post"]))
    torch.testing.assert_close(undivided / 8, logits)
    torch.testing.assert_close(logit_lens(model, cache)[-1], logits[:, -1])
    parts = direct_logit_attribution(model, cache, ANSWERS, WRONGS)
    torch.testing.assert_close(
        parts.sum(0), logit_difference(logits, ANSWERS, WRONGS), atol=1e-5, rtol=1e-4
    )


def test_what_a_granite_head_writes_is_scaled(tiny):
    """residual_multiplier = 0.5 stands between z W_O and the stream."""
    model = tiny("granite")
    _, cache = run_of(model)
    heads = head_attribution(model, cache, ANSWERS, WRONGS).sum(dim=1)
    parts = direct_logit_attribution(model, cache, ANSWERS, WRONGS)
    torch.testing.assert_close(heads, parts[[1, 3]], atol=1e-5, rtol=1e-4)


def test_a_capped_gemma_says_what_its_lens_says(tiny):
    model = tiny("gemma2")
    logits, cache = run_of(model)
    seen = logit_lens(model, cache)
    torch.testing.assert_close(seen[-1], logits[:, -1])
    assert seen.abs().max() < 3  # the cap, which would else be passed
    uncapped = 3 * torch.atanh(logits / 3)
    assert uncapped.abs().max() > 4
    parts = direct_logit_attribution(model, cache, ANSWERS, WRONGS).sum(0)
    expected = logit_difference(uncapped, ANSWERS, WRONGS)
    torch.testing.assert_close(parts, expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("name", ["gemma", "gemma3_text"])
def test_gemma_s_weight_of_zero_is_folded(tiny, name):
    """It multiplies by 1 + weight. A weight of one would double the stream, and is refused."""
    model = tiny(name)
    _, cache = run_of(model)
    assert (model.ln_final.weight == 0).all()
    assert direct_logit_attribution(model, cache, ANSWERS, WRONGS).shape == (5, 3)
    with torch.no_grad():
        model.ln_final.weight.fill_(1)
        try:
            with pytest.raises(ValueError, match="open_specimen, which folds them"):
                direct_logit_attribution(model, cache, ANSWERS, WRONGS)
        finally:
            model.ln_final.weight.zero_()


@pytest.mark.parametrize("name", ["gpt2", "opt"])
def test_a_table_of_positions_is_a_part(tiny, name):
    assert part_hooks(tiny(name))[:2] == ["hook_embed", "hook_pos_embed"]


@pytest.mark.parametrize("name", ["bloom", "xglm", "gptj", "olmo", "gemma2"])
def test_without_one_all_that_enters_block_0_is(tiny, name):
    """XGLM adds sines and cosines, BLOOM normalises, Gemma scales: only the stream itself is the sum."""
    model = tiny(name)
    _, cache = run_of(model)
    names = part_hooks(model)
    assert names[0] == "blocks.0.hook_resid_pre"
    total = sum(cache[each] for each in names)
    torch.testing.assert_close(total, cache["blocks.1.hook_resid_post"], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["gemma2", "gemma3_text", "olmo2"])
def test_heads_behind_a_norm_are_refused(tiny, name):
    model = tiny(name)
    _, cache = run_of(model)
    with pytest.raises(ValueError, match=r"heads of this \w+ do not add up .*comes after W_O"):
        head_attribution(model, cache, ANSWERS, WRONGS)


def test_an_end_of_another_kind_is_refused(tiny, monkeypatch):
    """As if TransformerLens did not know what the architecture does with its logits."""
    model = tiny("mistral")
    _, cache = run_of(model)
    monkeypatch.setattr(edits, "_found", type(edits._found)())
    monkeypatch.setattr(
        model.adapter, "apply_output_logits_transform", lambda logits: 1.01 * logits
    )
    with pytest.raises(ValueError, match="stands more than a norm and the unembedding"):
        logit_lens(model, cache)
    with pytest.raises(ValueError, match="stands more than a norm and the unembedding"):
        direct_logit_attribution(model, cache, ANSWERS, WRONGS)


def test_examples():
    assert doctest.testmod(lens).failed == 0
