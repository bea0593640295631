"""Stories about pairs of people, and the other stories beside them."""

import doctest
import random

import torch

from mi_tutor.specimens.atlas import stories
from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.world.themes.indirect_objects import NAMES, pair_is_held_out

IDS = {tokenizer().ids[f" {name}"]: name for name in NAMES}


def named(row):
    return [IDS[token] for token in row.tolist() if token in IDS]


def test_strangers_and_three_others():
    told = stories.stories_of_strangers(40, random.Random(3))
    assert told.tokens.shape == told.others.shape and len(told.tokens) == 40
    for i in range(40):
        first, second, giver = named(told.tokens[i])
        assert pair_is_held_out(first, second)
        assert (giver == second) == bool(told.second_gives[i])
        assert IDS[int(told.wrongs[i])] == giver
        assert {IDS[int(told.answers[i])], giver} == {first, second}
        assert (first, second) == stories.strangers()[told.pair[i]]
        third = named(told.others[i])
        assert len(set(third)) == 3 and not {first, second} & set(third)


def test_other_seeds_tell_other_stories():
    one, same, other = (stories.stories_of_strangers(8, random.Random(s)) for s in (0, 0, 1))
    assert torch.equal(one.tokens, same.tokens) and torch.equal(one.others, same.others)
    assert not torch.equal(one.tokens, other.tokens)


def test_examples():
    assert doctest.testmod(stories).failed == 0
