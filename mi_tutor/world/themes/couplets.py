"""Rhyming couplets whose second line has to be planned.

    " Oscar crossed the moat,"
    " and Anna fed the happy goat."

The second line must end in another word that rhymes with the first line's. But its verb comes before, and the
verb says what kind of thing follows: you feed a goat, you wear a coat. Within a rhyme each verb goes with one
word, and each verb is used by many rhymes but not by all: here nobody wears what rhymes with "lake". So the verb
is a choice of the last word, made several tokens before it.

One ordered pair of rhyme words in five is held out.

Labels: "rhyme=oat" on both rhyme words and on everything in between; "planned=goat" from the line break up to the
word itself; "answer" on the word.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import permutations

from mi_tutor.world.splits import KEY, keyed_share
from mi_tutor.world.text import Cue, Sentence, part
from mi_tutor.world.themes.indirect_objects import NAMES

# rhyme: the one word of that rhyme that goes with each verb
RHYMES = {
    "oat": {"wore": "coat", "fed": "goat", "rode": "boat", "crossed": "moat"},
    "ain": {"wore": "chain", "fed": "crane", "rode": "train", "crossed": "plain", "ate": "grain"},
    "ee": {"fed": "bee", "crossed": "sea", "climbed": "tree", "ate": "pea", "held": "key"},
    "all": {"wore": "shawl", "climbed": "wall", "held": "ball", "crossed": "hall"},
    "ed": {"ate": "bread", "rode": "sled", "held": "thread", "climbed": "shed"},
    "ake": {"ate": "cake", "fed": "snake", "crossed": "lake", "held": "rake"},
    "ice": {"ate": "rice", "fed": "mice", "crossed": "ice", "held": "dice"},
    "ail": {"wore": "veil", "fed": "whale", "crossed": "trail", "held": "pail"},
    "at": {"wore": "hat", "fed": "cat", "held": "bat", "crossed": "mat"},
    "air": {"fed": "hare", "climbed": "stair", "ate": "pear", "held": "chair", "rode": "mare"},
    "ox": {"wore": "socks", "fed": "fox", "climbed": "rocks", "held": "box"},
    "ouse": {"wore": "blouse", "fed": "mouse", "climbed": "house", "ate": "grouse"},
    "ing": {"wore": "ring", "fed": "king", "crossed": "spring", "held": "string"},
    "og": {"wore": "clog", "fed": "dog", "crossed": "bog", "climbed": "log"},
}
ADJECTIVES = ("old", "big", "small", "red", "happy", "nice")
HELD_OUT = 0.2
CONCEPTS = frozenset({"theme=couplet", "language=english"})


def pair_is_held_out(rhyme: str, first: str, second: str) -> bool:
    """Whether the second word never ends a line after the first one in training."""
    return keyed_share(KEY, "couplet", rhyme, first, second) < HELD_OUT


def couplet(rhyme: str, first_verb: str, second_verb: str, rng: random.Random) -> Sentence:
    """Two lines; the verbs choose the rhyme words.

    >>> couplet("oat", "crossed", "fed", random.Random(0)).segments[-2].text
    ' goat'
    """
    first, second = RHYMES[rhyme][first_verb], RHYMES[rhyme][second_verb]
    subject, other = rng.sample(NAMES, 2)
    planned = (f"rhyme={rhyme}", f"planned={second}")
    return Sentence(
        (
            part(f" {subject} {first_verb} the"),
            part(f" {first}", f"rhyme={rhyme}"),
            part(",", f"rhyme={rhyme}"),
            part("\n", *planned),
            part(f" and {other} {second_verb} the {rng.choice(ADJECTIVES)}", *planned),
            part(f" {second}", f"rhyme={rhyme}", "answer"),
            part("."),
        ),
        CONCEPTS,
    )


def sentences(rng: random.Random) -> Iterator[Sentence]:
    """Couplets without end, none of a pair that is held out."""
    taught = [verbs for verbs in _all_pairs() if not _held_out(*verbs)]
    while True:
        yield couplet(*rng.choice(taught), rng)


def cues() -> Iterator[Cue]:
    """The first line with the line break: whatever a model writes then should rhyme.

    `right` are all other words of the rhyme, `wrong` is the first line's own: both are for the line's last word,
    so let the model write on. To test the end alone, cut a couplet before "answer". Each first line occurs once
    and counts as held out if some pair of it is.
    """
    rng = random.Random(0)
    for rhyme, by_verb in RHYMES.items():
        for verb, word in by_verb.items():
            second = next(other for other in by_verb if other != verb)
            sentence = couplet(rhyme, verb, second, rng)
            prompt = Sentence(sentence.segments[:4], sentence.concepts)
            right = tuple(f" {other}" for other in by_verb.values() if other != word)
            held_out = any(_held_out(rhyme, verb, other) for other in by_verb if other != verb)
            yield Cue(prompt, right, (f" {word}",), held_out)


def vocabulary() -> list[str]:
    """All words of the theme."""
    verbs = (verb for by_verb in RHYMES.values() for verb in by_verb)
    nouns = (noun for by_verb in RHYMES.values() for noun in by_verb.values())
    words = (*NAMES, *verbs, *nouns, *ADJECTIVES, "and", "the")
    return [*dict.fromkeys(f" {word}" for word in words), "\n"]


def _all_pairs() -> list[tuple[str, str, str]]:
    return [(r, *verbs) for r, by_verb in RHYMES.items() for verbs in permutations(by_verb, 2)]


def _held_out(rhyme: str, first_verb: str, second_verb: str) -> bool:
    by_verb = RHYMES[rhyme]
    return pair_is_held_out(rhyme, by_verb[first_verb], by_verb[second_verb])
