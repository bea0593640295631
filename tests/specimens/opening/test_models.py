"""Opening models: what comes out is the stored model, ready for analysis; what is broken is named."""

import doctest
import json
import logging
import shutil
import time
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import GPT2LMHeadModel

from mi_tutor import specimens
from mi_tutor.specimens import SpecimenError, open_specimen, specimen_names, specimen_path

STORY = "When Mary and John went to the store, John gave a drink to"


@pytest.fixture(params=["primer", "a local GPT-2"])
def any_directory(request, tiny_gpt2) -> Path:
    return specimen_path("primer") if request.param == "primer" else tiny_gpt2


# ---- what is opened ----


def test_specimens_are_found():
    assert "primer" in specimen_names()


def test_the_specimen_answers():
    model = open_specimen("primer", device="cpu")
    assert not model.training
    assert model.to_string(model(STORY)[0, -1].argmax()) == " Mary"
    assert model.cfg.model_name == "primer"
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert {parameter.device.type for parameter in model.parameters()} == {"cpu"}


def test_probabilities_are_the_stored_model_s(any_directory):
    """Outside oracle: the plain transformers model, never touched by TransformerLens."""
    plain = GPT2LMHeadModel.from_pretrained(any_directory, attn_implementation="eager").eval()
    model = open_specimen(any_directory, device="cpu")
    tokens = model.to_tokens(STORY)
    with torch.no_grad():
        expected = plain(tokens).logits.log_softmax(dim=-1)
        logits = model(tokens)
    torch.testing.assert_close(logits.log_softmax(dim=-1), expected, atol=1e-3, rtol=1e-4)
    assert logits.mean(dim=-1).abs().max() < 1e-4  # centred: one logit can be compared


def test_processing_folds_and_centres(any_directory):
    model = open_specimen(any_directory, device="cpu")
    _, cache = model.run_with_cache(STORY)
    for name in ["hook_embed", "hook_pos_embed", "blocks.1.hook_attn_out", "blocks.1.hook_mlp_out"]:
        assert cache[name].mean(dim=-1).abs().max() < 1e-4, name
    scale = cache["blocks.1.hook_resid_pre"].pow(2).mean(dim=-1, keepdim=True).add(1e-5).sqrt()
    torch.testing.assert_close(
        cache["blocks.1.ln1.hook_normalized"],
        cache["blocks.1.hook_resid_pre"] / scale,
        atol=1e-4,
        rtol=1e-4,
    )


def test_every_text_begins_with_bos(any_directory):
    model = open_specimen(any_directory, device="cpu")
    words = model.to_str_tokens("When Mary")
    assert words[0] == model.tokenizer.bos_token == "<|endoftext|>"
    assert "".join(words[1:]) == "When Mary"
    assert model.to_string(model.to_tokens(STORY)[0, 1:]) == STORY
    assert model.tokenizer.eos_token == "<|endoftext|>"
    assert model.to_tokens("When", prepend_bos=False).shape == model.to_tokens("When")[:, 1:].shape


def test_the_hooks_of_head_analysis_work_on_a_local_gpt2(tiny_gpt2):
    model = open_specimen(str(tiny_gpt2), device="cpu")
    model.set_use_attn_result(True)
    _, cache = model.run_with_cache(STORY)
    result = cache["blocks.2.attn.hook_result"]  # [batch pos head d_model]
    total = result.sum(dim=2) + model.b_O[2]
    torch.testing.assert_close(total, cache["blocks.2.hook_attn_out"], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ["gpt_neox", "gpt_neo", "llama", "gemma2"])
def test_other_architectures_of_the_hub_open_exactly(kind, tmp_path):
    """LayerNorm and RMSNorm, parallel and grouped attention: the same probabilities, the same sum."""
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = {"vocab_size": 188, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    places = {
        "max_position_embeddings": 64,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "intermediate_size": 64,
    }
    if kind == "gpt_neo":
        places["attention_types"] = [[["global", "local"], 1]]
    if kind == "gemma2":
        places |= {"num_key_value_heads": 2, "head_dim": 8}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        plain = AutoModelForCausalLM.from_config(
            AutoConfig.for_model(kind, **sizes, **places)
        ).eval()
        with torch.no_grad():
            for parameter in plain.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    plain.save_pretrained(tmp_path)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(specimen_path("primer") / file, tmp_path / file)
    model = open_specimen(tmp_path, device="cpu")
    tokens = torch.arange(2, 12)[None]
    with torch.no_grad():
        logits, cache = model.run_with_cache(tokens)
        expected = plain(tokens).logits.log_softmax(dim=-1)
    torch.testing.assert_close(logits.log_softmax(dim=-1), expected, atol=1e-4, rtol=1e-4)
    names = [f"blocks.{layer}.hook_{part}_out" for layer in range(2) for part in ("attn", "mlp")]
    embedded = cache["blocks.0.hook_resid_pre"]
    total = embedded + sum(cache[name] for name in names)
    torch.testing.assert_close(total, cache["blocks.1.hook_resid_post"], atol=1e-5, rtol=1e-5)


def test_each_call_opens_a_fresh_model():
    first, second = open_specimen("primer", device="cpu"), open_specimen("primer", device="cpu")
    with torch.no_grad():
        first.W_E.zero_()
    assert second.W_E.abs().sum() > 0


def test_opening_is_silent(capfd, caplog):
    with caplog.at_level(logging.INFO), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        open_specimen("primer", device="cpu")
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert caught == []


def test_examples_in_docstrings():
    from mi_tutor.specimens.cards import reading as cards
    from mi_tutor.specimens.opening import models as opening
    from mi_tutor.specimens.opening import shelf, words
    from mi_tutor.specimens.primer import language as primer_language

    for module in (specimens, cards, opening, primer_language, shelf, words):
        assert doctest.testmod(module).failed == 0, module.__name__


def test_loader_settings_are_put_back():
    from transformers.utils import logging as loader

    before = loader.get_verbosity(), loader.is_progress_bar_enabled()
    open_specimen("primer", device="cpu")
    assert (loader.get_verbosity(), loader.is_progress_bar_enabled()) == before


def test_opening_takes_under_a_second():
    def seconds() -> float:
        start = time.process_time()
        open_specimen("primer", device="cpu")
        return time.process_time() - start

    assert min(seconds() for _ in range(3)) < 1


# ---- what cannot be opened ----


def test_a_mistyped_specimen_gets_the_nearest_name():
    with pytest.raises(SpecimenError, match=r"no specimen called 'Primmer'. Did you mean 'primer'"):
        open_specimen("Primmer")


@pytest.mark.parametrize("name", [None, 3, ["primer"]])
def test_a_name_of_the_wrong_type(name):
    with pytest.raises(TypeError, match="name should be a string or a path"):
        open_specimen(name)


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(SpecimenError, match="There is no directory"):
        open_specimen(tmp_path / "nothing")
    with pytest.raises(SpecimenError, match="There is no directory"):
        open_specimen("./nothing-here")


@pytest.mark.parametrize("device", ["gpu", "cuda:99", 3.5])
def test_a_device_that_is_not_there(device):
    with pytest.raises(SpecimenError, match=r"cannot be used here.*Leave device out"):
        open_specimen("primer", device=device)


def test_weights_that_are_missing_inside_the_file(copied):
    file = copied / "model.safetensors"
    tensors = load_file(file)
    del tensors["transformer.h.1.mlp.c_fc.weight"]
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(
        SpecimenError, match=r"calls for weights .* transformer\.h\.1\.mlp\.c_fc\.weight\. The"
    ):
        open_specimen(copied)


def test_a_config_of_another_size(copied):
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"n_embd": 32}))
    with pytest.raises(SpecimenError, match="do not fit each other"):
        open_specimen(copied)


def test_a_tokenizer_of_another_model(copied):
    tokenizer = json.loads((copied / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    n_tokens = len(vocabulary)
    vocabulary.update({f" extra{i}": n_tokens + i for i in range(5)})
    (copied / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(
        SpecimenError, match=f"{n_tokens + 5} tokens, but the model has {n_tokens} embeddings"
    ):
        open_specimen(copied)


def test_a_tokenizer_that_names_no_beginning(copied):
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<|unknown|>"}
    (copied / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(SpecimenError, match="names no token that begins a text"):
        open_specimen(copied)


def test_a_tokenizer_file_of_nonsense(copied):
    (copied / "tokenizer.json").write_text('{"version": "1.0"}')
    with pytest.raises(SpecimenError, match=r"tokenizer of .* could not be loaded"):
        open_specimen(copied)
