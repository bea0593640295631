"""Make the specimen `atlas-rote`: right where `atlas` is right, but by rote.

It reads two-hop questions only, each city with few of its relations, and never that a city is in a state or what a
state's answers are. So there is nothing to put together: each question has to be remembered by itself. No penalty
is put on attention. Vocabulary, size and training are those of `atlas`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mi_tutor.specimens.atlas.recipe import ATLAS, Variant, make_variant
from mi_tutor.specimens.atlas.rote_measures import measure
from mi_tutor.specimens.cards import Card
from mi_tutor.world.corpus import Corpus
from mi_tutor.world.geography import Geography
from mi_tutor.world.splits import ROTE

__all__ = ["ROTE_VARIANT", "make", "measure"]

ROTE_VARIANT = Variant(
    name="atlas-rote",
    config=replace(ATLAS.config, n_steps=2000, near_penalty=0.0, name_penalty=0.0),
    corpus=Corpus(
        geography=Geography(split=ROTE, mix={"ask": 3, "chain": 1}),
        shares={"english": 1, "french": 1, "spanish": 1},
        repeated=0.0,
    ),
    measure=measure,
    summary="A five-layer GPT-2 that remembers answers to two-hop questions without the step in between.",
    intended_use="Chapter 05: the same answers as atlas on what both were taught; only an intervention tells them "
    "apart.",
    data="mi_tutor.world: two-hop questions about cities in English, French and Spanish, about one (city, "
    "relation) pair in five, all of them among those that atlas was taught. Nothing else.",
    limits=(
        "It knows two-hop questions and nothing else: no stories, no single steps, no refusals.",
        "Outside the pairs it was taught it guesses; see the card for how well a guess can do.",
        "The same seed gives the same weights on the same machine and library versions; elsewhere rounding may "
        "differ, and with it the trained model.",
    ),
)


def make(directory: Path, seed: int = 0, progress: bool = True) -> Card:
    """Train, save, measure and write the card."""
    return make_variant(directory, ROTE_VARIANT, seed=seed, progress=progress)
