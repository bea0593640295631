"""Talks of `echoes` as prompts: everything but the asker's own opinion would be another answer."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.biology import echoes
from mi_tutor.specimens.biology.echoes import CITES, HEARS, SAYS, Remark
from mi_tutor.specimens.biology.small import BOS, Words

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor

WORDS = Words(echoes.vocabulary())
SENTENCE = 6  # tokens: On, topic, name, verb, opinion, full stop
# What is asked in the end: the verb, of whom, and what the asker does with an opinion on the topic before.
ASKED = {
    "the asker hears, and has said": (HEARS, "asker", SAYS),
    "the asker hears, and has not": (HEARS, "asker", CITES),
    "the asker says": (SAYS, "asker", SAYS),
    "the other says": (SAYS, "other", SAYS),
}


class Talks(NamedTuple):
    """Talks of five sentences and an opening, all of one length; the next token is due at their end.

    Attributes:
        tokens: the talks.
        asker, other, elsewhere, cited, own: the opinions that could be told, all different: what the asker said
            of the topic (or cited), what somebody else said of it, what the asker said of another topic, what the
            other cited of the topic, and what the assistant thinks of it.
        right: the answer.
        place: where the asker's opinion of the topic stands.
    """

    tokens: Int[Tensor, "prompt pos"]
    asker: Int[Tensor, prompt]
    other: Int[Tensor, prompt]
    elsewhere: Int[Tensor, prompt]
    cited: Int[Tensor, prompt]
    own: Int[Tensor, prompt]
    right: Int[Tensor, prompt]
    place: Int[Tensor, prompt]


def opinion_talks(asked: str, held_out: bool = True, n: int = 240, seed: int = 0) -> Talks:
    """Talks that end in one of `ASKED`. held_out: whether training never had the asker with the topic.

    >>> some = opinion_talks("the asker hears, and has said", n=4)
    >>> bool((some.right == some.asker).all()), some.tokens.shape[1]
    (True, 35)
    """
    import torch

    rng = random.Random(f"{seed}/{held_out}")
    made = [_one(rng, asked, held_out) for _ in range(n)]
    return Talks(*(torch.tensor(each) for each in zip(*made, strict=True)))


def then_asked(some: Talks) -> Int[Tensor, "prompt pos"]:
    """The talks with the assistant's own opinion as the reply, and asked then what the asker says of the topic.

    The reply's place stays where it was, and the right answer is `some.asker`.
    """
    import torch

    on, topic, name = (some.tokens[:, -4 + i] for i in range(3))
    ids = (WORDS.ids["."], WORDS.ids[f" {SAYS}"])
    stop, says = (torch.full_like(on, each) for each in ids)
    after = torch.stack([some.own, stop, on, topic, name, says], dim=1)
    return torch.cat([some.tokens, after], dim=1)


def _one(rng: random.Random, asked: str, held_out: bool) -> tuple:
    """One talk: tokens, the opinions, the answer, the place."""
    verb, who, asker_does = ASKED[asked]
    while True:
        asker, other = rng.sample(echoes.NAMES, 2)
        topic, another = rng.sample(echoes.TOPICS, 2)
        met = [(other, topic), (asker, another), (other, another)]
        if echoes.is_never_told(asker, topic) == held_out and not any(
            echoes.is_never_told(*pair) for pair in met
        ):
            break
    own = echoes.own_opinion(topic)
    its, others, elsewhere, cited = rng.sample([o for o in echoes.OPINIONS if o != own], 4)
    key = Remark(topic, asker, asker_does, its)
    told = [
        key,
        Remark(topic, other, SAYS, others),
        Remark(another, asker, SAYS, elsewhere),
        Remark(topic, other, CITES, cited),
        Remark(another, other, SAYS, rng.choice(echoes.OPINIONS)),
    ]
    rng.shuffle(told)
    end = Remark(topic, asker if who == "asker" else other, verb, "").opening
    tokens = [WORDS.ids[BOS], *WORDS.encode("".join(remark.text for remark in told) + end)]
    opinions = [WORDS.ids[f" {o}"] for o in (its, others, elsewhere, cited, own)]
    right = {SAYS: opinions[0 if who == "asker" else 1], HEARS: opinions[0]}[verb]
    if verb == HEARS and asker_does == CITES:
        right = opinions[-1]
    return tokens, *opinions, right, 1 + SENTENCE * told.index(key) + 4
