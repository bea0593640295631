"""The language of `induction-1l` and `induction-2l`: what one layer can learn, and what takes two.

1. Text      "old fox hides small letter wakes brave ..."   adjective, noun, verb, adjective, ... without end
             Each word has three favourite words to be followed by. So the next word can be guessed from the
             present one alone (a bigram).
2. Repeats   "... door cow reads soft door cow reads soft door ..."   a random block of words, again and again
             The first time nothing can be predicted. After that everything can, but only by looking back.

Blocks have any length from 4 to 28 and begin anywhere, so a rule like "copy from ten words back" does not help.
"""

from __future__ import annotations

import random
from functools import cache
from itertools import accumulate
from math import log

BOS = "<|endoftext|>"  # begins every row, and stands for any word that is not in the vocabulary
SHORTEST, LONGEST = 4, 28  # words of a block


def words(text: str) -> list[str]:
    """A list of words, written as one string."""
    return text.split()


ADJECTIVES = words(
    "old young small big red blue green white black grey warm cold quick slow quiet loud soft hard dry wet "
    "dark bright sweet bitter round flat deep high thin thick clean dirty kind proud shy brave calm wild tame "
    "rich poor strong weak heavy light empty full fresh stale sharp blunt smooth rough plain odd early late "
    "happy sad tall"
)
NOUNS = words(
    "cat dog fox bear wolf horse cow sheep goat mouse bird owl crow duck goose hen fish frog snake bee king "
    "queen farmer baker sailor doctor miner child uncle aunt river lake sea hill forest garden field road "
    "bridge tower house door window table chair lamp clock book letter coin bread apple pear cheese soup boat "
    "train wagon hat drum"
)
VERBS = words(
    "sees finds hears loves likes wants needs takes brings sends gives sells buys keeps hides holds lifts "
    "drops throws catches follows leads chases meets helps thanks asks tells shows paints draws builds breaks "
    "mends moves turns opens closes washes reads cooks eats drinks tastes smells counts names calls greets "
    "guards carries pulls pushes cuts burns waters feeds wakes praises teaches"
)
KINDS = (ADJECTIVES, NOUNS, VERBS)  # each is followed by the next, verbs by adjectives again

N_FAVOURITES, FAVOURITE_SHARE = 3, 0.75


def vocabulary() -> list[str]:
    """All tokens: BOS, then the words. A token's place is its id."""
    return [BOS, *(word for kind in KINDS for word in kind)]


@cache
def favourites(word: str) -> tuple[str, ...]:
    """The three words that mostly follow a word: the same in every row, drawn by chance once and for all.

    >>> favourites("fox")
    ('lifts', 'pulls', 'guards')
    """
    return tuple(random.Random(f"after {word}").sample(kind_after(word), N_FAVOURITES))


@cache
def kind_after(word: str) -> list[str]:
    """All words that can follow a word: nouns after an adjective, verbs after a noun, adjectives after a verb."""
    return next(KINDS[(i + 1) % 3] for i, kind in enumerate(KINDS) if word in kind)


def next_word_chances(word: str) -> dict[str, float]:
    """The true probability of each word that can follow `word` in text.

    Three times in four one of its favourites, otherwise any word of its kind, common ones more often (Zipf's
    law: the word in place r of its list with a weight of 1 / r).

    >>> round(sum(next_word_chances("fox").values()), 6)
    1.0
    """
    following = kind_after(word)
    total = sum(1 / (rank + 1) for rank in range(len(following)))
    chances = {
        each: (1 - FAVOURITE_SHARE) / (rank + 1) / total for rank, each in enumerate(following)
    }
    for favourite in favourites(word):
        chances[favourite] += FAVOURITE_SHARE / N_FAVOURITES
    return chances


@cache
def next_word_entropy(word: str) -> float:
    """The entropy of the next word, in nats: no model can have a lower loss on text, on average."""
    return -sum(chance * log(chance) for chance in next_word_chances(word).values())


@cache
def drawing(word: str) -> tuple[list[str], list[float]]:
    """`next_word_chances` as words and cumulative weights, which is what random.choices wants."""
    chances = next_word_chances(word)
    return list(chances), list(accumulate(chances.values()))


def text(n_words: int, rng: random.Random) -> list[str]:
    """Words of running text. The first one may be of any kind, so that a position says nothing about its word.

    >>> " ".join(text(6, random.Random(1)))
    'bee opens young wolf leads dry'
    """
    said = [rng.choice(vocabulary()[1:])]
    for _ in range(n_words):
        following, weights = drawing(said[-1])
        said += rng.choices(following, cum_weights=weights)
    return said[1:]


def repeats(n_words: int, rng: random.Random) -> list[str]:
    """Some text, then a random block of different words, none of them in the text, until the row is full.

    At least two copies of the block fit in. n_words: at least 2 * SHORTEST.
    """
    n_block = rng.randint(SHORTEST, min(LONGEST, n_words // 2))
    before = text(rng.randint(0, n_words - 2 * n_block), rng)
    said = set(before)
    block = rng.sample([word for word in vocabulary()[1:] if word not in said], n_block)
    n_copies = 1 + n_words // n_block
    return (before + block * n_copies)[:n_words]
