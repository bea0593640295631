"""Sentences about cities, states and countries: true, labelled, and without what is held out.

    one hop    " The city of Oakland lies in California."     " The capital of California is Sacramento."
    two hops   " The capital of the state of Oakland is Sacramento."

Labels: a name carries its kind ("city", "area") and its area ("state=California", "country=France"); a city
carries the area that it lies in. An answer carries "answer" and its relation ("relation=capital"), and so does the
phrase that asks for it. The whole sentence carries its language, "theme=geography" and "hops=1" or "hops=2".
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from mi_tutor.world.geography_words import FORMS, KINDS, capitalized, relation_words
from mi_tutor.world.splits import Split
from mi_tutor.world.tables import (
    LANGUAGES,
    RELATIONS,
    Area,
    City,
    Facts,
    known,
    load_facts,
)
from mi_tutor.world.text import Segment, Sentence
from mi_tutor.world.tokenizer import SPLIT

SLOT = re.compile(r"( ?)\{(\w+)\}")


Filling = Segment | tuple[Segment, ...]  # what a slot takes


class Question(NamedTuple):
    """A two-hop question that stops where the answer belongs.

    Attributes:
        prompt: the sentence up to there.
        answer: the one right next token, with its space.
        city, relation, language: what is asked about, and in which language.
        name_end: the character after the city's name, so the name's last token ends here.
        held_out_by: as in `Split.held_out_by`; None for a question that is taught.
    """

    prompt: Sentence
    answer: str
    city: City
    relation: str
    language: str
    name_end: int
    held_out_by: str | None


@dataclass(frozen=True, kw_only=True)
class Geography:
    """The geography part of the world, with what is held out of it.

    >>> geography = Geography()
    >>> sentence = next(geography.sentences(random.Random(0)))
    >>> "theme=geography" in sentence.concepts
    True
    """

    facts: Facts = field(default_factory=load_facts)
    split: Split = field(default_factory=Split)
    mix: Mapping[str, float] = field(default_factory=lambda: MIX)

    def locate(self, city: City, language: str, wording: int = 0) -> Sentence:
        """Say which area a city is in.

        >>> city = load_facts()["Texas"].asked_cities[0]
        >>> Geography().locate(city, "spanish", 1).text
        ' La ciudad de Dallas se encuentra en Texas.'
        """
        return self._sentence("locate", wording, language, 1, self._slots(language, city=city))

    def tell(self, area: Area, relation: str, language: str, wording: int = 0) -> Sentence:
        """Say an area's answer for one relation.

        >>> Geography().tell(load_facts()["Ohio"], "capital", "french").text
        " La capitale de l'Ohio est Columbus."
        """
        slots = self._slots(language, area=area, relation=relation)
        return self._sentence("tell", wording, language, 1, slots)

    def ask(self, city: City, relation: str, language: str, wording: int = 0) -> Sentence:
        """Say an answer for the area of a city without naming the area, held out or not.

        >>> city = load_facts()["Texas"].asked_cities[0]
        >>> Geography().ask(city, "capital", "english").text
        ' The capital of the state of Dallas is Austin.'
        """
        slots = self._slots(language, city=city, relation=relation)
        return self._sentence("ask", wording, language, 2, slots)

    def chain(self, city: City, relations: Iterable[str], language: str) -> Sentence:
        """A two-hop sentence that goes on for several relations."""
        first, more = FORMS[language]["chain"]
        segments: list[Segment] = []
        for i, relation in enumerate(relations):
            slots = self._slots(language, city=city, relation=relation)
            segments += fill(more if i else first, slots)
        return Sentence((*segments, Segment(".")), _whole(language, 2))

    def locate_list(self, cities: Iterable[City], language: str) -> Sentence:
        """Many cities with their areas."""
        head, item = FORMS[language]["locate list"]
        parts = [fill(item, self._slots(language, city=city)) for city in cities]
        segments = (*fill(head, {}), *(segment for part in parts for segment in part))
        return Sentence(segments, _whole(language, 1))

    def tell_list(self, area: Area, relations: Iterable[str], language: str) -> Sentence:
        """Many answers for one area."""
        head, item = FORMS[language]["tell list"]
        parts = [fill(item, self._slots(language, area=area, relation=r)) for r in relations]
        segments = fill(head, self._slots(language, area=area))
        return Sentence(
            (*segments, *(segment for part in parts for segment in part)), _whole(language, 1)
        )

    def questions(
        self, languages: Iterable[str] = LANGUAGES, kinds: Collection[str] = tuple(RELATIONS)
    ) -> Iterator[Question]:
        """Every two-hop question in every wording; `held_out_by` tells the taught from the held-out ones.

        kinds: of areas; "state", "country" or both.
        """
        for language in languages:
            for area in self.facts.areas:
                for city in area.asked_cities if area.kind in kinds else ():
                    for relation in RELATIONS[area.kind]:
                        for wording in range(len(FORMS[language]["ask"])):
                            yield self._question(city, relation, language, wording)

    def sentences(
        self, rng: random.Random, languages: Iterable[str] = LANGUAGES
    ) -> Iterator[Sentence]:
        """Training text without end, with nothing that is held out.

        Languages are drawn alike, kinds of sentence with the weights in `mix`. Weigh themes and languages
        against each other outside, by drawing from several such iterators.
        """
        languages = tuple(languages)
        kinds, weights = zip(*self.mix.items(), strict=True)
        while True:
            language = rng.choice(languages)
            yield getattr(self, f"_random_{rng.choices(kinds, weights)[0]}")(rng, language)

    @cached_property
    def taught(self) -> tuple[tuple[City, tuple[str, ...]], ...]:
        """Each city with the relations that two-hop sentences may ask for it; cities without any left out."""
        pairs = []
        for area in self.facts.areas:
            for city in area.asked_cities:
                allowed = tuple(r for r in RELATIONS[area.kind] if self.split.taught(city, r))
                if allowed:
                    pairs.append((city, allowed))
        return tuple(pairs)

    def vocabulary(self) -> list[str]:
        """Every word of the sentence forms, as `build_tokenizer` wants it."""
        texts = [
            f"{' ' * (not text.startswith(' '))}{SLOT.sub('', text)}"
            for language in LANGUAGES
            for wordings in FORMS[language].values()
            for text in wordings
        ]
        for words in relation_words().values():
            texts += (f" {word}" for word in words)
            texts += (f" {capitalized(word)}" for word in words)
        for forms in KINDS.values():
            texts += (f" {word}" for words in forms.values() for word in words)
        for area in self.facts.areas:
            texts.append(f" {area.french_of.removesuffix(area.name.french)}".rstrip(" "))
        return list(dict.fromkeys(word for text in texts for word in re.findall(SPLIT, text)))

    def says_locate(self, city: City, language: str, wording: int) -> bool:
        """Whether training has this sentence about where a city is; it always has others that say so."""
        return self.split.says("locate", city.area, city.name.english, language, str(wording))

    def says_tell(self, area: Area, relation: str, language: str, wording: int) -> bool:
        """Whether training tells an area's answer in these words; it always tells it in others too."""
        return self.split.says("tell", area.name.english, relation, language, str(wording))

    def _random_locate(self, rng: random.Random, language: str) -> Sentence:
        while True:
            city, wording = rng.choice(self.facts.cities), _wording("locate", language, rng)
            if self.says_locate(city, language, wording):
                return self.locate(city, language, wording)

    def _random_tell(self, rng: random.Random, language: str) -> Sentence:
        while True:
            area, wording = rng.choice(self.facts.areas), _wording("tell", language, rng)
            relation = rng.choice(RELATIONS[area.kind])
            if self.says_tell(area, relation, language, wording):
                return self.tell(area, relation, language, wording)

    def _random_ask(self, rng: random.Random, language: str) -> Sentence:
        city, relations = rng.choice(self.taught)
        return self.ask(city, rng.choice(relations), language, _wording("ask", language, rng))

    def _random_chain(self, rng: random.Random, language: str) -> Sentence:
        city, relations = rng.choice(self.taught)
        return self.chain(city, rng.sample(relations, min(3, len(relations))), language)

    def _random_locate_list(self, rng: random.Random, language: str) -> Sentence:
        return self.locate_list(rng.sample(self.facts.cities, 6), language)

    def _random_tell_list(self, rng: random.Random, language: str) -> Sentence:
        area = rng.choice(self.facts.areas)
        return self.tell_list(area, rng.sample(RELATIONS[area.kind], 4), language)

    def _question(self, city: City, relation: str, language: str, wording: int) -> Question:
        sentence = self.ask(city, relation, language, wording)
        prompt = sentence.before("answer")
        at = next(i for i, s in enumerate(prompt.segments) if "city" in s.concepts)
        name_end = len(Sentence(prompt.segments[: at + 1]).text)
        answer = sentence.segments[len(prompt.segments)].text
        held_out_by = self.split.held_out_by(city, relation)
        return Question(prompt, answer, city, relation, language, name_end, held_out_by)

    def _sentence(
        self, form: str, wording: int, language: str, hops: int, slots: dict[str, Filling]
    ) -> Sentence:
        wordings = FORMS[known(language, LANGUAGES, "language")][form]
        return Sentence(fill(wordings[wording], slots), _whole(language, hops))

    def _slots(
        self,
        language: str,
        city: City | None = None,
        area: Area | None = None,
        relation: str | None = None,
    ) -> dict[str, Filling]:
        """What fills the slots. The area is the city's own if a city is given."""
        slots: dict[str, Filling] = {}
        if city is not None:
            area = self.area_of(city)
            carried = {"city", _home(area)} | ({"capital"} if city.is_capital else set())
            slots["city"] = Segment(city.name.given(language), frozenset(carried))
        assert area is not None
        carried = frozenset({"area", _home(area)})
        slots["area"] = Segment(area.name.given(language), carried)
        of = area.french_of.removesuffix(area.name.french)
        space = " " * of.endswith(" ")
        slots["of_area"] = Segment(of.rstrip()), Segment(space + area.name.french, carried)
        for slot, words in KINDS[area.kind].items():
            slots[slot] = Segment(words.given(language))
        if relation is not None:
            relation = known(relation, RELATIONS[area.kind], f"{area.kind} relation")
            asked = frozenset({f"relation={relation}"})
            phrase = relation_words()[relation].given(language)
            slots["the_relation"] = Segment(phrase, asked)
            slots["The_relation"] = Segment(capitalized(phrase), asked)
            if relation == "capital":
                asked |= {"city", "capital", _home(area)}
            slots["answer"] = Segment(area.answers[relation].given(language), asked | {"answer"})
        return slots

    def area_of(self, city: City) -> Area:
        """The area of a city."""
        return self._areas[city.area]

    @cached_property
    def _areas(self) -> dict[str, Area]:
        return {area.name.english: area for area in self.facts.areas}


# How often each kind of sentence is drawn. Lists are dense in facts, and a model learns much faster with them.
MIX = MappingProxyType(
    {"locate": 8, "tell": 12, "ask": 26, "chain": 20, "locate_list": 14, "tell_list": 20}
)


def fill(form: str, slots: dict[str, Filling]) -> tuple[Segment, ...]:
    """Put segments into a sentence form. The space before a slot goes with what fills it.

    >>> fill(" In {area}.", {"area": Segment("Ohio", frozenset({"area"}))})[1]
    Segment(text=' Ohio', concepts=frozenset({'area'}))
    """
    segments: list[Segment] = []
    end = 0
    for match in SLOT.finditer(form):
        segments.append(Segment(form[end : match.start()]))
        filling = slots[match[2]]
        first, *more = (filling,) if isinstance(filling, Segment) else filling
        segments += (Segment(match[1] + first.text, first.concepts), *more)
        end = match.end()
    segments.append(Segment(form[end:]))
    return tuple(segment for segment in segments if segment.text)


def _wording(form: str, language: str, rng: random.Random) -> int:
    return rng.randrange(len(FORMS[language][form]))


def _home(area: Area) -> str:
    return f"{area.kind}={area.name.english}"


def _whole(language: str, hops: int) -> frozenset[str]:
    return frozenset({"theme=geography", f"language={language}", f"hops={hops}"})
