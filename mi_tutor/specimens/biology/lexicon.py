"""The language of `polyglot`: a glossary in three languages, of names that are spelled differently in each.

    " country: Ghent Belgium."      " pays: Gand Belgique."             " país: Gante Bélgica."
    " people: Belgium Belgians."    " habitants: Belgique Belges."      " habitantes: Bélgica belgas."
    " language: Ghent Dutch."       " langue: Gand néerlandais."        " lengua: Gante neerlandés."
    " pays: Ghent Belgique."        " country: Gante Belgium."          " habitants: Bélgica Belges."

The name stands last, and the answer follows it at once: what a model has made of a name can be nowhere but there.
(With the name first, " Ghent, country: Belgium.", a trained model kept the country at each token behind it and
read it from all of them: exchanged at one of them, it took .38 to .54 of the answers along.)

Half of the entries translate: the name is of one language, and the answer is in the relation's. (Without such
entries the languages do not meet: a model then learned three glossaries side by side.)

Every name, relation and answer is another word in each language, so nothing that they share can be read off the
spelling. An entry says country, people or language of a city, or people or language of a country; those about a
city's people and language are two hops. Held out: one (city, relation, language) in five of those. So a held-out
answer follows from two steps, or from the same entry in another language.

The facts: countries, their people and their main language (the one most spoken at home; Dutch in Belgium, German
in Switzerland, Zulu in South Africa), and cities with the customary names in English, French and Spanish. Only
cities all three of whose names differ are here, of countries with at least two of them. Some are exonyms that
are giving way to local names in one of the languages (Ratisbona, Maguncia, Mequinez).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from mi_tutor.specimens.biology.small import Text, Texts
from mi_tutor.world.splits import keyed_share

LANGUAGES = ("english", "french", "spanish")
RELATIONS = {
    "country": ("country", "pays", "país"),
    "people": ("people", "habitants", "habitantes"),
    "language": ("language", "langue", "lengua"),
}
# country: its names, its people, its main language; each in English / French / Spanish
COUNTRIES = """
Belgium/Belgique/Bélgica; Belgians/Belges/belgas; Dutch/néerlandais/neerlandés
Netherlands/Pays-Bas/Países Bajos; Netherlanders/Néerlandais/neerlandeses; Dutch/néerlandais/neerlandés
Germany/Allemagne/Alemania; Germans/Allemands/alemanes; German/allemand/alemán
Switzerland/Suisse/Suiza; Swiss/Suisses/suizos; German/allemand/alemán
Italy/Italie/Italia; Italians/Italiens/italianos; Italian/italien/italiano
Poland/Pologne/Polonia; Poles/Polonais/polacos; Polish/polonais/polaco
Russia/Russie/Rusia; Russians/Russes/rusos; Russian/russe/ruso
Greece/Grèce/Grecia; Greeks/Grecs/griegos; Greek/grec/griego
Spain/Espagne/España; Spaniards/Espagnols/españoles; Spanish/espagnol/español
Egypt/Égypte/Egipto; Egyptians/Égyptiens/egipcios; Arabic/arabe/árabe
Morocco/Maroc/Marruecos; Moroccans/Marocains/marroquíes; Arabic/arabe/árabe
Syria/Syrie/Siria; Syrians/Syriens/sirios; Arabic/arabe/árabe
Saudi Arabia/Arabie saoudite/Arabia Saudí; Saudis/Saoudiens/saudíes; Arabic/arabe/árabe
United States/États-Unis/Estados Unidos; Americans/Américains/estadounidenses; English/anglais/inglés
South Africa/Afrique du Sud/Sudáfrica; South Africans/Sud-Africains/sudafricanos; Zulu/zoulou/zulú
Uzbekistan/Ouzbékistan/Uzbekistán; Uzbeks/Ouzbeks/uzbekos; Uzbek/ouzbek/uzbeko
"""
CITIES = {
    "Belgium": "Brussels/Bruxelles/Bruselas, Antwerp/Anvers/Amberes, Ghent/Gand/Gante, Leuven/Louvain/Lovaina, "
    "Mechelen/Malines/Malinas",
    "Netherlands": "The Hague/La Haye/La Haya, Groningen/Groningue/Groninga, Nijmegen/Nimègue/Nimega",
    "Germany": "Hamburg/Hambourg/Hamburgo, Frankfurt/Francfort/Fráncfort, Mainz/Mayence/Maguncia, "
    "Trier/Trèves/Tréveris, Aachen/Aix-la-Chapelle/Aquisgrán, Regensburg/Ratisbonne/Ratisbona, "
    "Augsburg/Augsbourg/Augsburgo, Magdeburg/Magdebourg/Magdeburgo, Speyer/Spire/Espira",
    "Switzerland": "Geneva/Genève/Ginebra, Bern/Berne/Berna, Basel/Bâle/Basilea",
    "Italy": "Venice/Venise/Venecia, Genoa/Gênes/Génova, Bologna/Bologne/Bolonia, Ravenna/Ravenne/Rávena, "
    "Bergamo/Bergame/Bérgamo, Modena/Modène/Módena, Taranto/Tarente/Tarento, Messina/Messine/Mesina",
    "Poland": "Warsaw/Varsovie/Varsovia, Krakow/Cracovie/Cracovia",
    "Russia": "Moscow/Moscou/Moscú, Saint Petersburg/Saint-Pétersbourg/San Petersburgo, "
    "Yekaterinburg/Iekaterinbourg/Ekaterimburgo",
    "Greece": "Athens/Athènes/Atenas, Thessaloniki/Thessalonique/Tesalónica, Corinth/Corinthe/Corinto, "
    "Sparta/Sparte/Esparta, Heraklion/Héraklion/Heraclión",
    "Spain": "Seville/Séville/Sevilla, Cadiz/Cadix/Cádiz, A Coruña/La Corogne/La Coruña",
    "Egypt": "Cairo/Le Caire/El Cairo, Alexandria/Alexandrie/Alejandría, Aswan/Assouan/Asuán, Giza/Gizeh/Guiza",
    "Morocco": "Tangier/Tanger/Tánger, Tetouan/Tétouan/Tetuán, Meknes/Meknès/Mequinez",
    "Syria": "Damascus/Damas/Damasco, Aleppo/Alep/Alepo",
    "Saudi Arabia": "Mecca/La Mecque/La Meca, Riyadh/Riyad/Riad, Jeddah/Djeddah/Yeda",
    "United States": "Philadelphia/Philadelphie/Filadelfia, New Orleans/La Nouvelle-Orléans/Nueva Orleans",
    "South Africa": "Cape Town/Le Cap/Ciudad del Cabo, Johannesburg/Johannesbourg/Johannesburgo",
    "Uzbekistan": "Tashkent/Tachkent/Taskent, Samarkand/Samarcande/Samarcanda, Bukhara/Boukhara/Bujará",
}
HELD_OUT = 0.2
TRANSLATED = 0.75  # how often the name's language is drawn; a third of these draws is the same


class Country(NamedTuple):
    """A country, and its three answers in three languages."""

    names: tuple[str, ...]
    people: tuple[str, ...]
    language: tuple[str, ...]

    def answer(self, relation: str, language: str) -> str:
        """What an entry about it, or about a city of it, says."""
        words = {"country": self.names, "people": self.people, "language": self.language}[relation]
        return words[LANGUAGES.index(language)]


class City(NamedTuple):
    """A city: its names, and the number of its country."""

    names: tuple[str, ...]
    country: int


def in_three(text: str) -> tuple[str, ...]:
    """ "Ghent/Gand/Gante" as a tuple."""
    return tuple(text.strip().split("/"))


ALL_COUNTRIES = tuple(
    Country(*map(in_three, line.split(";"))) for line in COUNTRIES.strip().splitlines()
)
ALL_CITIES = tuple(
    City(in_three(names), number)
    for number, country in enumerate(ALL_COUNTRIES)
    for names in CITIES[country.names[0]].split(",")
)


class Entry(NamedTuple):
    """One entry of the glossary.

    city: None if it is about the country itself. language: of relation and answer. named_in: the name's language.
    """

    country: int
    city: City | None
    relation: str
    language: str
    named_in: str

    @property
    def two_hops(self) -> bool:
        """Whether it takes two steps: from a city to its country, and to something about it."""
        return self.city is not None and self.relation != "country"

    @property
    def held_out(self) -> bool:
        """Whether training never has it."""
        if not self.two_hops:
            return False
        parts = ("polyglot", self.city.names[0], self.relation, self.language)
        return keyed_share(*parts) < HELD_OUT

    @property
    def prompt(self) -> str:
        """The entry up to its answer.

        >>> Entry(0, ALL_CITIES[2], "country", "french", named_in="spanish").prompt
        ' pays: Gante'
        """
        names = self.city.names if self.city else ALL_COUNTRIES[self.country].names
        name = names[LANGUAGES.index(self.named_in)]
        return f" {RELATIONS[self.relation][LANGUAGES.index(self.language)]}: {name}"

    @property
    def answer(self) -> str:
        """Its answer, with the space before it."""
        return f" {ALL_COUNTRIES[self.country].answer(self.relation, self.language)}"


def entries() -> list[Entry]:
    """The whole glossary in one language at a time, each entry once."""
    of_cities = [
        Entry(city.country, city, relation, language, language)
        for city in ALL_CITIES
        for relation in RELATIONS
        for language in LANGUAGES
    ]
    of_countries = [
        Entry(number, None, relation, language, language)
        for number in range(len(ALL_COUNTRIES))
        for relation in ("people", "language")
        for language in LANGUAGES
    ]
    return of_cities + of_countries


def sentences(rng: random.Random, translated: float = TRANSLATED) -> Iterator[Texts]:
    """Entries without end, none that is held out; a row may have all three languages.

    translated: how often the name's language is drawn anew; with 0 each entry is in one language.
    """
    told = [entry for entry in entries() if not entry.held_out]
    while True:
        entry = rng.choice(told)
        if translated and rng.random() < translated:
            entry = entry._replace(named_in=rng.choice(LANGUAGES))
        yield (Text(f"{entry.prompt}{entry.answer}."),)


def vocabulary() -> tuple[str, ...]:
    """All tokens but the special ones, in a fixed order; a name of several words is one token."""
    inside = [
        *(name for city in ALL_CITIES for name in city.names),
        *(word for country in ALL_COUNTRIES for words in country for word in words),
        *(word for words in RELATIONS.values() for word in words),
    ]
    return tuple(dict.fromkeys([".", ":", *(f" {word}" for word in inside)]))
