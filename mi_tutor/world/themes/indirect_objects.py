"""Who receives it? The indirect-object sentence of Wang et al. 2022.

    " When Mary and John went to the store, John gave a drink to Mary."

The answer is stored nowhere: it is the name that occurs only once, so a model has to look back and choose. One
pair of names in five is held out, in both orders.

Labels: "name"; "giver" on both mentions of the one who gives, "receiver" on those of the other, "answer" on the
last.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import permutations

from mi_tutor.world.splits import KEY, keyed_share
from mi_tutor.world.text import Cue, Sentence, part, words

NAMES = words(
    "Mary John Anna Oscar Emma Paul Lucy Jack Sara David Kate Peter Alice Henry Julia Simon"
)
PLACES = words("store garden park school market library station museum beach kitchen")
THINGS = words("drink book letter flower map coin lamp gift apple pen cup basket")
OPENINGS = ("When", "After", "While")
MOVES = ("went to", "walked to", "were at", "met at")
GIFTS = ("gave", "handed", "passed", "showed")
HELD_OUT = 0.2
CONCEPTS = frozenset({"theme=indirect-object", "language=english"})


def pair_is_held_out(one: str, other: str) -> bool:
    """Whether stories about two people are kept out of training, whoever comes first."""
    return keyed_share(KEY, "indirect-object", *sorted((one, other))) < HELD_OUT


def story(first: str, second: str, giver: str, rng: random.Random) -> Sentence:
    """One story; `giver` is one of the two, the other receives.

    >>> story("Mary", "John", "John", random.Random(0)).segments[-2].text
    ' Mary'
    """
    receiver = second if giver == first else first

    def name(who: str, *more: str):
        return part(f" {who}", "name", "giver" if who == giver else "receiver", *more)

    return Sentence(
        (
            part(f" {rng.choice(OPENINGS)}"),
            name(first),
            part(" and"),
            name(second),
            part(f" {rng.choice(MOVES)} the {rng.choice(PLACES)},"),
            name(giver),
            part(f" {rng.choice(GIFTS)} a {rng.choice(THINGS)} to"),
            name(receiver, "answer"),
            part("."),
        ),
        CONCEPTS,
    )


def sentences(rng: random.Random) -> Iterator[Sentence]:
    """Stories without end about pairs that are taught."""
    pairs = [pair for pair in permutations(NAMES, 2) if not pair_is_held_out(*pair)]
    while True:
        first, second = rng.choice(pairs)
        yield story(first, second, rng.choice((first, second)), rng)


def cues() -> Iterator[Cue]:
    """One story for each ordered pair of names and each giver, up to the receiver."""
    rng = random.Random(0)
    for first, second in permutations(NAMES, 2):
        for giver, receiver in ((first, second), (second, first)):
            prompt = story(first, second, giver, rng).before("answer")
            held_out = pair_is_held_out(first, second)
            yield Cue(prompt, (f" {receiver}",), (f" {giver}",), held_out)


def vocabulary() -> list[str]:
    """All words of the theme."""
    phrases = (*NAMES, *PLACES, *THINGS, *OPENINGS, *MOVES, *GIFTS, "and the a to")
    return list(dict.fromkeys(f" {word}" for phrase in phrases for word in phrase.split()))
