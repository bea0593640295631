"""Prompts that end where a reply is due, or anywhere in atlas's own text."""

import torch

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.crosscoders import replies_due
from mi_tutor.specimens.crosscoders.replies import LONGEST
from mi_tutor.world.tokenizer import UNKNOWN

NAMES = {i: token for token, i in tokenizer().ids.items()}


def test_they_are_atlas_s_words_and_the_same_again():
    one, again, other = replies_due("test", 60), replies_due("test", 60), replies_due("other", 60)
    assert one.tokens.equal(again.tokens) and one.kinds == again.kinds
    assert not one.tokens[:, :9].equal(other.tokens[:, :9])
    assert not (one.tokens == tokenizer().ids[UNKNOWN]).any()
    assert one.tokens.shape[1] <= LONGEST + 1 and set(one.kinds) == {"request", "opinion", "other"}


def test_requests_and_opinions_end_at_the_assistant_and_padding_is_behind():
    some = replies_due("test", 60)
    for row, end, kind in zip(some.tokens.tolist(), some.end.tolist(), some.kinds, strict=True):
        if kind != "other":
            assert [NAMES[i] for i in row[end - 1 : end + 1]] == [" Assistant", ":"]
        assert not any(row[end + 1 :])
    assert (some.end >= 1).all() and torch.unique(some.end).numel() > 5
