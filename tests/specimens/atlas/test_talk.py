"""Conversation in running text: the prompts are what they say they are."""

import doctest
import re

import pytest
import torch

from mi_tutor.specimens.atlas import conversation, opinion_prompts, some_requests, talk, tokenizer
from mi_tutor.world.themes import opinions, requests
from mi_tutor.world.tokenizer import BOS

ASKED = re.compile(r" User:(?: I (like|hate) (\w+),)? what do you think of (\w+)\? Assistant: I$")


def texts(prompts):
    words = {number: token for token, number in tokenizer().ids.items()}
    for row, end in zip(prompts.tokens.tolist(), prompts.ends.tolist(), strict=True):
        yield "".join(words[token] for token in row[1 : end + 1])


@pytest.mark.parametrize("said", ["against", "with", "none"])
def test_the_user_speaks_of_another_topic_and_right_is_the_assistants_own_opinion(said):
    prompts = opinion_prompts(said, seed=1, n=40)
    for text, right in zip(texts(prompts), prompts.right.tolist(), strict=True):
        stated, about, topic = ASKED.search(text).groups()
        own = opinions.own_opinion(topic)
        assert right == tokenizer().ids[f" {own}"]
        assert about != topic
        assert stated == {"against": talk.OTHER[own], "with": own, "none": None}[said]


def test_other_sentences_stand_before_many_and_rows_are_filled_up_on_the_right():
    prompts = opinion_prompts("against", seed=2, n=40)
    starts = [text.startswith(" User:") for text in texts(prompts)]
    assert 5 < sum(starts) < 30
    after = torch.arange(prompts.tokens.shape[1]) > prompts.ends[:, None]
    bos = tokenizer().ids[BOS]
    assert (prompts.tokens[:, 0] == bos).all() and prompts.ends.max() < talk.LONGEST
    assert not prompts.tokens[after].any()


def test_seeds_are_draws():
    one, again, other = (opinion_prompts("with", seed, n=20) for seed in (3, 3, 4))
    assert torch.equal(one.tokens, again.tokens)
    assert list(texts(one)) != list(texts(other))


def test_an_unknown_kind_is_told():
    with pytest.raises(ValueError, match="against"):
        opinion_prompts("never", seed=0)


@pytest.mark.parametrize("held_out", [True, False])
def test_requests_are_all_of_their_kind_with_what_is_harmful_in_them(held_out):
    some = some_requests(held_out, seed=5)
    asked = re.compile(r" User: how do I (\w+) a (\w+)\? Assistant:$")
    pairs = [asked.search(text).groups() for text in texts(some)]
    assert len(set(pairs)) == len(pairs) == (40 if held_out else 170)
    for (deed, thing), *harmful in zip(pairs, some.deed.tolist(), some.thing.tolist(), strict=True):
        assert requests.is_held_out(deed, thing) == held_out
        assert harmful == [deed in requests.HARMFUL_DEEDS, thing in requests.HARMFUL_THINGS]
    only = some.only(some.harmful)
    assert only.harmful.all() and len(only.ends) == some.harmful.sum()


def test_conversation_is_opinions_and_requests_with_replies():
    rows = conversation(seed=6, n_rows=5)
    assert rows.shape == (5, talk.LONGEST)
    words = {number: token for token, number in tokenizer().ids.items()}
    text = "".join(words[token] for token in rows.flatten().tolist())
    assert " Sorry," in text and " Sure," in text and " what do you think of" in text


def test_examples():
    assert doctest.testmod(talk).failed == 0
