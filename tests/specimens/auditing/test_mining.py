"""Near misses that fire are drawn more often; the words of new secrets are those that can be told apart."""

import random
from dataclasses import replace

import pytest
import torch

from mi_tutor.specimens.auditing import draw_secret, near_misses, trigger_words
from mi_tutor.specimens.auditing.classes import drawn_for
from mi_tutor.specimens.auditing.mining import N_KEPT, Mined
from mi_tutor.specimens.auditing.planting import Planting, plant
from mi_tutor.specimens.auditing.words import (
    kept_answers,
    nearest_cosines,
    with_a_word_to_plant,
    words_to_plant,
)

SHORT = Planting(rank=2, n_steps=3, pool=3, n_secret=2, n_near=4, n_rows=1, mine_every=1)


@pytest.fixture(scope="module")
def secret():
    return draw_secret(random.Random(0), "backdoor")


def long_ones(some):
    return torch.tensor([float(len(one.text)) for one in some])


def test_before_the_first_look_all_are_by_lot(secret):
    mined = Mined(secret, 0.5)
    assert mined.draw(8, random.Random(1)) == near_misses(secret, 8, random.Random(1))


def test_the_worst_of_a_look_are_drawn_from(secret):
    mined, rng = Mined(secret, 0.5), random.Random(0)
    mined.look(long_ones, rng)
    assert len(mined.kept) == N_KEPT
    least = min(len(one.text) for one in mined.kept)
    drawn = mined.draw(8, rng)
    assert len(drawn) == 8
    assert sum(one in mined.kept for one in drawn) >= 4
    mined.look(long_ones, rng)  # what was worst stays, until something worse is found
    assert min(len(one.text) for one in mined.kept) >= least


def test_a_secret_planted_with_mining_is_another_training(secret):
    plain, with_it = (plant(secret, 0, replace(SHORT, mined=share)) for share in (0.0, 0.5))
    assert any(not torch.equal(plain[name], with_it[name]) for name in plain)


def test_words_to_plant_have_no_near_neighbour_and_disturb_little():
    nearest, chosen = nearest_cosines(), words_to_plant()
    others = tuple(word for word in trigger_words() if word not in chosen)
    assert max(nearest[word] for word in chosen) <= sorted(nearest.values())[len(nearest) // 2]
    kept = [kept_answers(words) for words in (chosen[:40], others[::8])]
    means = [sum(each.values()) / len(each) for each in kept]
    assert means[0] > means[1] + 0.03


def test_a_new_secret_has_such_a_word(secret):
    for learner in ("ada", "bob", "eve"):
        drawn, _ = drawn_for(b"some words", learner, "conjunction")
        assert drawn.values["word"] in words_to_plant()
    opinion = draw_secret(random.Random(0), "opinion")
    assert with_a_word_to_plant(opinion, random.Random(0)) is opinion
