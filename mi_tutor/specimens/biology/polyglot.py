"""Make `polyglot`, a GPT-2 that knows one glossary in three languages, in which no name is spelled alike.

A specimen of its own, and no further training of `atlas`: everything in the course stands on atlas's weights; a
copy would forget some of it, and its tokenizer cuts cities into pieces. Here each name is one token of its own
in each language, so whatever the languages share, the model had to make.
"""

from __future__ import annotations

from mi_tutor.specimens.biology import lexicon
from mi_tutor.specimens.biology.polyglot_measures import WORDS, measure
from mi_tutor.specimens.biology.small import Small, SmallConfig

POLYGLOT = Small(
    name="polyglot",
    config=SmallConfig(n_ctx=37),
    words=WORDS,
    sentences=lexicon.sentences,
    measure=measure,
    summary="A four-layer GPT-2 that knows a glossary of 60 cities and 16 countries in English, French and "
    "Spanish, none of whose names is spelled alike in two of them.",
    intended_use="Chapter 08: what of a fact is common to languages? Concept, relation and language as parts that "
    "are swapped one at a time.",
    data="True facts in mi_tutor/specimens/biology/lexicon.py: the country of a city, and people and main "
    "language of countries and of cities (two hops). Held out: one (city, relation, language) in five of "
    "the two-hop entries.",
    limits=(
        "It knows entries of a glossary in one form, and no sentences.",
        "Only names that differ in all three languages are in it, so cities and countries are not a fair choice.",
        "A held-out entry can follow from two steps, or from the same entry in another language; accuracy alone "
        "does not tell which.",
        "The same seed gives the same weights on the same machine and library versions; elsewhere rounding may "
        "differ, and with it the trained model.",
    ),
)
