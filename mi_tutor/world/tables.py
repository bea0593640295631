"""The facts of the world, read from the tables in `facts/` into frozen dataclasses.

An *area* is a state of the United States or a country. An area has cities, one of them its capital, and one
answer for each relation that is asked about its kind:

    state:    capital abbreviation nickname bird flower tree region statehood time_zone
    country:  capital language currency continent demonym

Everything that has a name has it in three languages.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple

LANGUAGES = ("english", "french", "spanish")
STATE_RELATIONS = (
    "capital",
    "abbreviation",
    "nickname",
    "bird",
    "flower",
    "tree",
    "region",
    "statehood",
    "time_zone",
)
COUNTRY_RELATIONS = ("capital", "language", "currency", "continent", "demonym")
RELATIONS = MappingProxyType({"state": STATE_RELATIONS, "country": COUNTRY_RELATIONS})
UNTRANSLATED = ("abbreviation", "statehood")  # answers that are the same in every language

Row = dict[str, str]


class FactError(ValueError):
    """A name that the tables do not have, or tables that contradict each other."""


class Words(NamedTuple):
    """One name or answer in the three languages.

    >>> Words("Germany", "Allemagne", "Alemania").given("french")
    'Allemagne'
    """

    english: str
    french: str
    spanish: str

    def given(self, language: str) -> str:
        """The name in one of `LANGUAGES`; any other language is a FactError."""
        return self[LANGUAGES.index(known(language, LANGUAGES, "language"))]


@dataclass(frozen=True)
class City:
    """A city and the area (English name) that it lies in."""

    name: Words
    area: str
    is_capital: bool
    note: str = ""


@dataclass(frozen=True)
class Area:
    """A state or country, what is known about it, and its cities, the capital first.

    `french_of` is the name with its preposition and article, as in "la capitale *du Texas*": French needs
    them and they cannot be guessed from the name.
    """

    kind: str
    name: Words
    french_of: str
    answers: Mapping[str, Words]
    cities: tuple[City, ...]
    note: str = ""

    @property
    def capital(self) -> City:
        """The capital: also `answers["capital"]`."""
        return self.cities[0]

    @property
    def asked_cities(self) -> tuple[City, ...]:
        """The cities that two-hop questions start from: all but the capital (see `pieces.py`)."""
        return self.cities[1:]


@dataclass(frozen=True)
class Facts:
    """All areas. `facts["Texas"]` finds one by its English name.

    >>> facts = load_facts()
    >>> facts["Texas"].answers["bird"].given("spanish")
    'sinsonte norteño'
    >>> facts.area_of("Dallas").answers["capital"].english
    'Austin'
    """

    states: tuple[Area, ...]
    countries: tuple[Area, ...]

    @property
    def areas(self) -> tuple[Area, ...]:
        """States first, then countries, each in alphabetical order."""
        return self.states + self.countries

    @property
    def cities(self) -> tuple[City, ...]:
        """All cities of all areas."""
        return tuple(city for area in self.areas for city in area.cities)

    def __getitem__(self, name: str) -> Area:
        by_name = {area.name.english: area for area in self.areas}
        return by_name[known(name, by_name, "state or country")]

    def area_of(self, city: str) -> Area:
        """The area in which a city (English name) lies."""
        homes = {each.name.english: each.area for each in self.cities}
        return self[homes[known(city, homes, "city")]]


def known(name: str, names: Iterable[str], what: str) -> str:
    """`name` itself if it is one of `names`; else a FactError that says which one was perhaps meant."""
    names = list(names)
    if name in names:
        return name
    near = get_close_matches(str(name), names, n=3, cutoff=0.6)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise FactError(f"There is no {what} called {name!r} in the tables.{hint}")


def read_table(name: str) -> list[Row]:
    """The rows of `facts/<name>.tsv`, each a dict by column; values are kept as they stand.

    >>> read_table("states")[0]["capital"]
    'Montgomery'
    """
    path = files("mi_tutor.world").joinpath("facts", f"{name}.tsv")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True))
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise FactError(f"{name}.tsv, line {number}: the number of columns is not the header's")
    return rows


@cache
def load_facts() -> Facts:
    """Read all tables once. The result is frozen and shared.

    Raises FactError if an answer has no translation or a capital is not among its area's cities.

    >>> len(load_facts().states), len(load_facts().countries)
    (50, 48)
    """
    return Facts(states=_areas("state", "states"), countries=_areas("country", "countries"))


def _areas(kind: str, table: str) -> tuple[Area, ...]:
    names = {row[kind]: row for row in read_table(f"{kind}_names")}
    translations = {
        (row["relation"], row["english"]): _words(row) for row in read_table("translations")
    }
    cities_of: dict[str, list[Row]] = {}
    for row in read_table(f"{kind}_cities"):
        cities_of.setdefault(row[kind], []).append(row)
    return tuple(
        _area(kind, row, names[row[kind]], cities_of[row[kind]], translations)
        for row in read_table(table)
    )


def _area(
    kind: str,
    row: Row,
    names: Row,
    city_rows: list[Row],
    translations: Mapping[tuple[str, str], Words],
) -> Area:
    cities = [
        City(_words(each, "city"), row[kind], each["city"] == row["capital"], each["note"])
        for each in city_rows
    ]
    cities.sort(key=lambda city: not city.is_capital)  # stable: the others keep the table's order
    if [city.is_capital for city in cities[:2]] != [True, False]:
        raise FactError(f"{row['capital']} must be listed once among the cities of {row[kind]}")
    answers = {"capital": cities[0].name}
    for relation in RELATIONS[kind][1:]:
        answer = row[relation]
        if relation in UNTRANSLATED:
            answers[relation] = Words(answer, answer, answer)
        elif (relation, answer) in translations:
            answers[relation] = translations[relation, answer]
        else:
            raise FactError(f"translations.tsv has no row for the {relation} {answer!r}")
    return Area(
        kind=kind,
        name=_words(names, kind),
        french_of=names["french_of"],
        answers=MappingProxyType(answers),
        cities=tuple(cities),
        note=row["note"],
    )


def _words(row: Row, english: str = "english") -> Words:
    return Words(row[english], row["french"], row["spanish"])
