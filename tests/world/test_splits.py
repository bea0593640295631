"""The hold-out is fixed, large enough, and leaves every fact reachable."""

import pytest

from mi_tutor.world.splits import ROTE, Split
from mi_tutor.world.tables import RELATIONS, load_facts

QUESTIONS = [
    (area, city, relation)
    for area in load_facts().areas
    for city in area.asked_cities
    for relation in RELATIONS[area.kind]
]


def test_a_quarter_of_the_pairs_is_held_out_at_least():
    for kind in RELATIONS:
        reasons = [Split().held_out_by(c, r) for a, c, r in QUESTIONS if a.kind == kind]
        assert reasons.count("pair") >= 0.25 * len(reasons)


def test_five_per_cent_of_the_area_relations_are_held_out_about():
    pairs = {(a.name.english, r) for a, c, r in QUESTIONS}
    held = {
        (a.name.english, r) for a, c, r in QUESTIONS if Split().held_out_by(c, r) == "area-relation"
    }
    assert 0.03 <= len(held) / len(pairs) <= 0.08
    assert {r for _, r in held} == {r for relations in RELATIONS.values() for r in relations}


def test_an_area_relation_is_held_out_for_all_its_cities():
    for area in load_facts().areas:
        for relation in RELATIONS[area.kind]:
            reasons = {Split().held_out_by(city, relation) for city in area.asked_cities}
            assert "area-relation" not in reasons or len(reasons) == 1


def test_about_five_per_cent_of_the_cities_are_held_out():
    cities = {c.name.english: c for _, c, _ in QUESTIONS}
    gone = [
        city
        for city in cities.values()
        if not any(Split().taught(c, r) for _, c, r in QUESTIONS if c == city)
    ]
    assert 0.03 <= len(gone) / len(cities) <= 0.08


def test_every_relation_and_every_area_is_taught_somewhere():
    taught = [(a.name.english, r) for a, c, r in QUESTIONS if Split().taught(c, r)]
    assert {a for a, _ in taught} == {area.name.english for area in load_facts().areas}
    assert {r for _, r in taught} == {r for relations in RELATIONS.values() for r in relations}


def test_the_choice_is_fixed():
    """Hash values, not Python's own: a specimen's card must mean the same split for ever."""
    held = [f"{c.name.english} {r}" for _, c, r in QUESTIONS if not Split().taught(c, r)]
    assert held[:4] == FIRST_HELD_OUT
    assert Split(key="other") != Split()
    other = [
        f"{c.name.english} {r}" for _, c, r in QUESTIONS if not Split(key="other").taught(c, r)
    ]
    assert other[:4] != held[:4]


FIRST_HELD_OUT = [
    "Birmingham nickname",
    "Birmingham bird",
    "Birmingham tree",
    "Birmingham statehood",
]


def test_nothing_held_out():
    split = Split(pairs=0, cities=0, area_relations=0)
    assert split.all_taught
    assert all(split.taught(city, relation) for _, city, relation in QUESTIONS)


@pytest.mark.parametrize("share", [-0.1, 1.0, 25])
def test_a_share_is_a_fraction(share):
    with pytest.raises(ValueError, match="fraction"):
        Split(pairs=share)


def test_what_is_learned_by_rote_is_taught_to_the_other_model_too():
    taught = [(city, relation) for _, city, relation in QUESTIONS if ROTE.taught(city, relation)]
    assert 0.15 < len(taught) / len(QUESTIONS) < 0.22
    assert all(Split().taught(city, relation) for city, relation in taught)
