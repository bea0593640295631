"""Make the specimen `atlas-paragraphs`: what `atlas` reads, in another order.

`atlas` reads sentences that are drawn one by one, so the language or kind of text of one says nothing about the
next. Here sentences come in paragraphs: several of one theme and language, or one kind of context, in a row. There
are more of these contexts (code, sums, law, DNA), and no penalty is put on attention.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mi_tutor.specimens.atlas_paragraphs_measures import measure
from mi_tutor.specimens.atlas_recipe import ATLAS, Variant, make_variant
from mi_tutor.specimens.atlas_texts import corpus_of
from mi_tutor.specimens.cards import Card

__all__ = ["PARAGRAPHS_VARIANT", "make", "measure"]

CORPUS = corpus_of("atlas-paragraphs")
PARAGRAPHS_VARIANT = Variant(
    name="atlas-paragraphs",
    config=replace(ATLAS.config, n_steps=2000, near_penalty=0.0, name_penalty=0.0),
    corpus=CORPUS,
    measure=measure,
    summary="A five-layer GPT-2 that read what atlas reads, in paragraphs of one language or one kind of text.",
    intended_use="Chapter 02: which features a model has depends on what its text makes worth knowing.",
    data="mi_tutor.world: the kinds of sentences that atlas read, {} to {} of one theme and language (or of code, "
    "sums, legal phrases or DNA) in a row; one row in nine is a random block, repeated. One paragraph in six is "
    "code, sums, legal phrases or DNA, more than in atlas's text.".format(*CORPUS.paragraph),
    limits=(
        "It was trained for a quarter of atlas's time, without atlas's penalties: of two-hop questions it answers "
        "few, and nothing says that it answers them in two steps.",
        "The same seed gives the same weights on the same machine and library versions; elsewhere rounding may "
        "differ, and with it the trained model.",
    ),
)


def make(directory: Path, seed: int = 0, progress: bool = True) -> Card:
    """Train, save, measure and write the card."""
    return make_variant(directory, PARAGRAPHS_VARIANT, seed=seed, progress=progress)
