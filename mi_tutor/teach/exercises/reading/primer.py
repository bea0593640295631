"""The specimen of chapter 00, as inputs for cases."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.teach.exercise import Handle
from mi_tutor.teach.exercises.copies import clean_copy, opened

SPECIMEN = "primer"


def primer() -> Any:
    """The specimen, to be read and run by us."""
    return opened(SPECIMEN)


def n_layers() -> int:
    return primer().cfg.n_layers


def random_tokens(generator: torch.Generator, length: int) -> Tensor:
    """One prompt of random tokens, [1 length]."""
    return torch.randint(primer().cfg.d_vocab, (1, length), generator=generator)


def clean_primer() -> Any:
    """A copy of the specimen for one answer: whatever it does to it, the next one gets an intact model."""
    return clean_copy(SPECIMEN)


def cache_of(tokens: Tensor, without: str | None = None) -> Handle:
    """The cache of one run, made anew each time; entries with `without` in their name are left out."""

    def run() -> Any:
        model = clean_primer()
        with torch.no_grad():
            _, cache = model.run_with_cache(tokens)
        if without is None:
            return cache
        kept = {name: value for name, value in cache.items() if without not in name}
        return type(cache)(kept, model)

    return Handle(f"the cache of {SPECIMEN} on {tokens.shape[1]} tokens", run)
