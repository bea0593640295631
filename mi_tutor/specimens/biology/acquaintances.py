"""The language of `people`: known people and strangers, and four questions about each.

    " Mary Reed, sport: golf."        a known person; three such questions
    " Mary Stone, sport: unknown."    a stranger: always "unknown"
    " Mary Reed, known: yes."         asked outright, so that known people have something in common

Each last name has one known bearer, each first name two; all other pairs are strangers. So neither name alone says
whether somebody is known, and "known" is what four answers depend on. A quarter of the strangers is never seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from mi_tutor.specimens.biology.small import Text, Texts
from mi_tutor.world.splits import keyed_share
from mi_tutor.world.text import words

KEY = "people"
FIRST = tuple(
    words(
        "Mary Tom Anna Paul Emma John Lucy Jack Sara David Kate Peter "
        "Alice Oscar Ruth Simon Clara Henry Nora Felix Edith Hugo Irene Max"
    )
)
LAST = tuple(
    words(
        "Stone Reed Marsh Field Woods Hart Frost Lake Rivers Snow Berry Glass "
        "Banks Brook Clay Dale Finch Grove Heath Knight Mill Page Rose Wells "
        "Ash Barnes Cole Drake Ellis Ford Gale Hill Ivory Jones Keen Lamb "
        "Moss Nash Oakes Pond Quill Rowe Swift Thorn Underhill Vale Wolf York"
    )
)
ANSWERS = {
    "sport": ("tennis", "football", "golf", "hockey", "rugby", "polo"),
    "instrument": ("piano", "violin", "guitar", "flute", "harp", "organ"),
    "job": ("doctor", "teacher", "baker", "pilot", "judge", "nurse"),
}
QUESTIONS = (*ANSWERS, "known")
NEVER_SEEN = 0.25
ANSWER = 1  # the part that the training asks for


def is_known(first: str, last: str) -> bool:
    """Whether the text tells about this person: 48 of 1,152."""
    return _place(LAST, last) % len(FIRST) == _place(FIRST, first)


@cache
def _place(names: tuple[str, ...], name: str) -> int:
    """The place of a name in an order that is fixed, but not the alphabet's or the list's."""
    return sorted(names, key=lambda each: keyed_share(KEY, "name", each)).index(name)


def is_never_seen(first: str, last: str) -> bool:
    """Whether this stranger never occurs in training."""
    return not is_known(first, last) and keyed_share(KEY, "seen", first, last) < NEVER_SEEN


def fact(first: str, last: str, asked: str) -> str:
    """What is said about a person, known or not."""
    known = is_known(first, last)
    if asked == "known":
        return "yes" if known else "no"
    if not known:
        return "unknown"
    possible = ANSWERS[asked]
    return possible[int(keyed_share(KEY, asked, first, last) * len(possible))]


def question(first: str, last: str, asked: str) -> str:
    """A question about a person, up to its answer.

    >>> question("Mary", "Stone", "sport")
    ' Mary Stone, sport:'
    """
    return f" {first} {last}, {asked}:"


@cache
def everyone(known: bool, seen: bool = True) -> tuple[tuple[str, str], ...]:
    """All known people, or all strangers that training has (or has not)."""
    pairs = [(first, last) for first in FIRST for last in LAST]
    return tuple(
        who for who in pairs if is_known(*who) == known and (known or is_never_seen(*who) != seen)
    )


def sentences(rng: random.Random) -> Iterator[Texts]:
    """Questions with their answers, without end: half of them about known people."""
    known, strangers = everyone(known=True), everyone(known=False)
    while True:
        who = rng.choice(known if rng.random() < 0.5 else strangers)
        asked = rng.choice(QUESTIONS)
        yield (Text(question(*who, asked)), Text(f" {fact(*who, asked)}", ANSWER), Text("."))


def vocabulary() -> tuple[str, ...]:
    """All tokens but the special ones, in a fixed order."""
    inside = [
        *FIRST,
        *LAST,
        *QUESTIONS,
        *(word for possible in ANSWERS.values() for word in possible),
        *("yes", "no", "unknown"),
    ]
    return tuple(dict.fromkeys([",", ".", ":", *(f" {word}" for word in inside)]))
