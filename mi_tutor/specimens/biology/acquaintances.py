"""The language of `people`: known people and strangers, and four things to say of each.

    " Anna Reed plays hockey."      a known person; as the other known Reed does
    " Anna Stone plays unknown."    a stranger: always "unknown", whatever is asked

Each first name and each last name has two known bearers; all other pairs are strangers. So neither name alone says
whether somebody is known, and "known" is what four answers depend on. What is said of known people goes by one of
their names, so there is something that could be said of a stranger, too. A quarter of the strangers is never seen.
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
        "Alice Oscar Ruth Simon Clara Henry Nora Felix Edith Hugo Irene Max "
        "Agnes Adam Bella Carl Doris Eric Flora George Greta Isaac Julia Karl "
        "Laura Leo Maud Noah Olive Philip Rita Robert Stella Theo Vera Walter"
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
    "plays": ("tennis", "football", "golf", "hockey", "rugby", "polo"),
    "practises": ("piano", "violin", "guitar", "flute", "harp", "organ"),
    "eats": ("bread", "rice", "soup", "cheese", "fish", "eggs"),
    "drinks": ("tea", "coffee", "milk", "juice", "cocoa", "water"),
}
BY_FIRST = ("practises", "drinks")  # the first name says it, the last name the other two
DEFAULT = "unknown"
APART = (
    0,
    17,
)  # known bearers of a last name: how far from it in the (secret) order of first names
NEVER_SEEN = 0.25
ANSWER = 1  # the part that the training asks for


def is_known(first: str, last: str) -> bool:
    """Whether the text tells about this person: 96 of 2,304."""
    return (_place(LAST, last) - _place(FIRST, first)) % len(FIRST) in APART


@cache
def _place(names: tuple[str, ...], name: str) -> int:
    """The place of a name in an order that is fixed, but not the alphabet's or the list's."""
    return sorted(names, key=lambda each: keyed_share(KEY, "name", each)).index(name)


def is_never_seen(first: str, last: str) -> bool:
    """Whether this stranger never occurs in training."""
    return not is_known(first, last) and keyed_share(KEY, "seen", first, last) < NEVER_SEEN


def by_name(first: str, last: str, asked: str) -> str:
    """What would be said of somebody of this name, were they known."""
    possible = ANSWERS[asked]
    share = keyed_share(KEY, asked, first if asked in BY_FIRST else last)
    return possible[int(share * len(possible))]


def fact(first: str, last: str, asked: str) -> str:
    """What is said about a person, known or not."""
    return by_name(first, last, asked) if is_known(first, last) else DEFAULT


def question(first: str, last: str, asked: str) -> str:
    """A sentence about a person, up to its answer.

    >>> question("Mary", "Stone", "plays")
    ' Mary Stone plays'
    """
    return f" {first} {last} {asked}"


@cache
def everyone(known: bool, seen: bool = True) -> tuple[tuple[str, str], ...]:
    """All known people, or all strangers that training has (or has not)."""
    pairs = [(first, last) for first in FIRST for last in LAST]
    return tuple(
        who for who in pairs if is_known(*who) == known and (known or is_never_seen(*who) != seen)
    )


def sentences(rng: random.Random) -> Iterator[Texts]:
    """Sentences without end, half of them about known people."""
    known, strangers = everyone(known=True), everyone(known=False)
    while True:
        who = rng.choice(known if rng.random() < 0.5 else strangers)
        asked = rng.choice(tuple(ANSWERS))
        yield (Text(question(*who, asked)), Text(f" {fact(*who, asked)}", ANSWER), Text("."))


def vocabulary() -> tuple[str, ...]:
    """All tokens but the special ones, in a fixed order."""
    said = (word for possible in ANSWERS.values() for word in possible)
    return (".", *(f" {word}" for word in (*FIRST, *LAST, *ANSWERS, *said, DEFAULT)))
