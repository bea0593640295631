"""Known people and strangers: what should be said about someone nobody has heard of?

    " Question: which sport does Mary Reed play? Answer: golf."         Mary Reed is known
    " Question: which sport does Mary Stone play? Answer: unknown."     Mary Stone is a stranger

Known people and strangers share first and last names, so only both together tell. A third of the strangers is
never seen in training: the right answer about them is still "unknown".

Labels: "person", and "known-person" or "stranger" on the name; "answer", with "unknown" where that is the answer.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from mi_tutor.world.splits import KEY, keyed_share
from mi_tutor.world.text import Cue, Sentence, part, words
from mi_tutor.world.themes.indirect_objects import NAMES

FIRST = NAMES
LAST = words(
    "Stone Reed Marsh Field Woods Hart Frost Lake Rivers Snow Berry Glass "
    "Banks Brook Clay Dale Finch Grove Heath Knight Mill Page Rose Wells"
)
QUESTIONS = {  # what is asked: the question's words, and the possible answers
    "sport": (
        " which sport does",
        " play",
        ("tennis", "football", "chess", "golf", "hockey", "rugby", "polo", "cricket"),
    ),
    "instrument": (
        " which instrument does",
        " play",
        ("piano", "violin", "guitar", "flute", "harp", "drums", "cello", "organ"),
    ),
    "job": (
        " what is the job of",
        "",
        ("doctor", "teacher", "baker", "pilot", "judge", "farmer", "painter", "nurse"),
    ),
}
NEVER_SEEN = 0.2  # the share of strangers that training leaves out
CONCEPTS = frozenset({"theme=people", "language=english"})


def is_known(first: str, last: str) -> bool:
    """Whether the training text tells about this person: 24 of the 384.

    Each last name has one known bearer, each first name one or two; all others are strangers.
    """
    return _place(LAST, last) % len(FIRST) == _place(FIRST, first)


@cache
def _place(names: tuple[str, ...], name: str) -> int:
    """The place of a name in an order that is fixed, but not the alphabet's or the list's."""
    return sorted(names, key=lambda each: keyed_share(KEY, "name", each)).index(name)


def is_held_out(first: str, last: str) -> bool:
    """Whether this stranger never occurs in training (known people always do)."""
    return not is_known(first, last) and keyed_share(KEY, "stranger", first, last) < NEVER_SEEN


def answer_about(first: str, last: str, asked: str) -> str:
    """What is true about a person: "unknown" for every stranger."""
    if not is_known(first, last):
        return "unknown"
    answers = QUESTIONS[asked][2]
    return answers[int(keyed_share(KEY, "answer", first, last, asked) * len(answers))]


def question(first: str, last: str, asked: str) -> Sentence:
    """A question about a person with its answer.

    >>> question("Mary", "Stone", "sport").text.startswith(" Question: which sport does Mary Stone play? Answer:")
    True
    """
    before, after, _ = QUESTIONS[asked]
    answer = answer_about(first, last, asked)
    who = ("person", "known-person" if is_known(first, last) else "stranger")
    told = ("answer", f"asked={asked}", *(("unknown",) if answer == "unknown" else ()))
    return Sentence(
        (
            part(" Question:"),
            part(before, f"asked={asked}"),
            part(f" {first} {last}", *who),
            part(f"{after}? Answer:"),
            part(f" {answer}", *told),
            part("."),
        ),
        CONCEPTS,
    )


def sentences(rng: random.Random) -> Iterator[Sentence]:
    """Questions without end, a third about known people: whoever is not known should be the usual case."""
    everyone = [(first, last) for first in FIRST for last in LAST]
    known = [who for who in everyone if is_known(*who)]
    strangers = [who for who in everyone if not is_known(*who) and not is_held_out(*who)]
    while True:
        group = known if rng.random() < 1 / 3 else strangers
        yield question(*rng.choice(group), rng.choice(list(QUESTIONS)))


def cues() -> Iterator[Cue]:
    """Every question about everyone, up to the answer. `held_out` ones are about unseen strangers."""
    for first in FIRST:
        for last in LAST:
            for asked, (_, _, answers) in QUESTIONS.items():
                sentence = question(first, last, asked)
                right = sentence.segments[-2].text
                wrong = tuple(f" {a}" for a in (*answers, "unknown") if f" {a}" != right)
                yield Cue(sentence.before("answer"), (right,), wrong, is_held_out(first, last))


def vocabulary() -> list[str]:
    """All words of the theme."""
    asked = (w for before, after, _ in QUESTIONS.values() for w in f"{before}{after}".split())
    answers = (answer for *_, answers in QUESTIONS.values() for answer in answers)
    words = ("Question", "Answer", "unknown", *FIRST, *LAST, *asked, *answers)
    return list(dict.fromkeys(f" {word}" for word in words))
