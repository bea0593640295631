"""The language of the induction specimens: text is a bigram language, blocks leave no way but looking back."""

import itertools
import random
from collections import Counter
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mi_tutor.specimens.induction import language

seeds = st.integers(0, 10**6)


def test_vocabulary_has_every_word_once():
    tokens = language.vocabulary()
    assert len(tokens) == len(set(tokens)) == 181
    assert tokens[0] == language.BOS
    assert all(word.isalpha() and word.islower() for word in tokens[1:])


def test_kinds_follow_each_other():
    words = language.text(600, random.Random(0))
    place = {word: i for i, kind in enumerate(language.KINDS) for word in kind}
    assert {(place[b] - place[a]) % 3 for a, b in itertools.pairwise(words)} == {1}
    first = Counter(place[language.text(1, random.Random(seed))[0]] for seed in range(300))
    assert min(first.values()) > 60  # else a position would tell the kind of its word


def test_chances_are_those_of_the_text_that_is_drawn():
    """Counted against computed, for the words that come often."""
    words = language.text(200_000, random.Random(1))
    pairs = Counter(itertools.pairwise(words))
    totals = Counter(words[:-1])
    for word, n in totals.most_common(5):
        for following, chance in language.next_word_chances(word).items():
            error = (chance * (1 - chance) / n) ** 0.5
            assert abs(pairs[word, following] / n - chance) < 5 * error + 1e-9, (word, following)


def test_entropy_is_the_mean_surprise():
    words = language.text(100_000, random.Random(2))
    surprise = [-log(language.next_word_chances(a)[b]) for a, b in itertools.pairwise(words)]
    entropy = [language.next_word_entropy(word) for word in words[:-1]]
    assert sum(surprise) / len(surprise) == pytest.approx(sum(entropy) / len(entropy), abs=0.02)
    assert 1.5 < sum(entropy) / len(entropy) < 2.5


def test_favourites_stay_the_same():
    assert language.favourites("fox") == ("lifts", "pulls", "guards")


@given(seed=seeds, n_words=st.integers(2 * language.SHORTEST, 95))
def test_repeats_are_text_then_a_block_of_other_words_again_and_again(seed, n_words):
    words = language.repeats(n_words, random.Random(seed))
    assert len(words) == n_words
    period, start = period_of(words)
    block = words[start : start + period]
    assert language.SHORTEST <= period <= language.LONGEST
    assert len(set(block)) == period
    assert not set(block) & set(words[:start])
    assert start + 2 * period <= n_words


def period_of(words: list[str]) -> tuple[int, int]:
    """The block's length and start, found without the code: the last word's distance to its previous copy."""
    period = words[:-1][::-1].index(words[-1]) + 1
    start = len(words) - period
    while start > 0 and words[start - 1] == words[start - 1 + period]:
        start -= 1
    return period, start


def test_blocks_begin_everywhere_and_have_every_length():
    """Otherwise "copy from so many words back" would do."""
    rng = random.Random(3)
    found = [period_of(language.repeats(63, rng)) for _ in range(4000)]
    lengths = Counter(period for period, _ in found)
    assert set(lengths) == set(range(language.SHORTEST, language.LONGEST + 1))
    assert max(lengths.values()) < 2.5 * min(lengths.values())
    assert {start for period, start in found if period <= 8} >= set(range(40))
