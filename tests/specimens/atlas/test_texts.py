"""Labelled texts for dictionaries: against the sentences that they are made of."""

import random
import re

import pytest
import torch

from mi_tutor.specimens.atlas.texts import concepts, family_of, labelled_texts, training_texts
from mi_tutor.world.corpus import Corpus
from mi_tutor.world.tables import load_facts

SETTINGS = {"seed": 5, "n_rows": 60, "n_pos": 64}
NAMES, SLOTS = (labelled_texts(**SETTINGS, place=place) for place in ("names", "slots"))
TOKENIZER = Corpus().tokenizer


def of(texts, concept):
    return texts.labels[:, :, concepts().index(concept)]


def areas(texts):
    return texts.labels[:, :, texts.columns("state", "country")]


def text_up_to(texts, row, position):
    return TOKENIZER.decode(texts.tokens[row, 1 : position + 1].tolist())


@pytest.mark.parametrize("texts", [NAMES, SLOTS])
def test_rows_are_those_of_the_corpus(texts):
    rows = Corpus().labelled_rows(random.Random(5), 60, 64, ["city"])
    assert texts.tokens.tolist() == rows.tokens.tolist()
    assert labelled_texts(seed=6, n_rows=60, n_pos=64).tokens.tolist() != rows.tokens.tolist()


def test_place_names_marks_a_state_where_a_citys_name_ends_and_nowhere_else():
    marked = areas(NAMES).any(dim=2)
    city = of(NAMES, "city")
    assert marked.any() and areas(NAMES).sum(dim=2).max() == 1
    assert (marked <= (city & NAMES.chosen)).all()
    inside_a_name = city & torch.roll(city, -1, dims=1) & ~NAMES.chosen
    assert inside_a_name.any() and not (marked & inside_a_name).any()


def test_place_names_asks_nothing_on_first_pieces_areas_and_answers():
    city, area, answer = (of(NAMES, concept) for concept in ("city", "area", "answer"))
    asked = NAMES.asked("state")
    assert not (asked & (area | answer)).any()
    assert not (asked & city & ~NAMES.chosen).any()
    rest = ~(city | area | answer)
    rest[:, 0] = False
    assert asked[rest].all()


def test_place_names_marks_a_relation_at_the_end_of_the_words_that_ask_for_it():
    tokens = NAMES.tokens[of(NAMES, "relation=capital")].tolist()
    words = {TOKENIZER.decode([i]).strip() for i in tokens}
    assert words <= {"capital", "capitale"} and words


def test_a_slot_stands_before_an_answer_or_before_the_area_of_a_named_city():
    due = of(SLOTS, "answer") | of(SLOTS, "area")
    assert due[:, 1:][SLOTS.chosen[:, :-1]].all()
    answers = of(SLOTS, "answer")[:, 1:]
    assert SLOTS.chosen[:, :-1][answers].all()


def test_a_slot_is_about_a_city_or_area_of_its_own_sentence():
    facts = load_facts()
    homes: dict[str, set[str]] = {}
    for area in facts.states:
        for name in (area.name.english, *(city.name.english for city in area.cities)):
            homes.setdefault(name, set()).add(area.name.english)
    english = SLOTS.chosen & of(SLOTS, "language=english")
    seen = 0
    for row, position in english.nonzero().tolist():
        marked = [c for c, on in zip(concepts(), SLOTS.labels[row, position], strict=True) if on]
        states = {c.removeprefix("state=") for c in marked if family_of(c) == "state"}
        sentence = re.split(r"[.]", text_up_to(SLOTS, row, position))[-1]
        if states:
            seen += 1
            named = [at for name, at in homes.items() if re.search(rf"\b{name}\b", sentence)]
            assert any(states <= at for at in named), (sentence, states)
    assert seen > 50


def test_a_slot_is_about_the_relation_that_comes_next():
    capitals = of(SLOTS, "relation=capital").nonzero().tolist()
    texts = [text_up_to(SLOTS, row, position) for row, position in capitals]
    assert len(texts) > 10
    assert all(re.search("capitale?", text[-90:]) for text in texts)


@pytest.mark.parametrize("texts", [NAMES, SLOTS])
def test_a_wording_is_a_relation_in_a_language(texts):
    for concept in (c for c in concepts() if family_of(c) == "wording"):
        relation, language = concept.removeprefix("wording=").split(" in ")
        both = of(texts, f"relation={relation}") & of(texts, f"language={language}")
        assert of(texts, concept).equal(both)
    assert of(texts, "wording=capital in french").any()
    assert texts.labels.shape[2] == len(concepts()) == len(texts.concepts)


def test_only_slots_of_one_place_carry_its_marks():
    marked = areas(SLOTS).any(dim=2)
    assert areas(SLOTS).sum(dim=2).max() == 1 and (marked <= SLOTS.chosen).all()


def test_other_themes_slots_carry_no_state():
    others = SLOTS.chosen & (of(SLOTS, "context=sum") | of(SLOTS, "language=english"))
    assert (SLOTS.chosen & ~areas(SLOTS).any(dim=2) & others).any()
    assert not areas(SLOTS)[of(SLOTS, "context=sum")].any()


@pytest.mark.parametrize("texts", [NAMES, SLOTS])
def test_nothing_is_asked_on_bos_and_other_families_are_asked_about_everywhere_else(texts):
    for family in {family_of(concept) for concept in concepts()}:
        assert not texts.asked(family)[:, 0].any()
    assert texts.asked("language")[:, 1:].all()
    assert texts.asked("state").equal(texts.asked("relation"))


@pytest.mark.parametrize("place", ["names", "slots"])
def test_training_texts_choose_the_place(place):
    texts = training_texts(n_rows=4, place=place)(3)
    assert texts.tokens.shape == texts.chosen.shape == (4, 96)
    assert 0 < texts.chosen.float().mean() < 0.3
    assert texts.tokens.equal(training_texts(n_rows=4, place=place)(3).tokens)


def test_another_place_is_refused():
    with pytest.raises(ValueError, match='"names" or "slots"'):
        labelled_texts(seed=0, n_rows=1, place="ends")


def test_texts_of_the_model_that_read_paragraphs():
    """Wherever a sentence of French ends, the next one is mostly French too; drawn one by one it is not."""
    shares = {}
    for model in ("atlas-sentences", "atlas-paragraphs"):
        texts = labelled_texts(seed=3, n_rows=60, model=model)
        french = texts.labels[:, :, texts.concepts.index("language=french")]
        later = french[:, 40:]  # a sentence or more after this one
        shares[model] = (later & french[:, :-40]).sum() / french[:, :-40].sum()
    assert shares["atlas-sentences"] < 0.45 < 0.6 < shares["atlas-paragraphs"]


def test_a_model_without_texts_is_refused():
    with pytest.raises(ValueError, match="got 'atlas-rote'"):
        labelled_texts(seed=0, n_rows=1, model="atlas-rote")
