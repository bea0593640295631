"""An edit reaches what comes after it, in any architecture, or is refused with a sentence."""

import doctest
import shutil

import pytest
import torch

from mi_tutor.lab.ground import edits
from mi_tutor.lab.ground.edits import check_editable, check_sites, check_there, n_heads
from mi_tutor.lab.ground.metrics import prefers
from mi_tutor.lab.ground.runs import capture
from mi_tutor.lab.ground.sites import Site, hook_name
from mi_tutor.lab.induction.experiments import loss_without_heads
from mi_tutor.lab.patching import (
    ablate,
    attribution_patching,
    denoise,
    direct_logit_attribution,
    head_attribution,
    logit_lens,
    path_patching,
    run_patched,
)
from mi_tutor.lab.reading import zero_head
from mi_tutor.lab.swaps import swap_logits
from mi_tutor.specimens import open_specimen, specimen_path

TOKENS = torch.randint(2, 188, (2, 7), generator=torch.Generator().manual_seed(0))
OTHERS = TOKENS.flip(0)
ANSWERS, WRONGS = torch.tensor([5, 60]), torch.tensor([9, 11])
METRIC = prefers(ANSWERS, WRONGS)
REFUSED = {  # one of each kind of attention and block
    "gpt_neo": ["pattern"],
    "gptj": ["pattern", "resid_mid"],
    "opt": ["pattern"],
    "falcon": ["resid_mid"],
    "gemma2": [],
    "granite": [],
}


@pytest.mark.parametrize("name", REFUSED)
def test_sweeps_are_transformer_lens_s_hooks_or_refused(architectures, tiny, name):
    """Every component in each layer, heads, ablations and head scores: see `benchmarks/architectures.py`."""
    assert architectures.sweeps(tiny(name)) == REFUSED[name]


@pytest.mark.parametrize("name", ["gpt_neo", "gptj", "opt", "xglm"])
def test_a_pattern_that_nobody_reads_is_not_patched(tiny, name):
    model = tiny(name)
    source = capture(model, OTHERS, ["pattern"])  # it can be read
    said = (
        "edit of pattern would change nothing: this .*ForCausalLM shows it.*Edit q, k or z instead"
    )
    for patch in (
        lambda: run_patched(model, TOKENS, source, Site("pattern", 0, head=1)),
        lambda: denoise(model, OTHERS, TOKENS, METRIC, "pattern", ("layer", "head")),
        lambda: ablate(model, TOKENS, Site("pattern", 1), "mean"),
        lambda: attribution_patching(model, OTHERS, TOKENS, METRIC, "pattern", ("layer",)),
    ):
        with pytest.raises(ValueError, match=said):
            patch()


def test_transformer_lens_drops_that_edit_with_a_warning(
    tiny,
):
    model, hook = tiny("opt"), [(hook_name("pattern", 0), lambda pattern, hook: 0 * pattern)]
    with torch.no_grad(), pytest.warns(UserWarning, match="The edit is discarded"):
        assert torch.equal(model.run_with_hooks(TOKENS, fwd_hooks=hook), model(TOKENS))


@pytest.mark.parametrize("name", ["gptj", "phi"])
def test_blocks_side_by_side_have_no_stream_between(tiny, name):
    model = tiny(name)
    said = "no resid_mid in this .*: attention and MLP of a block read the same stream"
    for ask in (
        lambda: capture(model, TOKENS, ["resid_mid"]),
        lambda: run_patched(model, TOKENS, {}, Site("resid_mid", 0)),
        lambda: denoise(model, OTHERS, TOKENS, METRIC, "resid_mid"),
    ):
        with pytest.raises(ValueError, match=said):
            ask()


def test_shared_keys_are_counted_as_they_are(tiny):
    model = tiny("llama")
    source = capture(model, OTHERS, ["k", "z"])
    assert run_patched(model, TOKENS, source, Site("k", 0, head=1)).shape == (2, 7, 188)
    assert denoise(model, OTHERS, TOKENS, METRIC, "v", ("layer", "head")).per_pair.shape == (
        2,
        2,
        2,
    )
    said = "no k 0.3: this LlamaForCausalLM has 2 heads of k in a layer, counted from 0, which its queries share"
    with pytest.raises(ValueError, match=said):
        run_patched(model, TOKENS, source, Site("k", 0, head=3))
    with pytest.raises(ValueError, match=r"no v 1\.2: "):
        path_patching(model, TOKENS, OTHERS, METRIC, Site("z", 0, head=3), [Site("v", 1, head=2)])


@pytest.mark.parametrize("name", ["gpt2", "llama", "falcon", "bloom"])
def test_heads_are_counted_as_the_cache_has_them(tiny, name):
    with torch.no_grad():
        _, cache = tiny(name).run_with_cache(TOKENS)
    for component in ("q", "k", "v", "z"):
        assert n_heads(tiny(name), component) == cache[hook_name(component, 0)].shape[2]


@pytest.mark.parametrize("site", [Site("z", 0, head=4), Site("z", 2), Site("pattern", 0, head=9)])
def test_a_site_that_is_not_there(tiny, site):
    with pytest.raises(ValueError, match=f"There is no {site}: this GPT2LMHeadModel has"):
        check_sites(tiny("gpt2"), [site], TOKENS)


def test_a_model_without_attention(tmp_path):
    """Mamba: it opens and can be read, and what it has not is named."""
    from transformers import MambaConfig, MambaForCausalLM

    sizes = {"vocab_size": 188, "hidden_size": 16, "num_hidden_layers": 2, "state_size": 4}
    MambaForCausalLM(MambaConfig(**sizes)).save_pretrained(tmp_path)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(specimen_path("primer") / file, tmp_path / file)
    model = open_specimen(tmp_path, device="cpu")
    with torch.no_grad():
        logits, cache = model.run_with_cache(TOKENS)
    torch.testing.assert_close(logit_lens(model, cache)[-1], logits[:, -1])
    for ask in (
        lambda: denoise(model, TOKENS, OTHERS, METRIC, "z"),
        lambda: zero_head(model, TOKENS, 0, 0),
        lambda: loss_without_heads(model, TOKENS, [(0, 0)]),
        lambda: head_attribution(model, cache, ANSWERS, WRONGS),
        lambda: direct_logit_attribution(model, cache, ANSWERS, WRONGS),
    ):
        with pytest.raises(
            ValueError, match=r"no (z|attn_out) in layer 0 of this MambaForCausalLM"
        ):
            ask()


def test_a_swap_in_the_middle_of_a_block_changes_the_stream(tiny):
    """TransformerLens's hook_resid_mid is only what the MLP reads."""
    model, steps = tiny("llama"), torch.randn(2, 32)
    places = torch.tensor([3, 5])
    seen = swap_logits(model, TOKENS, places, steps, layer=1, component="resid_mid")
    attn = swap_logits(model, TOKENS, places, steps, layer=1, component="attn_out")
    torch.testing.assert_close(seen, attn, atol=1e-4, rtol=1e-4)


def test_each_trial_is_made_once_and_leaves_nothing(tiny, monkeypatch):
    model, made = tiny("qwen2"), []
    real = edits.reaches
    monkeypatch.setattr(edits, "reaches", lambda *args: made.append(args[1]) or real(*args))
    for _ in range(2):
        check_editable(model, ["q", "k", "v", "z"], TOKENS)
    assert made == [("q", "k", "v"), ("z",)]
    assert not any(point.fwd_hooks for point in model.hook_dict.values())
    check_editable(tiny("gpt2"), ["q", "pattern"], TOKENS)
    assert len(made) == 2  # a GPT-2 needs none


def test_a_trial_that_failed_is_made_again(tiny):
    """A hook of one's own may stand in the way, and go."""
    model = tiny("qwen3")

    def silence(module, inputs, output):
        return (0 * output[0], *output[1:])

    handle = model.blocks[1].attn.register_forward_hook(silence)
    try:
        with pytest.raises(ValueError, match="edit of attn_out would change nothing"):
            check_editable(model, ["attn_out"], TOKENS)
    finally:
        handle.remove()
    check_editable(model, ["attn_out"], TOKENS)


def test_what_is_there(tiny):
    check_there(tiny("gpt2"), edits.TRIALS)
    with pytest.raises(ValueError, match="There is no resid_mid in this PhiForCausalLM"):
        check_there(tiny("phi"), ["z", "resid_mid"])


def test_examples():
    assert doctest.testmod(edits).failed == 0
