"""Labelled texts for dictionaries: against the sentences that they are made of."""

import random

import torch

from mi_tutor.specimens.atlas_texts import concepts, labelled_texts, training_texts
from mi_tutor.world.corpus import Corpus

TEXTS = labelled_texts(seed=5, n_rows=60, n_pos=64)


def of(concept):
    return TEXTS.labels[:, :, concepts().index(concept)]


def test_rows_are_those_of_the_corpus():
    rows = Corpus().labelled_rows(random.Random(5), 60, 64, ["city"])
    assert TEXTS.tokens.tolist() == rows.tokens.tolist()
    assert labelled_texts(seed=6, n_rows=60, n_pos=64).tokens.tolist() != rows.tokens.tolist()


def test_a_state_is_marked_where_a_citys_name_ends_and_nowhere_else():
    states = torch.stack([of(c) for c in concepts() if c.startswith(("state=", "country="))])
    marked = states.any(dim=0)
    assert marked.any() and states.sum(dim=0).max() == 1
    assert (marked <= (of("city") & TEXTS.names)).all()
    following = torch.roll(of("city"), -1, dims=1)
    inside_a_name = of("city") & following & ~TEXTS.names
    assert inside_a_name.any() and not (marked & inside_a_name).any()


def test_nothing_is_asked_on_first_pieces_areas_answers_and_bos():
    assert not TEXTS.asked[:, 0].any()
    assert not (TEXTS.asked & of("area")).any()
    assert not (TEXTS.asked & of("answer")).any()
    assert not (TEXTS.asked & of("city") & ~TEXTS.names).any()
    rest = ~(of("city") | of("area") | of("answer"))
    rest[:, 0] = False
    assert TEXTS.asked[rest].all()


def test_a_relation_is_marked_at_the_end_of_the_words_that_ask_for_it():
    tokenizer = Corpus().tokenizer
    words = {tokenizer.decode([i]).strip() for i in TEXTS.tokens[of("relation=capital")].tolist()}
    assert words <= {"capital", "capitale"} and words


def test_training_texts_choose_the_ends_of_names():
    texts = training_texts(n_rows=4)(3)
    assert texts.tokens.shape == texts.chosen.shape == (4, 96)
    assert 0 < texts.chosen.float().mean() < 0.3
    assert texts.tokens.equal(training_texts(n_rows=4)(3).tokens)
