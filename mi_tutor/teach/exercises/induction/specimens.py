"""The specimens of chapter 03, and texts for them, as inputs for cases."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.ground.plain import has_hooks
from mi_tutor.lab.induction.texts import repeated_tokens
from mi_tutor.teach.exercise import Handle
from mi_tutor.teach.exercises.copies import clean_copy, logits_before, opened

TWO_LAYERS = "induction-2l"
BOS = 0


def specimen(name: str = TWO_LAYERS) -> Any:
    """A specimen, to be read and run by us."""
    return opened(name)


def clean(name: str = TWO_LAYERS) -> Any:
    """A copy for one answer: whatever it does to it, the next one gets an intact model."""
    return clean_copy(name)


def a_model(name: str = TWO_LAYERS) -> Handle:
    return Handle(f"the specimen {name}", functools.partial(clean, name))


def words(name: str = TWO_LAYERS) -> Tensor:
    """The ids of all words but BOS."""
    return torch.arange(1, specimen(name).cfg.d_vocab)


def repeats(generator: torch.Generator, n_rows: int, n_block: int) -> Tensor:
    """BOS and a random block, twice, in the words of `induction-2l`."""
    return repeated_tokens(words(), n_rows, n_block, BOS, generator)


def leaves_model_as_it_was(model: Any, tokens: Tensor, answer: Any) -> tuple[Any, bool]:
    """What `answer()` returns; and whether the model has no hook and works as it did before.

    An answer that changes `tokens` is another fault, found elsewhere: the model is asked about a copy.
    """
    tokens = tokens.clone()
    before = logits_before(model, tokens)
    value = answer()
    with torch.no_grad():
        same = torch.allclose(before, model(tokens), atol=1e-5)
    return value, same and not has_hooks(model)
