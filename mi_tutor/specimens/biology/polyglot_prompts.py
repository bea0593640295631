"""The glossary as prompts: entries as tokens, with what each is about, and every answer's token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.biology import lexicon
from mi_tutor.specimens.biology.lexicon import ALL_COUNTRIES, LANGUAGES, RELATIONS, Entry
from mi_tutor.specimens.biology.small import BOS, Words

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor

WORDS = Words(lexicon.vocabulary())


class Entries(NamedTuple):
    """Entries up to their answers: token ids with BOS, and the numbers of country, relation and language."""

    tokens: Int[Tensor, "prompt pos"]
    factors: Int[Tensor, "prompt 3"]


def glossary(some: Sequence[Entry]) -> Entries:
    """Entries as tokens."""
    import torch

    relations = list(RELATIONS)
    return Entries(
        torch.tensor([[WORDS.ids[BOS], *WORDS.encode(each.prompt)] for each in some]),
        torch.tensor(
            [(e.country, relations.index(e.relation), LANGUAGES.index(e.language)) for e in some]
        ),
    )


def glossary_answers() -> Int[Tensor, "concept relation language"]:
    """The token of every answer."""
    import torch

    return torch.tensor(
        [
            [[WORDS.ids[f" {c.answer(r, each)}"] for each in LANGUAGES] for r in RELATIONS]
            for c in ALL_COUNTRIES
        ]
    )


def city_entries(held_out: bool) -> list[Entry]:
    """Entries about cities."""
    return [e for e in lexicon.entries() if e.city is not None and e.held_out == held_out]
