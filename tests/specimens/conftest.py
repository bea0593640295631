"""A tiny GPT-2 in the files that the hub's "gpt2" has, and a copy of `primer` that a test may damage."""

import json
import shutil
from pathlib import Path

import pytest

from mi_tutor.specimens import specimen_path

SENTENCES = ["When Mary and John went to the store, John gave a drink to Mary.", "Hello, world!"]


@pytest.fixture(scope="session")
def tiny_gpt2(tmp_path_factory) -> Path:
    """Random weights in every place (new models have biases 0 and LayerNorm scales 1), byte-level BPE."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GPT2Config, GPT2LMHeadModel

    directory = tmp_path_factory.mktemp("tiny-gpt2")
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(SENTENCES, vocab_size=300, special_tokens=["<|endoftext|>"])
    bpe.save_model(str(directory))  # vocab.json and merges.txt
    (directory / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 64}))
    config = GPT2Config(
        vocab_size=bpe.get_vocab_size(), n_positions=64, n_embd=24, n_layer=3, n_head=3
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = GPT2LMHeadModel(config)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
    network.save_pretrained(directory)
    return directory


@pytest.fixture
def copied(tmp_path) -> Path:
    """The directory of `primer`, copied."""
    return Path(shutil.copytree(specimen_path("primer"), tmp_path / "copied"))
