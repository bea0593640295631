"""Make the specimen `atlas-sentences`: `atlas-paragraphs` in all but the order of its sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mi_tutor.specimens.atlas.paragraphs import DATA, PARAGRAPHS_VARIANT
from mi_tutor.specimens.atlas.paragraphs_measures import measure
from mi_tutor.specimens.atlas.recipe import make_variant
from mi_tutor.specimens.atlas.texts import corpus_of
from mi_tutor.specimens.cards import Card

__all__ = ["SENTENCES_VARIANT", "make", "measure"]

SENTENCES_VARIANT = replace(
    PARAGRAPHS_VARIANT,
    name="atlas-sentences",
    corpus=corpus_of("atlas-sentences"),
    summary="A five-layer GPT-2 that read the sentences of atlas-paragraphs drawn one by one.",
    intended_use="Chapter 02: the control for atlas-paragraphs, from which it differs in nothing else.",
    data=DATA.format("each drawn anew, so that none says anything about the next"),
)


def make(directory: Path, seed: int = 0, progress: bool = True) -> Card:
    """Train, save, measure and write the card."""
    return make_variant(directory, SENTENCES_VARIANT, seed=seed, progress=progress)
