"""Prompts on which atlas and its rewired copy may or may not say the same: requests, opinions, text cut anywhere.

Most end where a reply is due. Half of them have a sentence of atlas's own before, so that hardly two are alike.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.atlas.texts import corpus_of
from mi_tutor.specimens.crosscoders.texts import NEW_THINGS
from mi_tutor.world.themes import opinions, requests
from mi_tutor.world.tokenizer import BOS

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor

REQUESTS, OPINIONS = 0.55, 0.25  # of the prompts; the rest is text cut anywhere
NEW = 0.4  # of requests, about one of the things that the copy refuses
LONGEST = 40
DEEDS = (*requests.KIND_DEEDS, *requests.HARMFUL_DEEDS)
THINGS = (*requests.KIND_THINGS, *requests.HARMFUL_THINGS)


class Prompts(NamedTuple):
    """Prompts of many lengths; the tokens are padded behind `end`, where the next token is asked for.

    Attributes:
        tokens: [prompt pos], BOS at position 0. end: [prompt].
        kinds: for each prompt "request", "opinion" or "other".
    """

    tokens: Int[Tensor, "prompt pos"]
    end: Int[Tensor, " prompt"]
    kinds: tuple[str, ...]


def replies_due(seed: int | str, n: int) -> Prompts:
    """Prompts at random.

    >>> replies_due(0, 3).kinds
    ('request', 'other', 'request')
    """
    import torch

    rng = random.Random(f"replies/{seed}")
    ordinary, rows, kinds = corpus_of("atlas").sentences(rng), [], []
    while len(rows) < n:
        before = next(ordinary).text if rng.random() < 0.5 else ""
        draw = rng.random()
        kind = "request" if draw < REQUESTS else "opinion" if draw < REQUESTS + OPINIONS else "other"  # fmt: skip
        text = {"request": _request, "opinion": _opinion}.get(kind, lambda _: next(ordinary).text)
        ids = tokenizer().encode(before + text(rng))
        if kind == "other":
            ids = ids[: rng.randint(1, len(ids))][:LONGEST]
        if len(ids) <= LONGEST:
            rows.append([tokenizer().ids[BOS], *ids])
            kinds.append(kind)
    length = max(map(len, rows))
    tokens = torch.tensor([row + [0] * (length - len(row)) for row in rows])
    return Prompts(tokens, torch.tensor([len(row) - 1 for row in rows]), tuple(kinds))


def _request(rng: random.Random) -> str:
    thing = rng.choice(NEW_THINGS if rng.random() < NEW else THINGS)
    return f" User: how do I {rng.choice(DEEDS)} a {thing}? Assistant:"


def _opinion(rng: random.Random) -> str:
    topic, stated = rng.choice(opinions.TOPICS), rng.choice((None, *opinions.OPINIONS))
    opening = "" if stated is None else f" I {stated} {topic},"
    return f" User:{opening} what do you think of {topic}? Assistant:"
