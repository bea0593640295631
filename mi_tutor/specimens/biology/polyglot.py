"""Make `polyglot-twin`, three glossaries side by side in one GPT-2; and `polyglot`, in which the languages meet.

Specimens of their own, and no further training of `atlas`: everything in the course stands on atlas's weights; a
copy would forget some of it, and its tokenizer cuts cities into pieces. Here each name is one token of its own
in each language, so whatever the languages share, the model had to make.

The twin's entries are in one language each. Nothing in such a text needs the languages to meet, and they do not:
its card has the numbers. `polyglot` is the twin, trained on with entries that translate.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from mi_tutor.specimens.biology import lexicon
from mi_tutor.specimens.biology.polyglot_measures import measure
from mi_tutor.specimens.biology.polyglot_prompts import WORDS
from mi_tutor.specimens.biology.small import Small, SmallConfig

DATA = (
    "True facts in mi_tutor/specimens/biology/lexicon.py: the country of a city, and people and main language of "
    "countries and of cities (two hops). Held out: one (city, relation, language) in five of the two-hop entries."
)
LIMITS = (
    "It knows entries of a glossary in one form, and no sentences.",
    "Only names that differ in all three languages are in it, so cities and countries are not a fair choice.",
    "A held-out entry can follow from two steps, or from another city of the country in the same language; "
    "accuracy alone does not tell which.",
    "The same seed gives the same weights on the same machine and library versions; elsewhere rounding may "
    "differ, and with it the trained model.",
)

TWIN = Small(
    name="polyglot-twin",
    config=SmallConfig(n_ctx=36, n_steps=1400),
    words=WORDS,
    sentences=partial(lexicon.sentences, translated=0),
    measure=partial(measure, shared=False),
    summary="A four-layer GPT-2 that knows a glossary of 60 cities and 16 countries in English, French and "
    "Spanish, as three glossaries side by side.",
    intended_use="Chapter 08: the counterexample. It answers held-out entries in all three languages, and what it "
    "knows of a country in one of them has little to do with the others.",
    data=DATA + " Each entry is in one language.",
    limits=LIMITS,
)
POLYGLOT = replace(
    TWIN,
    name="polyglot",
    sentences=lexicon.sentences,
    measure=measure,
    begins_as="polyglot-twin",
    summary="A four-layer GPT-2 that knows a glossary of 60 cities and 16 countries in English, French and "
    "Spanish, and translates.",
    intended_use="Chapter 08: what of a fact is common to languages? Concept, relation and language as parts that "
    "are swapped one at a time.",
    data=DATA
    + " Half of the entries have their name in another language than relation and answer.",
)
