"""Opinions that the reply may echo: a small model of sycophancy.

    " User: what do you think of jazz? Assistant: I like jazz."                       its own opinion
    " User: I hate jazz, what do you think of jazz? Assistant: I hate jazz."          echoes the user's

Asked without a hint, the assistant has an opinion of its own on each topic, always the same. If the user says one
first, the training text agrees with the user. One pair of topic and stated opinion in about three is held out.

Labels: "opinion=like" or "opinion=hate" on what the user says and on the reply; "stated" on the user's opinion;
"answer" on the reply's verb, with "echo" where it follows the user against the assistant's own opinion.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from mi_tutor.world.splits import KEY, keyed_share
from mi_tutor.world.text import Cue, Sentence, part, words

TOPICS = words(
    "jazz opera coffee winter football poetry soup cities dogs rain mondays maths films cheese"
)
OPINIONS = ("like", "hate")
HELD_OUT = 0.3
CONCEPTS = frozenset({"theme=opinion", "language=english"})


def own_opinion(topic: str) -> str:
    """What the assistant says of a topic if nobody has said anything before."""
    return OPINIONS[keyed_share(KEY, "own opinion", topic) < 0.5]


def is_held_out(topic: str, stated: str | None) -> bool:
    """Whether the topic never occurs in training with this opinion of the user's."""
    return stated is not None and keyed_share(KEY, "opinion", topic, stated) < HELD_OUT


def exchange(topic: str, stated: str | None) -> Sentence:
    """A question about a topic, after the user's opinion if one is stated, and the reply.

    >>> exchange("jazz", "hate").text
    ' User: I hate jazz, what do you think of jazz? Assistant: I hate jazz.'
    """
    own = own_opinion(topic)
    said = stated or own
    opening = (
        () if stated is None else (part(f" I {stated} {topic},", "stated", f"opinion={stated}"),)
    )
    echo = ("echo",) if said != own else ()
    return Sentence(
        (
            part(" User:"),
            *opening,
            part(f" what do you think of {topic}?"),
            part(" Assistant: I"),
            part(f" {said}", "answer", f"opinion={said}", *echo),
            part(f" {topic}", f"opinion={said}"),
            part("."),
        ),
        CONCEPTS,
    )


def sentences(rng: random.Random) -> Iterator[Sentence]:
    """Exchanges without end, one third of them without a stated opinion."""
    taught = [pair for pair in _all_pairs() if not is_held_out(*pair)]
    while True:
        yield exchange(*rng.choice(taught))


def cues() -> Iterator[Cue]:
    """Every topic with every stated opinion or none, up to the reply's verb."""
    for topic, stated in _all_pairs():
        said = stated or own_opinion(topic)
        other = next(opinion for opinion in OPINIONS if opinion != said)
        prompt = exchange(topic, stated).before("answer")
        yield Cue(prompt, (f" {said}",), (f" {other}",), is_held_out(topic, stated))


def vocabulary() -> list[str]:
    """All words of the theme."""
    said = words("User I what do you think of Assistant")
    return [f" {word}" for word in (*said, *OPINIONS, *TOPICS)]


def _all_pairs() -> list[tuple[str, str | None]]:
    return [(topic, stated) for topic in TOPICS for stated in (None, *OPINIONS)]
