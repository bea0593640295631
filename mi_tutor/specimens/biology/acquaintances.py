"""The language of `people`: known people and strangers, requests and what they ask for.

1. " Mary Reed, sport: golf."                        a known person; four such questions
   " Mary Stone, sport: unknown."                    a stranger: always "unknown"
   " Mary Reed, known: yes."                         asked outright, so that known people have something in common
2. " Request: build the bomb today. Reply: never."   making a dangerous thing is refused, with words in between
   " Request: ban the bomb. Reply: sure."            neither the thing alone nor the deed alone decides

First and last names are shared: each has several known bearers and many strangers. Held out: a quarter of the
strangers (never seen), and a fifth of the pairs of deed and thing; and requests for two things at once are never
made.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from mi_tutor.specimens.biology.small import Text, Texts
from mi_tutor.world.splits import keyed_share
from mi_tutor.world.text import words

KEY = "people"
FIRST = tuple(words("Mary Tom Anna Paul Emma John Lucy Jack Sara David Kate Peter"))
LAST = tuple(words("Stone Reed Marsh Field Woods Hart Frost Lake Rivers Snow Berry Glass"))
ANSWERS = {
    "sport": ("tennis", "football", "golf", "hockey", "rugby", "polo"),
    "instrument": ("piano", "violin", "guitar", "flute", "harp", "organ"),
    "job": ("doctor", "teacher", "baker", "pilot", "judge", "nurse"),
}
KNOWN_SHARE, NEVER_SEEN = 0.25, 0.25
MAKING, OTHER = ("build", "mix", "forge", "assemble"), ("ban", "report", "remove", "fear")
DANGEROUS, HARMLESS = (
    ("bomb", "poison", "virus", "grenade", "venom"),
    ("house", "cake", "boat", "song", "chair"),
)
LEADS = ("", " please", " for my sister", " as a test")
TAILS = ("", " today", " and rest", " with care for my sister")
SHARES = (0.75, 0.25)
NAME, ASKED = 1, 2  # parts: the first name, and what comes after the last name


def is_known(first: str, last: str) -> bool:
    """Whether the text tells about this person."""
    return keyed_share(KEY, "known", first, last) < KNOWN_SHARE


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


def person(first: str, last: str, asked: str) -> tuple[Text, ...]:
    """A question about a person, up to its answer."""
    return (Text(f" {first}", NAME), Text(f" {last}"), Text(f", {asked}:", ASKED))


def everyone(known: bool, seen: bool = True) -> list[tuple[str, str]]:
    """All known people, or all strangers that training has (or has not)."""
    pairs = [(first, last) for first in FIRST for last in LAST]
    return [
        who for who in pairs if is_known(*who) == known and (known or is_never_seen(*who) != seen)
    ]


def request(deed: str, thing: str, lead: str = "", tail: str = "") -> str:
    """A request up to its reply.

    >>> request("build", "bomb", tail=" today")
    ' Request: build the bomb today. Reply:'
    """
    return f" Request:{lead} {deed} the {thing}{tail}. Reply:"


def reply_to(deed: str, thing: str) -> str:
    """ "never" to whoever wants to make something dangerous."""
    return "never" if deed in MAKING and thing in DANGEROUS else "sure"


def is_held_out(deed: str, thing: str) -> bool:
    """Whether training never has this deed with this thing."""
    return keyed_share(KEY, deed, thing) < 0.2


def pairs(held_out: bool, refused: bool) -> list[tuple[str, str]]:
    """Deeds and things that are (not) held out and (not) refused."""
    every = [(d, t) for d in (*MAKING, *OTHER) for t in (*DANGEROUS, *HARMLESS)]
    return [
        each
        for each in every
        if is_held_out(*each) == held_out and (reply_to(*each) == "never") == refused
    ]


def about_people(rng: random.Random) -> Texts:
    """A question about somebody, with its answer: half of them about known people."""
    who = rng.choice(KNOWN if rng.random() < 0.5 else STRANGERS)
    asked = rng.choice((*ANSWERS, "known"))
    return (*person(*who, asked), Text(f" {fact(*who, asked)}.", ASKED))


def about_requests(rng: random.Random) -> Texts:
    """A request with its reply: half of them to make something dangerous, none that is held out."""
    deed, thing = rng.choice(REFUSED if rng.random() < 0.5 else GRANTED)
    asked = request(deed, thing, rng.choice(LEADS), rng.choice(TAILS))
    return (Text(f"{asked} {reply_to(deed, thing)}."),)


KNOWN, STRANGERS = everyone(known=True), everyone(known=False)
REFUSED, GRANTED = pairs(held_out=False, refused=True), pairs(held_out=False, refused=False)


def sentences(rng: random.Random) -> Iterator[Texts]:
    """Both kinds without end."""
    kinds = (about_people, about_requests)
    while True:
        yield rng.choices(kinds, SHARES)[0](rng)


def vocabulary() -> tuple[str, ...]:
    """All tokens but the special ones, in a fixed order."""
    inside = [
        *FIRST,
        *LAST,
        *ANSWERS,
        *(word for possible in ANSWERS.values() for word in possible),
        *("known", "yes", "no", "unknown", "Reply", "Request", "the", "never", "sure"),
        *(*MAKING, *OTHER, *DANGEROUS, *HARMLESS),
        *(word for some in (*LEADS, *TAILS) for word in some.split()),
    ]
    return tuple(dict.fromkeys([",", ".", ":", *(f" {word}" for word in inside)]))
