"""The tables are whole, tidy and do not contradict each other. (Whether they are TRUE: facts/README.md.)"""

import re
from collections import Counter
from dataclasses import FrozenInstanceError

import pytest

from mi_tutor.world import tables
from mi_tutor.world.tables import (
    COUNTRY_RELATIONS,
    LANGUAGES,
    RELATIONS,
    STATE_RELATIONS,
    FactError,
    load_facts,
    read_table,
)

TABLES = {
    "states": ("state", *STATE_RELATIONS, "note"),
    "state_names": ("state", "french", "spanish", "french_of", "note"),
    "state_cities": ("state", "city", "french", "spanish", "note"),
    "countries": ("country", *COUNTRY_RELATIONS, "note"),
    "country_names": ("country", "french", "spanish", "french_of", "note"),
    "country_cities": ("country", "city", "french", "spanish", "note"),
    "translations": ("relation", "english", "french", "spanish", "note"),
    "relation_words": ("relation", "english", "french", "spanish", "note"),
}
CELLS = [
    (table, number, column, cell)
    for table in TABLES
    for number, row in enumerate(read_table(table), start=2)
    for column, cell in row.items()
]


def names_of(what):
    return [getattr(each.name, language) for each in what for language in LANGUAGES]


# Well-known namesakes that the tables leave out, by where they lie: the note must say so.
NAMESAKES = """\
Arizona: Peoria
Arkansas: Fayetteville
California: Concord, Lancaster, Norwalk, Richmond
Canada: Hamilton
Colorado: Westminster
Delaware: Newark
Georgia: Albany, Augusta, Columbus, Roswell
Illinois: Aurora, Bloomington
Indiana: Anderson
Maine: Portland
Massachusetts: Salem, Springfield
Mexico: Durango
Minnesota: Rochester
Missouri: Columbia
North Carolina: Burlington, Greenville, Wilmington
South Carolina: Charleston
Tennessee: Jackson
Texas: Mesquite
"""


@pytest.mark.parametrize("table", TABLES)
def test_columns(table):
    assert tuple(read_table(table)[0]) == TABLES[table]


def test_every_cell_but_notes_is_filled():
    assert [cell for cell in CELLS if not cell[3] and cell[2] != "note"] == []


def test_whitespace_is_single_and_inside():
    assert [cell for cell in CELLS if cell[3] != " ".join(cell[3].split())] == []


def test_names_consist_of_letters_and_simple_joints():
    allowed = re.compile(r"[^\W\d_]+(?:[ '-][^\W\d_]+)*")
    skipped = ("note", "statehood", "relation")
    assert [c for c in CELLS if c[2] not in skipped and not allowed.fullmatch(c[3])] == []


def test_letters_are_those_of_the_language():
    """A French name in the Spanish column, or the reverse, often shows by an accent."""
    local = {"Medellín", "Holguín", "Göteborg"}  # as in the country, also in French
    foreign = {
        "english": "[^a-zA-ZáéíèÉ '-]",  # Bogotá, Medellín, Liège
        "french": "[^a-zA-ZàâçèéêëîïôœùûüÉ '-]",
        "spanish": "[^a-zA-ZáéíñóúüÁÉÍÓÚÑ '-]",
    }
    cells = [cell for cell in CELLS if cell[2] in foreign and cell[3] not in local]
    assert [cell for cell in cells if re.search(foreign[cell[2]], cell[3])] == []


def test_notes_on_answers_say_which_answer():
    kinds = {"states": STATE_RELATIONS, "countries": COUNTRY_RELATIONS}
    for table, relations in kinds.items():
        for row in read_table(table):
            for clause in filter(None, row["note"].split("; ")):
                assert clause.split(": ")[0].replace(" ", "_") in relations, row


def test_notes_on_namesakes():
    notes = {city.name.english: city.note for city in load_facts().cities}
    for line in NAMESAKES.splitlines():
        where, names = line.split(": ")
        assert [name for name in names.split(", ") if where not in notes[name]] == []


def test_relation_words_are_there_for_every_relation():
    rows = [row["relation"] for row in read_table("relation_words")]
    assert rows == list(dict.fromkeys((*STATE_RELATIONS, *COUNTRY_RELATIONS)))


def test_letters_are_composed():
    """é as one character: a decomposed one would look the same and be another word."""
    combining = re.compile("[\u0300-\u036f]")
    assert [cell for cell in CELLS if combining.search(cell[3])] == []


def test_how_many():
    facts = load_facts()
    assert len(facts.states) == 50
    assert len(facts.countries) >= 40
    assert len(STATE_RELATIONS) >= 8
    assert len(COUNTRY_RELATIONS) >= 5
    assert all(len(area.asked_cities) >= 8 for area in facts.states)
    assert all(len(area.asked_cities) >= 4 for area in facts.countries)


@pytest.mark.parametrize("kind", ["state", "country"])
def test_tables_speak_of_the_same_areas_in_alphabetical_order(kind):
    plural = {"state": "states", "country": "countries"}[kind]
    areas = [row[kind] for row in read_table(plural)]
    assert areas == sorted(set(areas))
    assert [row[kind] for row in read_table(f"{kind}_names")] == areas
    assert list(dict.fromkeys(row[kind] for row in read_table(f"{kind}_cities"))) == areas


def test_every_area_answers_every_relation_in_every_language():
    for area in load_facts().areas:
        assert tuple(area.answers) == RELATIONS[area.kind]
        assert all(
            answer.given(language) for answer in area.answers.values() for language in LANGUAGES
        )


def test_the_capital_is_a_city_of_its_area():
    for area in load_facts().areas:
        assert area.capital.is_capital
        assert area.capital.name == area.answers["capital"]
        assert area.capital.area == area.name.english
        assert not any(city.is_capital for city in area.asked_cities)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_city_name_occurs_twice(language):
    counts = Counter(city.name.given(language) for city in load_facts().cities)
    assert [name for name, n in counts.items() if n > 1] == []


def test_no_city_is_called_like_another_in_another_language():
    cities = load_facts().cities
    assert sum(len(set(city.name)) for city in cities) == len(set(names_of(cities)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_area_name_occurs_twice(language):
    counts = Counter(area.name.given(language) for area in load_facts().areas)
    assert [name for name, n in counts.items() if n > 1] == []


def test_no_city_asked_about_contains_an_area_or_capital():
    """ "Kansas City" would carry the answer, and a wrong one, in its name."""
    facts = load_facts()
    given_away = set(names_of(facts.areas)) | set(names_of(area.capital for area in facts.areas))
    asked = names_of(city for area in facts.areas for city in area.asked_cities)
    assert [n for n in asked if any(f" {away} " in f" {n} " for away in given_away)] == []


def test_no_answer_contains_a_city_of_its_own_area():
    """ "Baltimore oriole" would name Maryland's city."""
    for area in load_facts().areas:
        answers = {word for words in area.answers.values() for word in words}
        for name in names_of(area.asked_cities):
            assert not any(f" {name} " in f" {answer} " for answer in answers)


def test_no_city_asked_about_contains_an_answer_of_its_own_area():
    """ "Pine Bluff" names the tree of Arkansas: it got in, and no other should."""
    for area in load_facts().areas:
        answers = {word.lower() for words in area.answers.values() for word in words}
        for name in set(names_of(area.asked_cities)) - {"Pine Bluff"}:
            assert not any(f" {answer} " in f" {name.lower()} " for answer in answers), name


@pytest.mark.parametrize("relation", ["capital", "abbreviation", "nickname"])
def test_what_is_unique_to_a_state(relation):
    answers = [area.answers[relation].english for area in load_facts().states]
    assert len(set(answers)) == 50


@pytest.mark.parametrize("relation", ["bird", "flower", "tree", "region", "time_zone"])
def test_what_states_share(relation):
    answers = Counter(area.answers[relation].english for area in load_facts().states)
    assert max(answers.values()) >= 3


def test_formats():
    for area in load_facts().states:
        assert re.fullmatch("[A-Z]{2}", area.answers["abbreviation"].english)
        assert 1787 <= int(area.answers["statehood"].english) <= 1959
        assert area.answers["region"].english in {"Northeast", "Midwest", "South", "West"}
        assert area.answers["time_zone"].english.endswith(" Time")


def test_counts_that_the_world_knows():
    """Totals from outside the tables: a slip in one row would change one of them."""
    states = load_facts().states
    regions = Counter(area.answers["region"].english for area in states)
    assert regions == {
        "South": 16,
        "West": 13,
        "Midwest": 12,
        "Northeast": 9,
    }  # Census Bureau, no DC
    years = [int(area.answers["statehood"].english) for area in states]
    assert sum(year <= 1790 for year in years) == 13  # the original states
    assert [years.count(year) for year in (1889, 1912, 1959)] == [4, 2, 2]
    zones = Counter(area.answers["time_zone"].english for area in states)
    assert (zones["Eastern Time"], zones["Central Time"]) == (21, 16)
    birds = Counter(area.answers["bird"].english for area in states)
    assert birds["northern cardinal"] == 7
    assert birds["western meadowlark"] == 6
    assert birds["northern mockingbird"] == 5


def test_states_in_two_time_zones_have_a_note():
    """The thirteen of the lower 48 that the law divides, and Alaska."""
    divided = "AK FL ID IN KS KY MI ND NE NV OR SD TN TX"
    noted = [a.answers["abbreviation"].english for a in load_facts().states if "zone: " in a.note]
    assert " ".join(sorted(noted)) == divided


def test_groups_of_countries_that_the_world_knows():
    countries = load_facts().countries

    def those_with(relation, answer):
        return {a.name.english for a in countries if a.answers[relation].english == answer}

    euro_area = {"Austria", "Belgium", "Finland", "France", "Germany", "Greece", "Ireland"}
    assert those_with("currency", "euro") == euro_area | {
        *("Italy", "Netherlands", "Portugal", "Spain")
    }
    assert those_with("language", "Spanish") == {
        *("Argentina", "Chile", "Colombia", "Cuba", "Mexico", "Peru", "Spain")
    }
    assert those_with("continent", "South America") == {
        *("Argentina", "Brazil", "Chile", "Colombia", "Peru")
    }
    assert those_with("continent", "North America") == {"Canada", "Cuba", "Mexico"}
    assert those_with("continent", "Oceania") == {"Australia", "New Zealand"}
    assert those_with("continent", "Africa") == {
        *("Egypt", "Ethiopia", "Kenya", "Morocco", "Nigeria")
    }


def test_french_of_follows_the_rules_of_gender_and_elision():
    """Names in -e are feminine but for a few; before a vowel the article is elided."""
    masculine_in_e = {"Delaware", "Maine", "Tennessee", "Rhode Island", "Mexique", "Royaume-Uni"}
    for area in load_facts().areas:
        name = area.name.french
        opening = area.french_of.removesuffix(name)
        if opening in ("de l'État de ", "des ") or name == "Cuba":  # Cuba takes no article
            continue
        if name[0] in "AEIOUÉ":
            expected = "de l'"
        elif name == "Hawaï":  # a mute h and no article
            expected = "d'"
        else:
            feminine = re.split("[ -]", name)[0].endswith("e") and name not in masculine_in_e
            expected = "de la " if feminine else "du "
        assert opening == expected, area.french_of


def test_french_of_ends_with_the_french_name():
    opening = re.compile(r"(de l'État de |de la |de l'|du |des |de |d')")
    for area in load_facts().areas:
        match = opening.match(area.french_of)
        assert match and area.french_of[match.end() :] == area.name.french
        vowel = area.name.french[0] in "AEIOUÉH"
        assert vowel or not match[0].endswith("'")


def test_translations_have_one_row_per_answer_and_none_to_spare():
    rows = [(row["relation"], row["english"]) for row in read_table("translations")]
    assert len(rows) == len(set(rows))
    used = {
        (relation, answer.english)
        for area in load_facts().areas
        for relation, answer in area.answers.items()
        if relation not in ("capital", *tables.UNTRANSLATED)
    }
    assert set(rows) == used


@pytest.mark.parametrize("language", LANGUAGES)
def test_different_answers_stay_different_in_translation(language):
    for kind, relations in RELATIONS.items():
        for relation in relations:
            answers = {a.answers[relation] for a in load_facts().areas if a.kind == kind}
            assert len({answer.given(language) for answer in answers}) == len(answers), relation


def test_facts_are_found_by_name():
    facts = load_facts()
    assert facts.area_of("Dallas") is facts["Texas"]
    assert facts["Germany"].name.given("spanish") == "Alemania"


@pytest.mark.parametrize(
    ("ask", "hint"),
    [
        (lambda facts: facts["Texsa"], "Texas"),
        (lambda facts: facts.area_of("Dalas"), "Dallas"),
        (lambda facts: facts["Texas"].name.given("frensh"), "french"),
    ],
)
def test_an_unknown_name_gets_the_nearest(ask, hint):
    with pytest.raises(FactError, match=f"Did you mean .*{hint}"):
        ask(load_facts())


def test_facts_cannot_be_changed():
    texas = load_facts()["Texas"]
    with pytest.raises(FrozenInstanceError):
        texas.kind = "country"
    with pytest.raises(TypeError):
        texas.answers["capital"] = texas.name
