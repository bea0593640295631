"""Make the specimen `primer`: an ordinary GPT-2 of Hugging Face, trained from nothing.

1. Tokenizer: one token per word of `primer_language`, in GPT-2's manner (a word brings its leading space).
2. Rows: BOS, then sentences one after the other until the context is full. Nothing held out is among them.
3. Train on the next token with AdamW, learning rate warmed up, then falling along a cosine.
4. Save, measure on held-out prompts, write the card; only then replace what was there before.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.lab.ground.device import one_thread
from mi_tutor.specimens.cards import Card
from mi_tutor.specimens.opening.models import quiet
from mi_tutor.specimens.primer import language
from mi_tutor.specimens.primer.measures import measure
from mi_tutor.specimens.training.finishing import finish

if TYPE_CHECKING:
    from jaxtyping import Int
    from tokenizers import Tokenizer
    from torch import Tensor
    from torch.optim import Optimizer
    from transformers import GPT2LMHeadModel

__all__ = [
    "PrimerConfig",
    "build_tokenizer",
    "make",
    "make_primer",
    "measure",
    "train",
    "training_rows",
]


@dataclass(frozen=True, kw_only=True)
class PrimerConfig:
    """Everything that decides what `primer` becomes."""

    n_layers: int = 2
    d_model: int = 64
    n_heads: int = 4
    n_ctx: int = 64
    n_steps: int = 4000
    batch_size: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    n_warmup: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("n_layers", "d_model", "n_heads", "n_ctx", "n_steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} should be at least 1, got {getattr(self, name)}.")
        if self.d_model % self.n_heads:
            raise ValueError(
                f"d_model should be a multiple of n_heads, got {self.d_model} and {self.n_heads}."
            )


def make(directory: Path, seed: int = 0, progress: bool = True) -> Card:
    """Train, save, measure and write the card into `directory`. Files there are replaced only at the end."""
    return make_primer(directory, PrimerConfig(seed=seed), progress)


def make_primer(directory: Path, config: PrimerConfig, progress: bool = True) -> Card:
    """The same with other settings."""
    network = train(config, progress=progress)
    recipe = asdict(config)
    about = {
        "name": "primer",
        "summary": "A two-layer GPT-2 that knows simple facts, finishes stories about two people and repeats "
        "lists.",
        "intended_use": "Chapter 00: a first model to open, read and change. Small enough to understand what it "
        "is asked, large enough that one attention head can be seen to decide an answer.",
        "data": "Invented by mi_tutor/specimens/primer/language.py: 45 % stories, 40 % facts, 15 % lists. "
        "Held out of training: one name pair in five, one (fact, opening) pair in five.",
        "command": "mi-tutor specimens train primer",
        "seed": recipe.pop("seed"),
        "recipe": recipe,
        "n_parameters": network.num_parameters(),
        "limits": LIMITS,
    }
    return finish(directory, lambda new: save(network, new), measure, about)


def build_tokenizer() -> Tokenizer:
    """One token per word; text is cut before each space, so that joining the tokens gives the text back."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    ids = {token: i for i, token in enumerate(language.vocabulary())}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token=language.UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r" ?\w+|[^\w\s]"), behavior="isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([language.BOS, language.UNKNOWN])
    return tokenizer


def training_rows(config: PrimerConfig, tokenizer: Tokenizer) -> Iterator[Int[Tensor, "batch pos"]]:
    """Batches of training rows without end, the same for the same seed."""
    import torch

    sentences = language.sentences(random.Random(config.seed))
    bos = tokenizer.token_to_id(language.BOS)

    def row() -> list[int]:
        ids = [bos]
        while len(ids) < config.n_ctx:
            space = "" if len(ids) == 1 else " "
            ids += tokenizer.encode(space + next(sentences)).ids
        return ids[: config.n_ctx]

    while True:
        yield torch.tensor([row() for _ in range(config.batch_size)])


def train(config: PrimerConfig, progress: bool = True) -> GPT2LMHeadModel:
    """Train on the CPU with one thread, so that the same seed gives the same weights."""
    import torch
    from torch.nn.functional import cross_entropy
    from tqdm.auto import tqdm

    rows = training_rows(config, build_tokenizer())
    with one_thread():
        network = new_network(config).train()
        optimizer = new_optimizer(network, config)
        for step in tqdm(range(config.n_steps), "primer", disable=not progress):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, config)
            tokens = next(rows)
            logits = network(tokens).logits[:, :-1]
            loss = cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())  # mean over tokens
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
    return network.eval()


def new_network(config: PrimerConfig) -> GPT2LMHeadModel:
    """An untrained GPT-2 of the configured size, its weights drawn from the seed."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    vocabulary = language.vocabulary()
    bos = vocabulary.index(language.BOS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return GPT2LMHeadModel(
            GPT2Config(
                vocab_size=len(vocabulary),
                n_positions=config.n_ctx,
                n_embd=config.d_model,
                n_layer=config.n_layers,
                n_head=config.n_heads,
                resid_pdrop=0.0,
                embd_pdrop=0.0,
                attn_pdrop=0.0,
                bos_token_id=bos,
                eos_token_id=bos,
            )
        )


def new_optimizer(network: GPT2LMHeadModel, config: PrimerConfig) -> Optimizer:
    """AdamW that decays matrices and leaves biases and LayerNorms alone."""
    import torch

    matrices = [p for p in network.parameters() if p.ndim >= 2]
    vectors = [p for p in network.parameters() if p.ndim < 2]
    return torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": config.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        betas=(0.9, 0.98),
    )


def learning_rate(step: int, config: PrimerConfig) -> float:
    """Linear warm-up, then a cosine from the full rate down to a tenth of it."""
    warm = min(1.0, (step + 1) / (config.n_warmup + 1))
    cosine = 0.5 * (1 + math.cos(math.pi * step / config.n_steps))
    return config.learning_rate * warm * (0.1 + 0.9 * cosine)


def save(network: GPT2LMHeadModel, directory: Path) -> None:
    """Write config.json, model.safetensors and the tokenizer's files: an ordinary Hugging Face directory."""
    import json

    with quiet():
        network.save_pretrained(directory)
    build_tokenizer().save(str(directory / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": language.BOS,
        "eos_token": language.BOS,
        "unk_token": language.UNKNOWN,
        "clean_up_tokenization_spaces": False,
        "model_max_length": network.config.n_positions,
    }
    text = json.dumps(settings, indent=2) + "\n"
    (directory / "tokenizer_config.json").write_text(text, encoding="utf-8")


LIMITS = (
    "It knows the words of primer_language and no others, and only its kinds of sentence.",
    "Facts are held out by opening, not by fact: it remembers facts, it does not infer new ones.",
    "It was trained on rows that begin with BOS; prompts without BOS are unfamiliar to it.",
    "Which head does what is a property of these weights: with another seed, another head does it.",
    "The same seed gives the same weights on the same machine and library versions; elsewhere rounding "
    "may differ, and with it the trained model.",
)
