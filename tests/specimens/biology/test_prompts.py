"""The prompts of chapter 08: what differs in a pair, and who is in which fold."""

import random

import pytest
import torch

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.biology import (
    ASKED,
    PHENOMENA,
    VIEW_PLACE,
    VIEWS,
    asks,
    atlas_questions,
    opinion_talks,
    pairs_of,
    people_questions,
    sums_of,
    then_asked,
    two_asks,
    views,
)
from mi_tutor.specimens.biology.echoes_prompts import WORDS
from mi_tutor.specimens.biology.phenomena import a_sum


@pytest.mark.parametrize("questions", [people_questions, atlas_questions])
def test_nobody_is_in_two_folds_and_both_kinds_are_in_each(questions):
    some = questions(seen=True)
    assert len({*zip(some.people.tolist(), some.folds.tolist(), strict=True)}) == len(
        some.people.unique()
    )
    for fold in (0, 1):
        known = some.asked.known[some.folds == fold]
        assert known.any()
        assert not known.all()
    assert torch.isin(some.asked.right[some.asked.known], torch.tensor(some.answers)).all()
    assert not torch.isin(some.asked.right[~some.asked.known], torch.tensor(some.answers)).any()


def test_new_strangers_are_no_old_ones():
    old, new = (people_questions(seen).asked for seen in (True, False))
    rows = ({tuple(row) for row in each.tokens[~each.known].tolist()} for each in (old, new))
    assert not set.intersection(*rows)


@pytest.mark.parametrize("form", list(VIEWS)[1:])
def test_views_have_the_stated_verb_at_its_place_and_against_the_own_one(form):
    said = views(form)
    assert said.tokens[:, VIEW_PLACE].equal(said.stated)
    assert (said.stated != said.own).all()
    assert len(views(form, against=False).tokens) == 2 * len(said.tokens)


@pytest.mark.parametrize(("word", "place"), [("deed", 6), ("thing", 8)])
def test_asks_differ_in_one_word(word, place):
    some = asks(word, n=20)
    differ = (some.harmful != some.harmless).nonzero()[:, 1]
    assert differ.unique().tolist() == [place]


def test_two_asks_differ_where_they_should():
    neither, first, second = (
        two_asks(*which, n=20) for which in ((False, False), (True, False), (False, True))
    )
    assert (neither != first).any(dim=0).nonzero()[:, 0].tolist() == [6]
    assert (neither != second).any(dim=0).nonzero()[:, 0].tolist() == [13]


@pytest.mark.parametrize(
    ("phenomenon", "condition"),
    [(name, condition) for name in PHENOMENA for condition in PHENOMENA[name]],
)
def test_pairs_are_fresh_for_each_seed_and_differ_in_one_thing(phenomenon, condition):
    one, again, other = (pairs_of(phenomenon, condition, seed, n=12) for seed in (0, 0, 1))
    assert one.tokens.equal(again.tokens)
    assert not one.tokens.equal(other.tokens)
    differ = (one.tokens != one.others).sum(dim=1)
    assert differ.min() >= 1
    if condition not in ("two hops", "people"):  # a name has several pieces
        assert differ.max() <= (2 if condition == "both" else 1)


def test_sums_are_read_from_tokens():
    texts = [a_sum(random.Random(seed), "both")[0] for seed in range(20)]
    tokens = torch.tensor([[0, *tokenizer().encode(text)] for text in texts])
    added = [sum(int(word) for word in text.split() if word.isdigit()) for text in texts]
    assert sums_of(tokens).tolist() == added


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("held_out", [True, False])
def test_talks_tell_every_wrong_answer_from_the_right_one(asked, held_out):
    some = opinion_talks(asked, held_out, n=40)
    opinions = torch.stack([some.asker, some.other, some.elsewhere, some.cited, some.own])
    assert all(len(set(each)) == 5 for each in opinions.T.tolist())
    assert some.tokens[torch.arange(40), some.place].equal(some.asker)
    assert not some.tokens.equal(opinion_talks(asked, held_out, n=40, seed=1).tokens)


def test_asked_then_a_talk_goes_on_with_what_the_asker_says():
    some = opinion_talks("the asker hears, and has said", n=3)
    text = WORDS.hugging_face.decode(then_asked(some)[0].tolist())
    on, topic, name = text.split(" hears ")[0].split()[-3:]
    own = WORDS.hugging_face.decode([int(some.own[0])])
    assert text.endswith(f" {on} {topic} {name} hears{own}. {on} {topic} {name} says")
