"""A model that knows nothing and speaks the world's language: what a widget is tried on."""

from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from mi_tutor.specimens import open_specimen
from mi_tutor.specimens.atlas.prompts import tokenizer


def untrained(folder: Path, d_model: int, n_layers: int):
    """Drawn with seed 0, saved in the folder, and opened as any specimen."""
    config = GPT2Config(
        vocab_size=len(tokenizer()),
        n_positions=96,
        n_embd=d_model,
        n_layer=n_layers,
        n_head=2,
        bos_token_id=0,
        eos_token_id=0,
        initializer_range=0.5,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer().save(folder)
    return open_specimen(folder, device="cpu")
