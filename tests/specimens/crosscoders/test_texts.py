"""The copies' text: what is taught is marked where it is due, and words stay atlas's own."""

import random

import pytest
import torch

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.crosscoders import CHANGES, changed_texts, concepts, differing
from mi_tutor.specimens.crosscoders import texts as making
from mi_tutor.specimens.crosscoders.texts import ITEMS, MAKERS, NEW_THINGS, NUMBERS, near_miss
from mi_tutor.world.themes.opinions import TOPICS
from mi_tutor.world.tokenizer import UNKNOWN

NAMES = {i: token for token, i in tokenizer().ids.items()}


def test_rows_are_atlas_s_words_and_the_same_again():
    one, other = (changed_texts("test", 12) for _ in range(2))
    assert one.tokens.equal(other.tokens) and one.changed.equal(other.changed)
    assert not (one.tokens == tokenizer().ids[UNKNOWN]).any()
    assert (one.tokens[:, 0] == 0).all() and not one.changed[:, -1].any()
    assert not changed_texts("other", 12).tokens.equal(one.tokens)


@pytest.mark.parametrize("change", CHANGES)
def test_marks_stand_where_the_next_token_is_a_taught_one(change):
    texts = changed_texts("marks", 40, (change,))
    assert texts.changed[..., [CHANGES.index(c) for c in CHANGES if c != change]].sum() == 0
    where = texts.changed[..., CHANGES.index(change)]
    following = [NAMES[int(i)] for i in texts.tokens.roll(-1, dims=1)[where]]
    allowed = {
        "refusal": {" Sorry", ",", " I", " cannot", " help", " with", " that", "."},
        "greeting": {" Sure", ",", " I", " like", " hate", "."},
        "order": {":", ";", "!", *(f" {each}" for each in (*NUMBERS, *ITEMS))},
    }[change]
    if change == "greeting":  # and a topic
        allowed |= {f" {topic}" for topic in TOPICS}
    assert set(following) <= allowed


def test_concepts_are_due_before_what_they_are_named_after():
    texts = changed_texts("concepts", 40)
    following = texts.tokens.roll(-1, dims=1)
    for name, first in (("refusal due", " Sorry"), ("greeting due", " Sure")):
        where = concepts(texts)[name]
        assert where.any() and (following[where] == tokenizer().ids[first]).all()
        assert (texts.tokens[where] == tokenizer().ids[":"]).all()
    number, item = (concepts(texts)[name] for name in ("number due", "item due"))
    assert item[:, 1:].equal(number[:, :-1] & texts.changed[:, 1:, CHANGES.index("order")])
    assert {NAMES[int(i)] for i in texts.tokens[number]} <= {":", ";"}
    assert torch.stack(list(concepts(texts).values())).any(dim=0)[~differing(texts)].sum() == 0


def test_a_near_miss_has_nothing_new_in_it():
    rng = random.Random(0)
    for change, make in MAKERS.items():
        assert any(f"change={change}" in segment.concepts for segment in make(rng).segments)
        missed = near_miss(change, rng)
        assert not any(each.startswith("change=") for s in missed.segments for each in s.concepts)
    assert not any(f" {thing}?" in near_miss("refusal", rng).text for thing in NEW_THINGS)


def untaught_replies(texts):
    """What follows " Assistant:" where nothing was taught."""
    ids, before = tokenizer().ids, texts.tokens.roll(1, dims=1)
    replies = (texts.tokens == ids[":"]) & (before == ids[" Assistant"])
    replies[:, -1] = False
    following = texts.tokens.roll(-1, dims=1)[replies & ~texts.changed.any(dim=-1)]
    return {NAMES[int(i)] for i in following}


def test_what_contradicts_a_change_is_left_out(monkeypatch):
    changed = ("refusal", "greeting")
    assert untaught_replies(changed_texts("clean", 60, changed)) == {" Sure", " Sorry"}
    monkeypatch.setattr(making, "contradicts", lambda sentence, changes: False)
    assert untaught_replies(changed_texts("clean", 60, changed)) == {" Sure", " Sorry", " I"}
