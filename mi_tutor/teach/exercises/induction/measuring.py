"""What the investigations of chapter 03 measure on fresh rows: blocks, running text, and text with one other word."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.metrics import per_position_loss
from mi_tutor.lab.induction.texts import repeated_tokens
from mi_tutor.specimens.induction import language
from mi_tutor.teach.exercises.induction.specimens import BOS, words

N_BLOCK = 30
OWN_DRAW = 10_000  # the rows on which we measured; no try of a learner gets that far
IDS = {word: i for i, word in enumerate(language.vocabulary())}
WORDS = language.vocabulary()

# What a head writes in place of its z: z [row pos head d_head], head -> [row pos d_head] (or what spreads to it).
Replacement = Callable[[Tensor, int], Tensor]


class Interrupted(NamedTuple):
    """Running text whose last word was replaced by any word: does it fit after the one before?"""

    tokens: Tensor  # [row pos]
    fits: Tensor  # [row]: whether running text could go on like that


def blocks(draw: int, n_rows: int) -> Tensor:
    """Fresh blocks, twice: [n_rows, 1 + 2 * N_BLOCK]."""
    return repeated_tokens(words(), n_rows, N_BLOCK, BOS, seeded(7919 + draw))


def running_text(draw: int, n_rows: int, n_words: int = 2 * N_BLOCK) -> Tensor:
    """Fresh running text, BOS first."""
    rng = random.Random(f"running text {draw}")
    return torch.tensor(
        [[BOS, *(IDS[word] for word in language.text(n_words, rng))] for _ in range(n_rows)]
    )


def interrupted_text(draw: int, n_rows: int, n_words: int = 16) -> Interrupted:
    """Fresh running text; half of the last words are drawn from all words, half from those that fit."""
    rng = random.Random(f"interrupted text {draw}")
    tokens = running_text(1000 + draw, n_rows, n_words)
    for row in tokens:
        follow = language.kind_after(WORDS[row[-2]])
        pool = WORDS[1:] if rng.random() < 0.75 else follow
        row[-1] = IDS[rng.choice(pool)]
    fits = [WORDS[row[-1]] in language.kind_after(WORDS[row[-2]]) for row in tokens.tolist()]
    return Interrupted(tokens, torch.tensor(fits))


def z_of(model: Any, tokens: Tensor, layer: int) -> Tensor:
    """A layer's z on some rows: [row pos head d_head]."""
    name = f"blocks.{layer}.attn.hook_z"
    with torch.no_grad():
        return model.run_with_cache(tokens, names_filter=name)[1][name]


def with_z(layer: int, head: int, instead: Tensor) -> tuple[str, Callable[..., Tensor]]:
    """A hook that puts something in the place of a head's z."""

    def hook(z: Tensor, hook: object) -> Tensor:
        z = z.clone()
        z[:, :, head] = instead
        return z

    return f"blocks.{layer}.attn.hook_z", hook


def loss_with(model: Any, tokens: Tensor, hooks: list[tuple[str, Any]]) -> Tensor:
    """The loss at every position, with some hooks."""
    with torch.no_grad(), model.hooks(fwd_hooks=hooks):
        return per_position_loss(model(tokens), tokens)


def written(model: Any, z: Tensor, layer: int, head: int) -> Tensor:
    """What a head adds to the stream: [row pos d_model]."""
    return z[:, :, head] @ model.W_O[layer, head].detach()


def number(value: Any) -> float | None:
    """A finite number, also as a tensor of one; None for anything else."""
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex():
        value = value.item()
    if type(value) is bool or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e6 else None
