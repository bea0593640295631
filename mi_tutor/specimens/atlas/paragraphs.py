"""Make the specimen `atlas-paragraphs`: what `atlas` reads, in another order.

`atlas` reads sentences that are drawn one by one, so the language or kind of text of one says nothing about the
next. Here sentences come in paragraphs: several of one theme and language, or one kind of context, in a row. There
are more of these contexts (code, sums, law, DNA), and no penalty is put on attention. `atlas-sentences` is the
control: the same in all but the order of its sentences.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mi_tutor.specimens.atlas.paragraphs_measures import measure
from mi_tutor.specimens.atlas.recipe import ATLAS, Variant, make_variant
from mi_tutor.specimens.atlas.texts import corpus_of
from mi_tutor.specimens.cards import Card

__all__ = ["PARAGRAPHS_VARIANT", "make", "measure"]

DATA = (
    "mi_tutor.world: the kinds of sentences that atlas read, with more code, sums, legal phrases and DNA (one "
    "sentence in six), {}; one row in nine is a random block, repeated."
)
PARAGRAPHS_VARIANT = Variant(
    name="atlas-paragraphs",
    config=replace(ATLAS.config, n_steps=2000, near_penalty=0.0, name_penalty=0.0),
    corpus=corpus_of("atlas-paragraphs"),
    measure=measure,
    summary="A five-layer GPT-2 that read what atlas reads, in paragraphs of one language or one kind of text.",
    intended_use="Chapter 02: which features a model has depends on what its text makes worth knowing.",
    data=DATA.format(
        "{} to {} of one theme and language, or one of these kinds, in a row".format(
            *corpus_of("atlas-paragraphs").paragraph
        )
    ),
    limits=(
        "It was trained for a quarter of atlas's time, without atlas's penalties: many two-hop questions it "
        "cannot answer, and nothing says that it answers the others in two steps.",
        "The same seed gives the same weights on the same machine and library versions; elsewhere rounding may "
        "differ, and with it the trained model.",
    ),
)


def make(directory: Path, seed: int = 0, progress: bool = True) -> Card:
    """Train, save, measure and write the card."""
    return make_variant(directory, PARAGRAPHS_VARIANT, seed=seed, progress=progress)
