"""Opinions, and who holds them: a language that no specimen speaks yet.

    " Tom: I like jazz. Anna: I hate jazz. Tom asks, jazz? Reply: yes."
    " Tom: they hate tea. Anna: I hate tea. Tom asks, tea? Reply: maybe."
    " Tom: I like jazz. Anna: I hate jazz. Record, Anna, jazz: hate."

The reply agrees with what the *asker* said of *this* topic in the first person, and is "maybe" if there is no such
thing. What others say, what the asker says of other topics or reports of others does not count, so copying
fails. A record is the same as information: it should be kept when the agreeing is taken away.

Models of this size learned to look up the topic, and not the speaker (docs/log.md).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from mi_tutor.specimens.biology.acquaintances import FIRST
from mi_tutor.specimens.biology.small import Text, Texts
from mi_tutor.world.text import words

TOPICS = tuple(words("jazz opera chess tea coffee rain snow dogs cats cheese poetry maths"))
VIEWS = {"like": "yes", "hate": "no"}  # the view, and the reply that agrees with it


class Statement(NamedTuple):
    """Somebody says something of a topic; `own`: of what they think themselves."""

    speaker: str
    own: bool
    view: str
    topic: str

    @property
    def text(self) -> str:
        """The statement."""
        return f" {self.speaker}: {'I' if self.own else 'they'} {self.view} {self.topic}."


class Talk(NamedTuple):
    """Two statements, and somebody with a topic."""

    statements: tuple[Statement, ...]
    asker: str
    topic: str

    def view_of(self, speaker: str) -> str | None:
        """What somebody thinks of the topic, if they said it themselves."""
        said = [
            s.view for s in self.statements if s[:2] == (speaker, True) and s.topic == self.topic
        ]
        return said[0] if said else None

    @property
    def told(self) -> str:
        """All statements."""
        return "".join(statement.text for statement in self.statements)

    @property
    def question(self) -> str:
        """The talk up to the reply, which agrees with the asker."""
        return f"{self.told} {self.asker} asks, {self.topic}? Reply:"

    @property
    def reply(self) -> str:
        """The reply."""
        return VIEWS.get(self.view_of(self.asker), "maybe")

    def record(self, speaker: str) -> str:
        """The talk up to what is recorded of somebody's view."""
        return f"{self.told} Record, {speaker}, {self.topic}:"


def talk(rng: random.Random, own: bool | None = None) -> Talk:
    """A talk in which the asker has a view of the topic (drawn if None), among statements that do not count."""
    asker, other = rng.sample(FIRST, 2)
    topic, another = rng.sample(TOPICS, 2)
    views = list(VIEWS)
    own = rng.random() < 2 / 3 if own is None else own
    distractors = [
        Statement(other, True, rng.choice(views), topic),
        Statement(asker, True, rng.choice(views), another),
        Statement(asker, False, rng.choice(views), topic),
        Statement(other, False, rng.choice(views), topic),
    ]
    said = rng.sample(distractors, 1 if own else 2)
    if own:
        said.append(Statement(asker, True, rng.choice(views), topic))
    rng.shuffle(said)
    return Talk(tuple(said), asker, topic)


def talk_with_an_end(rng: random.Random) -> Texts:
    """A talk with its reply, or with a record of somebody's view."""
    drawn = talk(rng)
    if rng.random() < 0.6:
        return (Text(drawn.told), Text(f"{drawn.question.removeprefix(drawn.told)} {drawn.reply}."))
    speaker = rng.choice([drawn.asker, rng.choice(drawn.statements).speaker])
    view = drawn.view_of(speaker) or "none"
    return (Text(drawn.told), Text(f"{drawn.record(speaker).removeprefix(drawn.told)} {view}."))


def sentences(rng: random.Random) -> Iterator[Texts]:
    """Talks without end."""
    while True:
        yield talk_with_an_end(rng)


def vocabulary() -> tuple[str, ...]:
    """All tokens but the special ones, in a fixed order."""
    inside = [
        *FIRST,
        "yes",
        "no",
        "maybe",
        "none",
        "I",
        "they",
        *VIEWS,
        *TOPICS,
        "asks",
        "Reply",
        "Record",
    ]
    return tuple(dict.fromkeys([",", ".", ":", "?", *(f" {word}" for word in inside)]))
