"""What is opened says what the original says, or is refused with the largest difference and the likely reason."""

import json
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.lab.ground.sites import hook_name
from mi_tutor.specimens import SpecimenError, open_specimen, specimen_names, specimen_path
from mi_tutor.specimens.opening import exact, models
from mi_tutor.specimens.opening.exact import apart, ask_original, blurred, check_same

OFF = r"would not be itself: on 12 random tokens a probability is off by \d"
APART = r"TransformerLens 4\S* cannot take this \w+ apart \(\w+Error"


def refusal(path) -> str:
    with pytest.raises(SpecimenError) as caught:
        open_specimen(path, device="cpu")
    return str(caught.value)


# ---- shipped specimens: proved here, not on each opening ----


@pytest.mark.parametrize("name", specimen_names())
def test_a_shipped_specimen_is_exact(name):
    with models.quiet():
        network = models.load_network(specimen_path(name))
        original = ask_original(network)
    check_same(open_specimen(name, device="cpu"), original)
    readable = min(exact.N_TOKENS, network.config.max_position_embeddings)
    assert original.tokens.shape == (2, readable)


def test_a_shipped_specimen_is_not_compared_again_and_a_copy_of_it_is(monkeypatch, copied):
    asked = []
    monkeypatch.setattr(
        models, "ask_original", lambda network: asked.append(network) or ask_original(network)
    )
    open_specimen("primer", device="cpu")
    assert asked == []
    open_specimen(copied, device="cpu")
    assert len(asked) == 1


# ---- settings that TransformerLens does not know ----


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gpt2, scale_attn_weights=False", OFF),
        ("gpt2, add_cross_attention=True", APART),
        ("bloom, apply_residual_connection_post_layernorm=True", OFF),
        ("opt, word_embed_proj_dim=16", OFF),
        ("opt, do_layer_norm_before=False", APART),
        ("gpt_neox, attention_bias=False", APART),
        ("phi, qk_layernorm=True", APART),
        ("falcon, new_decoder_architecture=True, num_kv_heads=2", APART),
    ],
)
def test_a_setting_that_would_be_passed_over(tiny_path, name, said):
    text = refusal(tiny_path(name))
    assert re.search(said, text)
    setting = name.split(", ")[1]
    assert f"TransformerLens does not know its setting {setting}." in text
    assert text.endswith("Open another model, or run this one with transformers alone.")


def test_an_architecture_without_an_adapter(tiny_path):
    text = refusal(tiny_path("persimmon"))
    assert "cannot take this PersimmonForCausalLM apart" in text
    assert "does not know its setting" not in text


@pytest.mark.parametrize(
    "name",
    [
        "gpt2, scale_attn_by_inverse_layer_idx=True",
        "gpt2, reorder_and_upcast_attn=True",
        "gpt2, activation_function=silu",
        "gpt2, activation_function=relu, n_inner=40",
        "gpt2, tie_word_embeddings=False",
        "gpt_neox, use_parallel_residual=False",
        "falcon, alibi=True, parallel_attn=False",
        "olmo, clip_qkv=0.3",
        "olmo2, tie_word_embeddings=True",
    ],
)
def test_their_brothers_open_exactly(architectures, tiny, tiny_path, name):
    architectures.exact(tiny(name), tiny_path(name))
    plain = plain_transformer(tiny(name))
    if plain is not None:
        tokens = architectures.BATCHES[0]
        with torch.no_grad():
            torch.testing.assert_close(
                plain.logits_after(-1, plain.embed(tokens)), tiny(name)(tokens)
            )


def test_the_plain_twin_does_not_stand_in_for_a_gpt2_without_scaling(tiny_path):
    """Not even where somebody has made the bridge without `open_specimen`."""
    path = tiny_path("gpt2, scale_attn_weights=False")
    with models.quiet():
        network = models.load_network(path)
        model = models.wrap(network, models.load_tokenizer(path, 188), path)
    assert plain_transformer(model) is None


# ---- models that are no language models, files that do not fit ----


def test_a_model_that_reads_in_both_directions(tiny_path):
    assert "not a language model that predicts the next token" in refusal(tiny_path("bert"))


def test_an_encoder_and_decoder(tiny_path):
    assert "or it is not a language model that predicts the next token" in refusal(tiny_path("t5"))


def changed(path, directory, weights=None, **config):
    """A copy of a directory with some things otherwise."""
    shutil.copytree(path, directory, dirs_exist_ok=True)
    old = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps(old | config))
    file = directory / "model.safetensors"
    save_file(load_file(file) | (weights or {}), file, metadata={"format": "pt"})
    return directory


@pytest.mark.parametrize("name", ["gpt2", "llama", "mixtral"])
def test_a_config_with_fewer_layers_than_the_file(tiny_path, tmp_path, name):
    layers = {"n_layer": 1} if name == "gpt2" else {"num_hidden_layers": 1}
    text = refusal(changed(tiny_path(name), tmp_path, **layers))
    assert "have weights that config.json does not call for" in text
    assert ".1." in text


def test_names_as_the_hub_s_gpt2_has_them(tiny_path, tmp_path):
    """Without "transformer." in front, and with the causal masks of old files, which are no weights."""
    changed(tiny_path("gpt2"), tmp_path)
    file = tmp_path / "model.safetensors"
    tensors = {name.removeprefix("transformer."): x for name, x in load_file(file).items()}
    masks = {
        f"h.{i}.attn.{kind}": torch.ones(1, 1, 4, 4).tril()
        for i in (0, 1)
        for kind in ("bias", "masked_bias")
    }
    save_file(tensors | masks, file, metadata={"format": "pt"})
    assert open_specimen(tmp_path, device="cpu").cfg.n_layers == 2
    (tmp_path / "config.json").write_text(
        json.dumps(json.loads((tmp_path / "config.json").read_text()) | {"n_layer": 1})
    )
    assert "h.1.attn.c_attn" in refusal(tmp_path)


def test_a_bias_that_the_config_does_not_call_for(tiny_path, tmp_path):
    bias = {"model.layers.0.self_attn.q_proj.bias": torch.ones(32)}
    text = refusal(changed(tiny_path("llama"), tmp_path, bias))
    assert "does not call for: model.layers.0.self_attn.q_proj.bias" in text


# ---- how near is the same? ----


@pytest.mark.parametrize("part", ["W_in", "W_K", "W_U"])
def test_one_layer_s_weights_a_thousandth_off_are_found(monkeypatch, copied, part):
    def wrap_otherwise(*arguments):
        model = wrap(*arguments)
        owner = {"W_in": model.blocks[1].mlp, "W_K": model.blocks[0].attn, "W_U": model.unembed}[
            part
        ]
        with torch.no_grad():
            getattr(owner, part).data.mul_(1.001)
        return model

    wrap = models.wrap
    monkeypatch.setattr(models, "wrap", wrap_otherwise)
    assert re.search(OFF, refusal(copied))


def test_a_model_that_knows_nothing_yet_is_held_to_the_same(architectures, tmp_path):
    """50,000 tokens with 0.00002 each: no difference could reach 1e-5 there if it were not relative."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    sizes = {"vocab_size": 50_000, "n_positions": 16, "n_embd": 16, "n_layer": 1, "n_head": 2}
    network = GPT2LMHeadModel(GPT2Config(**sizes)).eval()
    original = ask_original(network)
    assert original.probabilities.max() < 1e-4
    check_same(network, original)
    with torch.no_grad():
        network.transformer.h[0].mlp.c_proj.weight.mul_(1.1)
    with pytest.raises(SpecimenError, match="would not be itself"):
        check_same(network, original)


def test_large_logits_are_allowed_their_rounding(tiny_path):
    """Where float32 is not exact to 1e-5 itself, no more is asked: two ways to compute the same may differ."""
    with models.quiet():
        network = models.load_network(tiny_path("gpt2, tie_word_embeddings=False"))
    with torch.no_grad():
        network.lm_head.weight.mul_(40)
        original = ask_original(network)
        network.lm_head.weight.copy_(network.lm_head.weight * (1 + 3e-7))
    assert original.tolerance > 3e-5
    check_same(network, original)


def test_the_allowance_ends_at_a_hundredth(tiny_path, monkeypatch):
    with models.quiet():
        network = models.load_network(tiny_path("gpt2"))
    assert exact.NEAR < ask_original(network).tolerance < 1e-3
    monkeypatch.setattr(exact, "BLUR", 0.5)
    assert ask_original(network).tolerance == exact.MOST


def test_blur_is_small_seeded_and_gone_afterwards(tiny_path):
    with models.quiet():
        network = models.load_network(tiny_path("llama"))
    tokens = torch.arange(5)[None]

    def logits():
        with torch.no_grad():
            return network(tokens).logits

    def blurry():
        with blurred(network):
            return logits()

    sharp, first, second = logits(), blurry(), blurry()
    assert torch.equal(first, second)
    assert 0 < (first - sharp).abs().max() < 1e-3 * sharp.abs().max()
    assert torch.equal(logits(), sharp)


def test_apart_is_relative_to_the_likeliest_token_and_nan_is_infinite():
    p, q = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.8, 0.2]])
    assert apart(p, q) == pytest.approx(0.3 / 0.8)
    assert apart(p * float("nan"), q) == float("inf")


# ---- the final norm ----


@pytest.mark.parametrize("name", ["olmo2", "olmo2, tie_word_embeddings=True", "gemma", "gpt2"])
def test_w_u_reads_the_normalised_stream(architectures, tiny, name):
    """By hand: x / rms(x) W_U + b_U are the logits, whatever the final norm was multiplied by."""
    model = tiny(name)
    with torch.no_grad():
        logits, cache = model.run_with_cache(architectures.BATCHES[0])
        x = cache[hook_name("resid_post", 1)]
        if not model.cfg.uses_rms_norm:
            x = x - x.mean(dim=-1, keepdim=True)
        normal = x / (x.pow(2).mean(dim=-1, keepdim=True) + model.cfg.eps).sqrt()
        torch.testing.assert_close(normal @ model.W_U + model.b_U, logits, atol=1e-4, rtol=1e-4)
