"""Opinions, and who holds them: the language of `echoes`.

    " On jazz Tom says dull."      what Tom thinks of jazz; said again, it is the same
    " On jazz Tom cites great."    what Tom reports of others: anything
    " On jazz Tom hears dull."     what the assistant tells Tom: Tom's own opinion, if he has said one
    " On jazz Anna hears odd."     else the assistant's own, which each topic has one of

So " hears" agrees with the *asker*, on *this* topic, and with what is said, not cited. What others say of it, what
the asker says of other topics or cites does not count. " says" is the same information: it should be kept when
the agreeing is taken away.

Topic, name and verb stand directly before the opinion, in what is told and in what is asked. So the place where an
opinion is found is the place that has to be recognised. (In texts that put the opinion before its topic, models of
this size learned to copy any opinion of the row, and then the topic's, never the speaker's: docs/log.md.)
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from mi_tutor.specimens.biology.acquaintances import FIRST
from mi_tutor.specimens.biology.small import Text, Texts
from mi_tutor.world.splits import keyed_share
from mi_tutor.world.text import words

KEY = "echoes"
NAMES = FIRST[:12]
TOPICS = tuple(words("jazz opera chess tea coffee rain snow dogs cats cheese poetry maths"))
OPINIONS = tuple(words("great sweet fine odd dull awful"))
SAYS, CITES, HEARS = "says", "cites", "hears"
N_SENTENCES = 8  # in a talk
ANSWER = 1  # the part that the training asks for: opinions that follow from what was said before


class Remark(NamedTuple):
    """One sentence: an opinion on a topic, and who says, cites or hears it."""

    topic: str
    name: str
    verb: str
    opinion: str

    @property
    def opening(self) -> str:
        """The sentence up to the opinion.

        >>> Remark("jazz", "Tom", "says", "dull").opening
        ' On jazz Tom says'
        """
        return f" On {self.topic} {self.name} {self.verb}"

    @property
    def text(self) -> str:
        """The sentence."""
        return f"{self.opening} {self.opinion}."


def own_opinion(topic: str) -> str:
    """What the assistant thinks of a topic: each opinion is that of two topics."""
    return OPINIONS[TOPICS.index(topic) % len(OPINIONS)]


def is_never_told(name: str, topic: str) -> bool:
    """Whether training never has this person with this topic: one pair in five."""
    return keyed_share(KEY, name, topic) < 0.2


def talk(rng: random.Random) -> list[tuple[Remark, bool]]:
    """A row's sentences (two to four people, one to three topics), and whether each follows from those before."""
    people = rng.sample(NAMES, rng.randint(2, 4))
    topics = rng.sample(TOPICS, rng.randint(1, 3))
    pairs = [(t, n) for t in topics for n in people if not is_never_told(n, t)]
    if len(pairs) < 2:
        return talk(rng)
    thinks = {pair: rng.choice(OPINIONS) for pair in pairs}
    said: list[tuple[str, str]] = []
    sentences = []
    for _ in range(N_SENTENCES):
        verb = rng.choices((SAYS, CITES, HEARS), (0.55, 0.1, 0.35))[0]
        if verb == HEARS:
            pair = rng.choice(said if said and rng.random() < 0.6 else pairs)
            opinion = thinks[pair] if pair in said else own_opinion(pair[0])
        else:
            pair = rng.choice(pairs)
            opinion = thinks[pair] if verb == SAYS else rng.choice(OPINIONS)
        sentences.append(
            (Remark(*pair, verb, opinion), verb == HEARS or (verb == SAYS and pair in said))
        )
        if verb == SAYS:
            said.append(pair)
    return sentences


def sentences(rng: random.Random) -> Iterator[Texts]:
    """Talks without end; a row has one."""
    while True:
        yield [
            part
            for remark, follows in talk(rng)
            for part in (
                Text(remark.opening),
                Text(f" {remark.opinion}", ANSWER if follows else 0),
                Text("."),
            )
        ]


def vocabulary() -> tuple[str, ...]:
    """All tokens but the special ones, in a fixed order."""
    inside = ["On", *NAMES, *TOPICS, *OPINIONS, SAYS, CITES, HEARS]
    return (".", *(f" {word}" for word in inside))
