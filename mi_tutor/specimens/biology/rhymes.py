"""Couplets of `atlas` as prompts, for the question whether it plans: first lines, what goes with which rhyme."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.world.text import Sentence
from mi_tutor.world.themes import couplets
from mi_tutor.world.tokenizer import BOS

if TYPE_CHECKING:
    from jaxtyping import Bool, Int
    from torch import Tensor

RHYMES = tuple(couplets.RHYMES)


class RhymeLines(NamedTuple):
    """First lines that atlas knows, up to the line break: " Oscar crossed the moat,\\n".

    Attributes:
        texts: the lines.
        tokens: their ids with BOS; the last three are the rhyme word, the comma and the line break.
        rhymes: the number of each one's rhyme, in `RHYMES`.
        words: the number of each one's rhyme word, for means that leave a word out.
        template: the second line: "and NAME ___ the ADJECTIVE ___".
        goes_with: for verb and end, which tokens go with which rhyme.
    """

    texts: tuple[str, ...]
    tokens: Int[Tensor, "prompt pos"]
    rhymes: Int[Tensor, prompt]
    words: Int[Tensor, prompt]
    template: list[int | None]
    goes_with: Bool[Tensor, "blank rhyme vocab"]


def rhyme_lines(n_each: int = 8, seed: int = 0) -> RhymeLines:
    """`n_each` first lines for every rhyme word, with drawn names.

    >>> rhyme_lines(n_each=1).tokens.shape
    torch.Size([59, 7])
    """
    import torch

    rng, ids = random.Random(seed), tokenizer().ids
    texts, rhymes, words = [], [], []
    every = [(rhyme, verb) for rhyme in RHYMES for verb in couplets.RHYMES[rhyme]]
    for number, (rhyme, verb) in enumerate(every):
        other = next(each for each in couplets.RHYMES[rhyme] if each != verb)
        for _ in range(n_each):
            drawn = couplets.couplet(rhyme, verb, other, rng)
            texts.append(Sentence(drawn.segments[:4]).text)
            rhymes.append(RHYMES.index(rhyme))
            words.append(number)
    goes_with = torch.zeros(2, len(RHYMES), len(ids), dtype=torch.bool)
    for rhyme, verb in every:
        for blank, word in enumerate((verb, couplets.RHYMES[rhyme][verb])):
            goes_with[blank, RHYMES.index(rhyme), ids[f" {word}"]] = True
    given = [ids[f" {word}"] for word in ("and", "Anna", "the", "old")]
    return RhymeLines(
        tuple(texts),
        torch.tensor([[ids[BOS], *tokenizer().encode(text)] for text in texts]),
        torch.tensor(rhymes),
        torch.tensor(words),
        [*given[:2], None, *given[2:], None],
        goes_with,
    )
