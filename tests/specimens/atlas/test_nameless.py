"""Ten latents: eight whose names predict them on other texts, two that no list of concepts predicts."""

import pytest

from mi_tutor.lab.dictionaries import best_f1, score_a_label
from mi_tutor.specimens.atlas.nameless import (
    FITS_NOT,
    MOST,
    N_NAMELESS,
    before_answers,
    handed_over,
    ten_latents,
)


@pytest.fixture(scope="module")
def fresh():
    return before_answers(123_456)


def test_ten_latents_two_of_them_without_a_name():
    assert len(set(ten_latents())) == 10
    assert sum(each.name is None for each in handed_over()) == N_NAMELESS == 2
    assert all(1 <= len(each.name) <= MOST for each in handed_over() if each.name)
    names = [frozenset(each.name) for each in handed_over() if each.name]
    assert len(set(names)) == len(names)


def test_names_predict_their_latents_on_other_texts(fresh):
    for each in handed_over():
        if each.name:
            columns = [fresh.concepts.index(concept) for concept in each.name]
            said = fresh.labels[:, columns].any(dim=1)
            assert score_a_label(said, fresh.on[:, each.latent]).f1 > 0.85, each


def test_no_pair_of_concepts_predicts_the_nameless(fresh):
    """Every pair is tried: the greedy search overlooked nothing."""
    for each in handed_over():
        if each.name is None:
            on = fresh.on[:, each.latent, None]
            for first in fresh.labels.T:
                f1, _ = best_f1((fresh.labels | first[:, None]).float(), on, thresholds=False)
                assert f1.max() < FITS_NOT + 0.1
