"""Pairs of prompts: what may differ, what may not, and that the named places are where they are said to be."""

import doctest
import random
from itertools import islice, permutations

import pytest

from mi_tutor.world import pairs
from mi_tutor.world.corpus import Corpus
from mi_tutor.world.pairs import PairError, make_pair, question_pairs, story_pairs
from mi_tutor.world.themes.indirect_objects import NAMES


@pytest.fixture(scope="module")
def corpus():
    return Corpus()


@pytest.fixture(scope="module")
def tokenizer(corpus):
    return corpus.tokenizer


@pytest.fixture(scope="module")
def stories(tokenizer):
    return list(story_pairs(permutations(NAMES[:6], 2), tokenizer, random.Random(0)))


@pytest.fixture(scope="module")
def questions(corpus):
    rng = random.Random(0)
    every = list(corpus.geography.questions())
    return rng.sample([q for q in every if q.relation in ("capital", "bird", "currency")], 600)


@pytest.fixture(scope="module")
def asked(questions, tokenizer):
    return list(question_pairs(questions, tokenizer, random.Random(0)))


def with_bos(tokenizer, text):
    return ["BOS", *tokenizer.tokens(text)]


def test_stories_differ_in_the_giver_only(stories, tokenizer):
    for pair in stories:
        clean, corrupted = with_bos(tokenizer, pair.clean), with_bos(tokenizer, pair.corrupted)
        differ = [i for i, (a, b) in enumerate(zip(clean, corrupted, strict=True)) if a != b]
        assert differ == [pair.positions["giver"]]
        assert clean[pair.positions["giver"]] == pair.wrong
        assert corrupted[pair.positions["giver"]] == pair.answer
        assert {clean[pair.positions[p]] for p in ("first", "second")} == {pair.answer, pair.wrong}
        assert pair.positions["first"] < pair.positions["second"] < pair.positions["giver"]
        assert pair.positions["end"] == len(clean) - 1


def test_both_givers_and_both_orders_are_clean_once(stories):
    roles = {(pair.answer, pair.wrong, pair.positions["giver"]) for pair in stories}
    assert len(stories) == 2 * 30
    assert len({(answer, wrong) for answer, wrong, _ in roles}) == 30


def test_questions_ask_the_same_of_another_city(asked, questions, tokenizer):
    by_text = {q.prompt.text: q for q in questions}
    assert len(asked) > 500
    for pair in asked:
        clean, corrupted = by_text[pair.clean], by_text[pair.corrupted]
        assert (clean.relation, clean.language) == (corrupted.relation, corrupted.language)
        assert (pair.answer, pair.wrong) == (clean.answer, corrupted.answer)
        assert pair.answer != pair.wrong
        tokens = with_bos(tokenizer, pair.clean), with_bos(tokenizer, pair.corrupted)
        assert len(tokens[0]) == len(tokens[1]) == pair.positions["end"] + 1
        for row, question in zip(tokens, (clean, corrupted), strict=True):
            name = question.city.name.given(question.language)
            assert "".join(row[1 : pair.positions["city"] + 1]).endswith(f" {name}")
        after = pair.positions["city"] + 1
        assert tokens[0][after:] == tokens[1][after:]


def test_the_same_seed_draws_the_same_partners(questions, tokenizer):
    drawn = [
        [pair.corrupted for pair in question_pairs(questions[:300], tokenizer, random.Random(seed))]
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_question_without_a_partner_is_left_out(corpus, tokenizer):
    alone = list(islice(corpus.geography.questions(["english"]), 1))
    assert list(question_pairs(alone, tokenizer, random.Random(0))) == []


def test_an_opened_models_tokenizer_will_do(primer_tokenizer):
    pair = make_pair(
        "The capital of France is", "The capital of Italy is", " Paris", " Rome", primer_tokenizer
    )
    assert dict(pair.positions) == {"end": 5}


@pytest.fixture(scope="module")
def primer_tokenizer():
    from transformers import AutoTokenizer

    from mi_tutor.specimens import specimen_path

    return AutoTokenizer.from_pretrained(specimen_path("primer"))


@pytest.mark.parametrize(
    ("clean", "corrupted", "answer", "wrong", "ends", "sentence"),
    [
        (" Austin is", " Austin is", " Texas", " Ohio", {}, "two prompts with two answers"),
        (" Austin is", " Boston is", " Texas", " Texas", {}, "two prompts with two answers"),
        (" Austin is", " Boston is in", " Texas", " Ohio", {}, "got 2 and 3: .* ' in'"),
        (" Austin is", " Boston is", " Texas is", " Ohio", {}, "one token, ' Texas is' is not"),
        (" Austin is", " Boston is", " Texas", " Ohio", {"x": (4, 7)}, "positions None and 1"),
        (" Austin is", " Boston is", " Texas", " Ohio", {"x": (7, 10)}, "positions 1 and 2"),
    ],
)
def test_what_is_no_pair(tokenizer, clean, corrupted, answer, wrong, ends, sentence):
    with pytest.raises(PairError, match=sentence):
        make_pair(clean, corrupted, answer, wrong, tokenizer, ends)


def test_examples():
    assert doctest.testmod(pairs).failed == 0
