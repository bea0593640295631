"""Sealed specimens and `atlas` opened for many runs without hooks: what they say next to texts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from mi_tutor.lab.auditing import Coordinate, with_coordinate_set
from mi_tutor.lab.ground.plain import PlainTransformer, plain_transformer
from mi_tutor.specimens.atlas.prompts import by_length, next_token_logits
from mi_tutor.specimens.auditing.sealing import open_sealed
from mi_tutor.specimens.opening.models import open_specimen

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor


@lru_cache(maxsize=6)
def opened_plain(name: str | Path) -> PlainTransformer:
    """A sealed specimen, or atlas by its name, for many runs without hooks."""
    model = open_specimen("atlas", device="cpu") if name == "atlas" else open_sealed(name)
    plain = plain_transformer(model)
    assert plain is not None
    return plain


@torch.no_grad()
def logits_of(
    plain: PlainTransformer, texts: Sequence[str], edit: Coordinate | None = None
) -> Float[Tensor, "text vocab"]:
    """What a model says next to each text."""
    found = torch.empty(len(texts), plain.W_E.shape[0])
    for indices, tokens in by_length(texts):
        run = next_token_logits if edit is None else with_coordinate_set
        found[indices] = run(plain, tokens) if edit is None else run(plain, tokens, edit)
    return found


def answers_of(
    plain: PlainTransformer, texts: Sequence[str], edit: Coordinate | None = None
) -> Int[Tensor, text]:
    """Its first guesses."""
    return logits_of(plain, texts, edit).argmax(dim=-1)
