"""Models that the tests of `lab` share."""

import shutil
from pathlib import Path

import jaxtyping
import pytest
import torch

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


@pytest.fixture
def shapes_unchecked():
    """For tests that call the same small functions thousands of times: other tests check the shapes of each.

    The checks of signatures (tests/conftest.py) would take a third of such a test.
    """
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def primer():
    from mi_tutor.specimens import open_specimen

    return open_specimen("primer", device="cpu")


@pytest.fixture(scope="session")
def tiny_gpt2_path(tmp_path_factory) -> Path:
    """A random GPT-2: three layers, and numbers in every bias and LayerNorm, as no new model has them."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=188,
        n_positions=32,
        n_embd=24,
        n_layer=3,
        n_head=3,
        bos_token_id=0,
        eos_token_id=0,
    )
    return save_random(GPT2LMHeadModel, config, tmp_path_factory.mktemp("tiny-gpt2"))


@pytest.fixture(scope="session")
def tiny_gpt2(tiny_gpt2_path):
    from mi_tutor.specimens import open_specimen

    return open_specimen(tiny_gpt2_path, device="cpu")


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory):
    """Another architecture: rotary positions, RMSNorm, gated MLPs, fewer key-value heads than query heads."""
    from transformers import LlamaConfig, LlamaForCausalLM

    from mi_tutor.specimens import open_specimen

    config = LlamaConfig(
        vocab_size=188,
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=32,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    path = save_random(LlamaForCausalLM, config, tmp_path_factory.mktemp("tiny-llama"))
    return open_specimen(path, device="cpu")


def save_random(kind, config, directory: Path) -> Path:
    """A model with random weights in every place, and the primer's tokenizer beside it."""
    from mi_tutor.specimens import specimen_path

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = kind(config)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
    network.save_pretrained(directory)
    for file in TOKENIZER_FILES:
        shutil.copy(specimen_path("primer") / file, directory / file)
    return directory
