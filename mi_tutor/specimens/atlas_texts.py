"""Texts in `atlas`'s language with ground truth, as torch tensors: to train dictionaries and to mark them.

A concept is marked where the model can know it, and where that is open, nothing is asked:

| family         | marked on                                          |
|----------------|----------------------------------------------------|
| state, country | the last token of a city's name                    |
| relation       | the last token of the words that ask for it        |
| language       | every token of a sentence in that language         |
| context        | every token of code, sums, law and DNA             |
| others         | every token of the words that carry them           |

Nothing is asked on a name's first pieces (" Fort" can still become several cities), on the names of states and
countries, and on answers: they name a place in another way than a city does.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.world.corpus import Corpus
from mi_tutor.world.tables import LANGUAGES, RELATIONS, load_facts

if TYPE_CHECKING:
    from jaxtyping import Bool, Int
    from torch import Tensor

    from mi_tutor.lab.sae import Texts

N_POS = 96
CONTEXTS = ("code", "dna", "law", "sum")
WORDS = ("answer", "city", "area", "name", "giver", "receiver", "refusal", "person")


class LabelledTexts(NamedTuple):
    """Texts with the concepts that each token carries.

    Attributes:
        tokens: [row pos], BOS at position 0.
        concepts: the names of the labels' last axis.
        labels: [row pos concept], see the module's table.
        names: [row pos], where a city's, state's or country's name ends.
        asked: [row pos], False where nothing is asked, and on BOS.
    """

    tokens: Int[Tensor, "row pos"]
    concepts: tuple[str, ...]
    labels: Bool[Tensor, "row pos concept"]
    names: Bool[Tensor, "row pos"]
    asked: Bool[Tensor, "row pos"]


@cache
def concepts() -> tuple[str, ...]:
    """The concepts that dictionaries are marked with: "state=Texas", "relation=capital", "answer" ..."""
    facts = load_facts()
    relations = sorted({relation for each in RELATIONS.values() for relation in each})
    return (
        *(f"state={area.name.english}" for area in facts.states),
        *(f"country={area.name.english}" for area in facts.countries),
        *(f"relation={relation}" for relation in relations),
        *(f"language={language}" for language in LANGUAGES),
        *(f"context={context}" for context in CONTEXTS),
        *WORDS,
    )


def labelled_texts(seed: int, n_rows: int, n_pos: int = N_POS) -> LabelledTexts:
    """Rows as in training, with labels; another seed gives other rows.

    >>> texts = labelled_texts(seed=0, n_rows=2, n_pos=32)
    >>> texts.tokens.shape, len(texts.concepts) == texts.labels.shape[-1]
    (torch.Size([2, 32]), True)
    """
    import torch

    rows = Corpus().labelled_rows(random.Random(seed), n_rows, n_pos, concepts())
    labels, ends = torch.tensor(rows.labels), torch.tensor(rows.ends)
    city, area, answer = (
        labels[:, :, concepts().index(each)] for each in ("city", "area", "answer")
    )
    names = (city | area) & ends
    city_ends = names & city & ~(area | answer)
    marked_on = {"state": city_ends, "country": city_ends, "relation": ends & ~answer}
    for i, concept in enumerate(concepts()):
        family = concept.split("=")[0]
        if family in marked_on:
            labels[:, :, i] &= marked_on[family]
    asked = city_ends | ~(city | area | answer)
    asked[:, 0] = False
    return LabelledTexts(torch.tensor(rows.tokens), concepts(), labels, names, asked)


def training_texts(n_rows: int, first_seed: int = 1_000) -> Callable[[int], Texts]:
    """Texts number i, for `ActivationSource`; the ends of names are the tokens to see more often."""
    from mi_tutor.lab.sae import Texts

    def texts(i: int) -> Texts:
        found = labelled_texts(first_seed + i, n_rows)
        return Texts(found.tokens, found.names)

    return texts
