"""The specimens of chapter 03, and texts for them, as inputs for cases."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.induction.texts import repeated_tokens
from mi_tutor.teach.exercise import Handle
from mi_tutor.teach.exercises.copies import a_specimen, clean_copy, opened

TWO_LAYERS = "induction-2l"
BOS = 0


def specimen(name: str = TWO_LAYERS) -> Any:
    """A specimen, to be read and run by us."""
    return opened(name)


def clean(name: str = TWO_LAYERS) -> Any:
    """A copy for one answer: whatever it does to it, the next one gets an intact model."""
    return clean_copy(name)


def a_model(name: str = TWO_LAYERS) -> Handle:
    return a_specimen(name)


def words(name: str = TWO_LAYERS) -> Tensor:
    """The ids of all words but BOS."""
    return torch.arange(1, specimen(name).cfg.d_vocab)


def repeats(generator: torch.Generator, n_rows: int, n_block: int) -> Tensor:
    """BOS and a random block, twice, in the words of `induction-2l`."""
    return repeated_tokens(words(), n_rows, n_block, BOS, generator)
