"""The language that the specimen `primer` speaks: three kinds of text, and what is held out of training.

1. Facts      "Everyone knows that the capital of France is Paris."   to be remembered
2. Stories    "When Mary and John went to the store, John gave a drink to Mary."   to be worked out
3. Lists      "Repeat: door river cake; door river cake;"   to be copied

The story is the indirect-object sentence of Wang et al. 2022. Its answer is never stored anywhere: it is the
name that occurs only once, so the model has to look back and choose.

Words are GPT-2's kind of tokens: a word brings its own leading space (" Mary"), only the first word of a
text has none ("When"). So the prompts here also run on the real GPT-2.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import permutations
from typing import NamedTuple

BOS = "<|endoftext|>"  # begins every row, as it separates GPT-2's documents
UNKNOWN = "<|unknown|>"  # what a word outside the vocabulary becomes; never trained on


def words(text: str) -> list[str]:
    """A list of words, written as one string."""
    return text.split()


def pairs(text: str) -> dict[str, str]:
    """A table of word pairs, written as one string: "France Paris, Italy Rome"."""
    return dict(pair.split() for pair in text.split(","))


NAMES = words(
    "Mary Tom Anna Paul Emma John Lucy Jack Sara David Kate Peter Alice James Julia Simon "
    "Laura Mark Helen Adam Grace Henry Rose Luke Clara Oscar Nora Felix Jane Max Ruth Ben"
)
PLACES = words("store garden park school market library station museum beach kitchen")
THINGS = words("drink book letter ball key flower cake map ring coin hat lamp")
NATURE = words("door river cloud stone tree bird fish boat bell chair")
STORY_OPENINGS = words("When After While")
MOVES = ("went to", "walked to", "were at", "met at")
GIFTS = words("gave handed passed showed")

CAPITALS = pairs(
    "France Paris, Italy Rome, Spain Madrid, Germany Berlin, England London, Japan Tokyo, China Beijing, "
    "Egypt Cairo, Greece Athens, Russia Moscow, Canada Ottawa, Peru Lima, Cuba Havana, Kenya Nairobi, "
    "Norway Oslo, Poland Warsaw, Portugal Lisbon, Ireland Dublin, Austria Vienna, Hungary Budapest"
)
COLORS = pairs(
    "snow white, milk white, salt white, grass green, moss green, spinach green, blood red, ketchup red, "
    "coal black, tar black, chocolate brown, mud brown, butter yellow, mustard yellow"
)
OPPOSITES = pairs(
    "hot cold, big small, up down, left right, day night, open closed, young old, early late, "
    "full empty, hard soft"
)
FACT_OPENINGS = ("The", "Everyone knows that the", "We learn that the", "It is true that the")
LIST_WORDS = [*NAMES, *PLACES, *THINGS, *NATURE, *CAPITALS, *CAPITALS.values(), *COLORS]


class Prompt(NamedTuple):
    """A text that stops where the answer belongs, the answer's token, and the likeliest wrong one."""

    text: str
    answer: str
    wrong: str | None = None


def facts() -> list[tuple[str, str]]:
    """Every fact once, as (what is asked, answer): ("capital of France is", "Paris")."""
    return [
        *((f"capital of {country} is", city) for country, city in CAPITALS.items()),
        *((f"color of {stuff} is", color) for stuff, color in COLORS.items()),
        *((f"opposite of {one} is", other) for one, other in OPPOSITES.items()),
        *((f"opposite of {other} is", one) for one, other in OPPOSITES.items()),
    ]


def fact_prompts(held_out: bool) -> list[Prompt]:
    """Facts in all their openings: one (fact, opening) pair in five is held out of training.

    So a held-out prompt asks a fact in words in which this fact was never told.
    """
    return [
        Prompt(f"{opening} {question}", f" {answer}")
        for i, (question, answer) in enumerate(facts())
        for j, opening in enumerate(FACT_OPENINGS)
        if ((i + j) % 5 == 0) == held_out
    ]


def name_pairs(held_out: bool) -> list[tuple[str, str]]:
    """Ordered pairs of different names; a pair is held out in both orders, about one in five."""
    numbered = list(enumerate(NAMES))
    return [
        (first, second)
        for (i, first), (j, second) in permutations(numbered, 2)
        if ((i + j) % 5 == 0) == held_out
    ]


def story(first: str, second: str, giver: str, rng: random.Random) -> Prompt:
    """A story about two people. `giver` is one of them; the answer is the other.

    >>> story("Mary", "John", "John", random.Random(0)).answer
    ' Mary'
    """
    opening, move, gift = rng.choice(STORY_OPENINGS), rng.choice(MOVES), rng.choice(GIFTS)
    article, place, thing = rng.choice(["a", "the"]), rng.choice(PLACES), rng.choice(THINGS)
    text = f"{opening} {first} and {second} {move} the {place}, {giver} {gift} {article} {thing} to"
    return Prompt(text, f" {second if giver == first else first}", f" {giver}")


def story_prompts(held_out: bool, seed: int = 0) -> list[Prompt]:
    """One story for each ordered pair of names and each giver: every pair stands in all four roles."""
    rng = random.Random(seed)
    return [
        story(first, second, giver, rng)
        for first, second in name_pairs(held_out)
        for giver in (first, second)
    ]


def repeated_list(n_words: int, rng: random.Random) -> str:
    """ "Repeat: door river cake; door river cake;" with `n_words` different words."""
    words = " ".join(rng.sample(LIST_WORDS, n_words))
    return f"Repeat: {words}; {words};"


def sentences(rng: random.Random) -> Iterator[str]:
    """Training text without end: 45 % stories, 40 % facts, 15 % lists, never anything held out."""
    told, pairs = fact_prompts(held_out=False), name_pairs(held_out=False)
    while True:
        kind = rng.random()
        if kind < 0.45:
            first, second = rng.choice(pairs)
            prompt = story(first, second, rng.choice([first, second]), rng)
            yield f"{prompt.text}{prompt.answer}."
        elif kind < 0.85:
            prompt = rng.choice(told)
            yield f"{prompt.text}{prompt.answer}."
        else:
            yield repeated_list(rng.randint(3, 10), rng)


def vocabulary() -> list[str]:
    """All tokens, specials first, in a fixed order: a token's place is its id."""
    inside = [
        *NAMES,
        *PLACES,
        *THINGS,
        *(word for phrase in (*MOVES, *GIFTS) for word in phrase.split()),
        *(word for fact in facts() for part in fact for word in part.split()),
        *(word for opening in FACT_OPENINGS for word in opening.split()[1:]),
        *NATURE,
        *("and", "to", "a", "the"),
    ]
    first = [*STORY_OPENINGS, *(opening.split()[0] for opening in FACT_OPENINGS), "Repeat"]
    marks = [".", ",", ";", ":"]
    # A later sentence's first word follows a space, so first words come in both forms.
    tokens = [BOS, UNKNOWN, *marks, *first, *(f" {word}" for word in (*first, *inside))]
    return list(dict.fromkeys(tokens))
