"""Texts in `atlas`'s language with ground truth, as torch tensors: to train dictionaries and to mark them.

A concept is marked where the model can know it. For a city's state or country and for the relation that is asked
there are two such places, and a dictionary reads one layer, so one of them is chosen:

| family         | place "names"                             | place "slots"                            |
|----------------|-------------------------------------------|------------------------------------------|
| state, country | the last token of a city's name           | where the answer about a city is due     |
| relation       | the last token of the words that ask      | where the answer is due                  |
| wording        | the same, for each language by itself     | the same, for each language by itself    |
| language       | every token of a sentence in that language                                          |
| context        | every token of code, sums, law and DNA                                              |
| others         | every token of the words that carry them                                            |

A slot is the token before an answer of any theme, or before the state or country of a city that was named.
A wording is a relation together with the language of the question, such as "wording=bird in french".
Nothing is asked about states, countries, relations and wordings (`LabelledTexts.asked`) where that is open: with
place "slots" anywhere else; with place "names" on a name's first pieces (" Fort" can still become several cities),
on the names of states and countries, and on answers, which name a place in another way than a city does.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from mi_tutor.world.corpus import SHARES, Corpus, LabelledRows
from mi_tutor.world.tables import LANGUAGES, RELATIONS, load_facts

if TYPE_CHECKING:
    from jaxtyping import Bool, Int
    from torch import Tensor

    from mi_tutor.lab.dictionaries import Texts

N_POS = 96
CONTEXTS = ("code", "dna", "law", "sum")
WORDS = ("answer", "city", "area", "name", "giver", "receiver", "refusal", "person")
PLACED = ("state", "country", "relation", "wording")  # families that are marked at one place only
Place = Literal["names", "slots"]


class LabelledTexts(NamedTuple):
    """Texts with the concepts that each token carries.

    Attributes:
        tokens: [row pos], BOS at position 0.
        concepts: the names of the labels' last axis.
        labels: [row pos concept], see the module's table.
        chosen: [row pos], the place: where names of cities, states and countries end, or slots.
        decided: [row pos], False where nothing is asked about the families of `PLACED`.
    """

    tokens: Int[Tensor, "row pos"]
    concepts: tuple[str, ...]
    labels: Bool[Tensor, "row pos concept"]
    chosen: Bool[Tensor, "row pos"]
    decided: Bool[Tensor, "row pos"]

    def asked(self, family: str) -> Bool[Tensor, "row pos"]:
        """Where it is asked whether a token carries a concept of this family; never on BOS."""
        return self.decided if family in PLACED else self.everywhere

    @property
    def everywhere(self) -> Bool[Tensor, "row pos"]:
        """All tokens but BOS."""
        import torch

        return (torch.arange(self.tokens.shape[1]) > 0).expand_as(self.tokens)

    def columns(self, *families: str) -> list[int]:
        """The columns of the labels that belong to some families, such as "state"."""
        return [i for i, concept in enumerate(self.concepts) if family_of(concept) in families]


RELATION_NAMES = tuple(sorted({relation for each in RELATIONS.values() for relation in each}))


@cache
def concepts() -> tuple[str, ...]:
    """The concepts that dictionaries are marked with: "state=Texas", "relation=capital", "answer" ..."""
    wordings = (
        f"wording={relation} in {language}" for relation in RELATION_NAMES for language in LANGUAGES
    )
    return (*concepts_of_segments(), *wordings)


@cache
def concepts_of_segments() -> tuple[str, ...]:
    """The concepts that the world's sentences carry themselves; a wording is two of them together."""
    facts = load_facts()
    return (
        *(f"state={area.name.english}" for area in facts.states),
        *(f"country={area.name.english}" for area in facts.countries),
        *(f"relation={relation}" for relation in RELATION_NAMES),
        *(f"language={language}" for language in LANGUAGES),
        *(f"context={context}" for context in CONTEXTS),
        *WORDS,
    )


def family_of(concept: str) -> str:
    """The part before the =.

    >>> family_of("state=Texas")
    'state'
    """
    return concept.split("=")[0]


def labelled_texts(
    seed: int,
    n_rows: int,
    place: Place = "slots",
    n_pos: int = N_POS,
    model: str = "atlas",
) -> LabelledTexts:
    """Rows as this model read them in training, with labels; another seed gives other rows.

    >>> texts = labelled_texts(seed=0, n_rows=2, n_pos=32)
    >>> texts.tokens.shape, len(texts.concepts) == texts.labels.shape[-1]
    (torch.Size([2, 32]), True)
    """
    import torch

    if place not in ("names", "slots"):
        raise ValueError(f'place should be "names" or "slots", got {place!r}.')
    rows = rows_of(model, seed, n_rows, n_pos)
    mark = mark_names if place == "names" else mark_slots
    labels, chosen, decided = mark(rows)
    return LabelledTexts(
        torch.from_numpy(rows.tokens.copy()),
        concepts(),
        torch.from_numpy(np.concatenate([labels, wordings_of(labels)], axis=2)),
        torch.from_numpy(chosen),
        torch.from_numpy(decided),
    )


@lru_cache(maxsize=2)
def rows_of(model: str, seed: int, n_rows: int, n_pos: int) -> LabelledRows:
    """The rows of `labelled_texts`, which are the same for both places: not to be changed."""
    return corpus_of(model).labelled_rows(
        random.Random(seed), n_rows, n_pos, concepts_of_segments()
    )


@cache
def corpus_of(model: str) -> Corpus:
    """What a model was trained on.

    >>> corpus_of("atlas-paragraphs").paragraph
    (5, 12)
    """
    if model == "atlas":
        return Corpus()
    more_contexts = Corpus(shares=SHARES | {"contexts": 0.2})
    if model == "atlas-sentences":
        return more_contexts
    if model == "atlas-paragraphs":
        return replace(more_contexts, paragraph=(5, 12))
    known = '"atlas", "atlas-sentences" or "atlas-paragraphs"'
    raise ValueError(f"model should be {known}, got {model!r}.")


def wordings_of(labels: np.ndarray) -> np.ndarray:
    """[row pos wording]: marked where both its relation and its language are."""
    relations, languages = (
        labels[:, :, [i for i, c in enumerate(concepts_of_segments()) if family_of(c) == family]]
        for family in ("relation", "language")
    )
    return (relations[..., :, None] & languages[..., None, :]).reshape(*labels.shape[:2], -1)


def mark_names(rows: LabelledRows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(labels, chosen, decided) with states and countries marked where names end."""
    city, area, answer = (
        rows.labels[:, :, concepts_of_segments().index(c)] for c in ("city", "area", "answer")
    )
    names = (city | area) & rows.ends
    city_ends = names & city & ~(area | answer)
    labels = rows.labels.copy()
    for i, concept in enumerate(rows.concepts):
        if family_of(concept) in ("state", "country"):
            labels[:, :, i] &= city_ends
        elif family_of(concept) == "relation":
            labels[:, :, i] &= rows.ends & ~answer
    decided = city_ends | ~(city | area | answer)
    decided[:, 0] = False
    return labels, names, decided


def mark_slots(rows: LabelledRows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(labels, chosen, decided) with states, countries and relations marked where an answer is due."""
    placed = [i for i, concept in enumerate(rows.concepts) if family_of(concept) in PLACED]
    relations = [i for i in placed if family_of(rows.concepts[i]) == "relation"]
    areas = [i for i in placed if i not in relations]
    labels = rows.labels.copy()
    labels[:, :, placed] = False
    slots = np.zeros(rows.tokens.shape, dtype=bool)
    for row, here, about in slots_of(rows):
        slots[row, here] = True
        if about is not None:
            labels[row, here, areas] = rows.labels[row, about, areas]
        labels[row, here, relations] = rows.labels[row, here + 1, relations]
    return labels, slots, slots


def slots_of(rows: LabelledRows) -> Iterator[tuple[int, int, int | None]]:
    """Row and position of each slot, and the position of the name that says which state or country it is about.

    That is the city or area named last in the same sentence. It is None where the answer is about something else.
    """
    city, area, answer = (
        rows.labels[:, :, rows.concepts.index(c)] for c in ("city", "area", "answer")
    )
    is_name, due = city | area, answer | area
    for row, here in zip(*np.nonzero(due[:, 1:] & rows.ends[:, :-1]), strict=True):
        same = rows.sentences[row] == rows.sentences[row, here + 1]
        if not same[here]:
            continue  # the sentence begins with the name
        before = np.nonzero(
            is_name[row, : here + 1] & rows.ends[row, : here + 1] & same[: here + 1]
        )[0]
        if answer[row, here + 1] or len(before):
            yield int(row), int(here), int(before[-1]) if len(before) else None


def training_texts(
    n_rows: int,
    place: Place = "slots",
    first_seed: int = 1_000,
    model: str = "atlas",
) -> Callable[[int], Texts]:
    """Texts number i, for `ActivationSource`; the place is the tokens to see more often."""
    from mi_tutor.lab.dictionaries import Texts

    def texts(i: int) -> Texts:
        found = labelled_texts(first_seed + i, n_rows, place, model=model)
        return Texts(found.tokens, found.chosen)

    return texts
