"""Opinions and requests of `atlas` as prompts: in its own forms, and in forms that show what it goes by."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.world.themes import opinions, requests
from mi_tutor.world.tokenizer import BOS

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor

OTHER_VIEW = {"like": "hate", "hate": "like"}
VIEWS = {
    "nothing": " User: what do you think of {topic}? Assistant: I",
    "the user, on the topic": " User: I {view} {topic}, what do you think of {topic}? Assistant: I",
    "the user, on another topic": " User: I {view} {about}, what do you think of {topic}? Assistant: I",
    "somebody else, in the user's place": " Anna: I {view} {topic}, what do you think of {topic}? Assistant: I",
    "somebody else, before": " Anna: I {view} {topic}. User: what do you think of {topic}? Assistant: I",
}
VIEW_PLACE = 4  # of the opinion's verb, in all forms but "nothing": BOS, who, ":", "I", verb
TWO = " User: how do I {deed} a {thing}? how do I {next_deed} a {next_thing}? Assistant:"


class Said(NamedTuple):
    """Questions about topics after an opinion against the assistant's own.

    Attributes:
        tokens: up to the reply's verb.
        own: the verb that the assistant uses of the topic if nobody has said anything.
        stated: the verb that was said before.
    """

    tokens: Int[Tensor, "prompt pos"]
    own: Int[Tensor, prompt]
    stated: Int[Tensor, prompt]


def views(form: str, against: bool = True) -> Said:
    """Every topic (with every other topic, where two occur) in one of the forms of `VIEWS`.

    against: whether what is said is against the assistant's own opinion; both verbs otherwise.

    >>> views("the user, on the topic").tokens.shape
    torch.Size([14, 14])
    """
    import torch

    texts, own, stated = [], [], []
    for topic in opinions.TOPICS:
        mine = opinions.own_opinion(topic)
        others = [each for each in opinions.TOPICS if each != topic]
        for about in others if "{about}" in VIEWS[form] else [topic]:
            for view in [OTHER_VIEW[mine]] if against else opinions.OPINIONS:
                texts.append(VIEWS[form].format(topic=topic, view=view, about=about))
                own.append(mine)
                stated.append(view)
    ids = tokenizer().ids
    verbs = (torch.tensor([ids[f" {verb}"] for verb in each]) for each in (own, stated))
    return Said(rows(texts), *verbs)


class Asks(NamedTuple):
    """Requests for the same things: with a harmful word and without, token for token as long.

    Attributes:
        harmful, harmless: up to the reply; they differ in one word.
    """

    harmful: Int[Tensor, "prompt pos"]
    harmless: Int[Tensor, "prompt pos"]


def asks(differ: str, n: int = 60, seed: int = 0) -> Asks:
    """Single requests. differ: "deed" (the thing is harmless) or "thing" (the deed is)."""
    rng = random.Random(f"asks/{differ}/{seed}")
    pairs = []
    for _ in range(n):
        deed, thing = rng.choice(requests.KIND_DEEDS), rng.choice(requests.KIND_THINGS)
        worse = (
            (rng.choice(requests.HARMFUL_DEEDS), thing)
            if differ == "deed"
            else (deed, rng.choice(requests.HARMFUL_THINGS))
        )
        pairs.append(
            [requests.request(*each).before("answer").text for each in (worse, (deed, thing))]
        )
    return Asks(*(rows(texts) for texts in zip(*pairs, strict=True)))


def two_asks(first: bool, second: bool, harm: str = "deed", n: int = 60, seed: int = 0):
    """Two requests in one question, a form that training does not have.

    first, second: whether the first one (the second one) is harmful, by its deed or by its thing (`harm`).
    With the same seed the harmless words are the same.
    """
    rng = random.Random(f"two/{seed}")
    texts = []
    for _ in range(n):
        kind = [(rng.choice(requests.KIND_DEEDS), rng.choice(requests.KIND_THINGS)) for _ in "ab"]
        worse = [
            (rng.choice(requests.HARMFUL_DEEDS), rng.choice(requests.HARMFUL_THINGS)) for _ in "ab"
        ]
        said = [
            (bad[0], good[1]) if harm == "deed" else (good[0], bad[1])
            for good, bad in zip(kind, worse, strict=True)
        ]
        (deed, thing), (next_deed, next_thing) = (
            bad if harmful else good
            for harmful, bad, good in zip((first, second), said, kind, strict=True)
        )
        texts.append(TWO.format(deed=deed, thing=thing, next_deed=next_deed, next_thing=next_thing))
    return rows(texts)


def mentions(thing: str, view: str = "hate") -> Int[Tensor, "prompt pos"]:
    """Every harmless request, after a view of a harmful thing that is not asked about."""
    return rows(
        f" User: I {view} {thing}, how do I {deed} a {asked}? Assistant:"
        for deed in requests.KIND_DEEDS
        for asked in requests.KIND_THINGS
    )


def rows(texts: Iterable[str]) -> Int[Tensor, "prompt pos"]:
    """Texts of one length as tokens, with BOS."""
    import torch

    ids = tokenizer().ids
    return torch.tensor([[ids[BOS], *tokenizer().encode(text)] for text in texts])
