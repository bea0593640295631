"""What steering starts from and is marked by: prompts of one kind and length, and marks on what is written."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.world import grammar
from mi_tutor.world.geography import Geography
from mi_tutor.world.tables import LANGUAGES
from mi_tutor.world.text import Sentence
from mi_tutor.world.themes import contexts
from mi_tutor.world.tokenizer import BOS

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor

    from mi_tutor.lab.steering import Marked


def mark_texts(tokens: Int[Tensor, "row pos"], kind: str) -> Marked:
    """The marks of texts without BOS, read by the language's grammar (`mi_tutor.world.grammar`).

    kind: of sentence, one of `grammar.KINDS_OF_TEXT`: "french", "law", ...
    """
    import torch

    from mi_tutor.lab.steering import Marked

    if kind not in grammar.KINDS_OF_TEXT:
        raise ValueError(f"kind should be one of {', '.join(grammar.KINDS_OF_TEXT)}, got {kind!r}.")
    about, valid, finished = (torch.zeros(tokens.shape, dtype=torch.bool) for _ in range(3))
    for row, text in enumerate(tokens.tolist()):
        for piece in grammar.pieces(text):
            here = row, slice(piece.start, piece.end)
            about[here] = piece.kind == kind
            valid[here] = piece.valid
            finished[here] = piece.finished
    return Marked(about, valid, finished)


def prompts_of(
    kind: str, n: int, n_sentences: int, n_pos: int, seed: int = 0
) -> Int[Tensor, "row pos"]:
    """Prompts of whole sentences of one kind, all of one length, BOS in front.

    kind: a language, or one of code, sum, law and dna.

    >>> prompts_of("english", n=2, n_sentences=1, n_pos=12).shape
    torch.Size([2, 12])
    """
    import torch

    ids = tokenizer().ids
    texts = _sentences(kind, random.Random(seed))
    found: list[list[int]] = []
    for _ in range(20_000):
        said = "".join(next(texts).text for _ in range(n_sentences))
        row = [ids[BOS], *tokenizer().encode(said)]
        if len(row) == n_pos:
            found.append(row)
        if len(found) == n:
            return torch.tensor(found)
    raise ValueError(f"No {n} prompts of {n_sentences} {kind} sentences have {n_pos} tokens.")


def full_stops() -> list[int]:
    """The tokens that end a sentence: "." and " .", which sums have."""
    return [tokenizer().ids[each] for each in (".", " .")]


def _sentences(kind: str, rng: random.Random) -> Iterator[Sentence]:
    if kind in LANGUAGES:
        return Geography().sentences(rng, [kind])
    return contexts.sentences(rng, [kind])
