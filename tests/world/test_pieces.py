"""Names are two shared pieces or more, so that no piece alone tells the area."""

import pytest

from mi_tutor.world.pieces import asked_names, cut, cut_names, unshared
from mi_tutor.world.tables import load_facts


@pytest.fixture(scope="module")
def cuts():
    return cut_names(asked_names())


def test_all_names_in_all_languages_are_cut(cuts):
    cities = [city for area in load_facts().areas for city in area.asked_cities]
    assert cuts.keys() == {name for city in cities for name in city.name}


def test_pieces_join_to_the_name(cuts):
    assert [name for name, pieces in cuts.items() if "".join(pieces) != f" {name}"] == []


def test_two_pieces_or_more_and_not_too_many(cuts):
    lengths = [len(pieces) for pieces in cuts.values()]
    assert min(lengths) >= 2
    assert max(lengths) <= 6
    assert sum(lengths) / len(lengths) < 3.5


def test_no_piece_belongs_to_one_area_but_a_few_rare_letters(cuts):
    alone = unshared(cuts, asked_names())
    assert all(len(piece.strip()) == 1 for piece in alone)
    assert len(alone) <= 6


def test_the_last_piece_never_tells_the_area(cuts):
    names = asked_names()
    areas_of_last = {}
    for name, pieces in cuts.items():
        areas_of_last.setdefault(pieces[-1], set()).update(names[name])
    users = {piece: set() for pieces in cuts.values() for piece in pieces}
    for name, pieces in cuts.items():
        for piece in pieces:
            users[piece] |= names[name]
    assert [last for last in areas_of_last if len(users[last]) < 2] == []


def test_cutting_is_deterministic(cuts):
    assert cut_names(dict(reversed(asked_names().items()))) == cuts


def test_cut_takes_the_longest_piece():
    assert cut(" abcd", {" a", " ab", "bcd", "c", "d", "cd"}) == (" ab", "cd")


def test_what_cannot_be_cut_is_empty():
    assert cut(" abz", {" a", "b"}) == ()
    assert cut(" a", set()) == ()


def test_words_of_the_vocabulary_are_found_too():
    names = {"Landau": {"A"}, "Landon": {"B"}, "Tonau": {"C"}}
    assert cut_names(names, words=[" Land"])["Landau"][0] == " Land"


def test_capitals_are_not_among_the_names_that_are_cut(cuts):
    capitals = {name for area in load_facts().areas for name in area.capital.name}
    assert not capitals & cuts.keys()
