"""The specimen of chapter 00, as inputs for cases."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.teach.exercise import Handle
from mi_tutor.teach.exercises.copies import a_cache, clean_copy, opened

SPECIMEN = "primer"


def primer() -> Any:
    """The specimen, to be read and run by us."""
    return opened(SPECIMEN)


def n_layers() -> int:
    return primer().cfg.n_layers


def random_tokens(generator: torch.Generator, length: int, n_prompts: int = 1) -> Tensor:
    """Prompts of random tokens, [n_prompts length]."""
    return torch.randint(primer().cfg.d_vocab, (n_prompts, length), generator=generator)


def clean_primer() -> Any:
    """A copy of the specimen for one answer: whatever it does to it, the next one gets an intact model."""
    return clean_copy(SPECIMEN)


def cache_of(tokens: Tensor, without: str | None = None) -> Handle:
    """The cache of one run, made anew each time; entries with `without` in their name are left out."""
    return a_cache(SPECIMEN, tokens, without)
