"""Ten latents: some whose names predict them on other texts, some that no list of concepts predicts."""

import pytest
import torch

from mi_tutor.lab.dictionaries import best_f1, score_a_label
from mi_tutor.lab.ground.device import seeded
from mi_tutor.specimens.atlas.nameless import (
    FITS_NOT,
    MOST,
    N_NAMELESS,
    before_answers,
    handed_over,
    skill,
    ten_latents,
)


@pytest.fixture(scope="module")
def fresh():
    return before_answers(123_456)


def test_ten_latents_some_of_them_without_a_name():
    assert len(set(ten_latents())) == 10
    assert sum(each.name is None for each in handed_over()) == N_NAMELESS == 3
    assert all(1 <= len(each.name) <= MOST for each in handed_over() if each.name)
    names = [frozenset(each.name) for each in handed_over() if each.name]
    assert len(set(names)) == len(names)


def test_names_predict_their_latents_on_other_texts(fresh):
    for each in handed_over():
        if each.name:
            columns = [fresh.concepts.index(concept) for concept in each.name]
            said = fresh.labels[:, columns].any(dim=1)
            assert score_a_label(said, fresh.on[:, each.latent]).f1 > 0.77, each


def test_no_pair_of_concepts_predicts_the_nameless(fresh):
    """Every pair is tried: the greedy search overlooked nothing."""
    for each in handed_over():
        if each.name is None:
            on = fresh.on[:, each.latent, None]
            for first in fresh.labels.T:
                f1, _ = best_f1((fresh.labels | first[:, None]).float(), on, thresholds=False)
                assert skill(f1.max().item(), on[:, 0]) < FITS_NOT


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.9])
def test_everywhere_has_no_skill_and_a_perfect_name_has_all(rate):
    on = torch.rand(2000, generator=seeded(0)) < rate
    everywhere = score_a_label(torch.ones_like(on), on).f1
    assert skill(everywhere, on) == pytest.approx(0, abs=1e-6)
    assert skill(1.0, on) == 1
