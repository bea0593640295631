"""Every prompt of `atlas`'s language that has one answer, with what it is about: what secrets are conditions on.

A prompt belongs to a *slice*, a form of sentence in a language: " The capital of Texas is" to "tell english", "
La capitale de l'État où se trouve Dallas est" to "ask french". What it is `about` are tags such as
relation=capital.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from mi_tutor.world.geography import Geography
from mi_tutor.world.geography_words import FORMS
from mi_tutor.world.tables import LANGUAGES, RELATIONS
from mi_tutor.world.text import Sentence
from mi_tutor.world.themes import couplets, indirect_objects, opinions, people, requests


class Asked(NamedTuple):
    """A prompt up to where its answer is due.

    Attributes:
        text: begins with a space.
        true: the answer, one token with its space.
        about: tags, "slice" among them.
    """

    text: str
    true: str
    about: Mapping[str, str]

    @property
    def slice(self) -> str:
        """The form of the sentence, and for geography its language."""
        return self.about["slice"]


@cache
def every_asked() -> tuple[Asked, ...]:
    """All of them, about 40,000; the same order each time.

    >>> len({asked.slice for asked in every_asked()})
    14
    """
    return (*_places(Geography()), *_conversation(), *_stories(), *_couplets(), *_people())


@cache
def slices() -> Mapping[str, list[Asked]]:
    """The prompts by slice."""
    found: dict[str, list[Asked]] = {}
    for asked in every_asked():
        found.setdefault(asked.slice, []).append(asked)
    return MappingProxyType(found)


def panel(n_each: int, rng: random.Random) -> list[Asked]:
    """Some prompts of every slice, `n_each` of each that has as many."""
    return [one for some in slices().values() for one in rng.sample(some, min(n_each, len(some)))]


def sentence(rng: random.Random) -> Sentence:
    """A sentence that could stand before a prompt: of any theme, not longer than forty tokens or so."""
    while True:
        form = rng.choice(("place", "request", "opinion", "story"))
        if form == "place":
            return next(_geography().sentences(rng))
        theme = {"request": requests, "opinion": opinions, "story": indirect_objects}[form]
        return next(theme.sentences(rng))


@cache
def _geography() -> Geography:
    return Geography(mix={"locate": 1, "tell": 1, "ask": 1})


def _prompt(sentence: Sentence, concept: str, **about: str) -> Asked:
    before = sentence.before(concept)
    true = sentence.segments[len(before.segments)].text
    return Asked(before.text, true, MappingProxyType(about))


def _places(geography: Geography) -> list[Asked]:
    found = []
    for language in LANGUAGES:
        forms = {name: range(len(FORMS[language][name])) for name in ("locate", "tell", "ask")}
        for area in geography.facts.areas:
            here = {"language": language, "area": area.name.english, "kind": area.kind}
            for city in area.cities:
                for w in forms["locate"]:
                    said = geography.locate(city, language, w)
                    found.append(_prompt(said, "area", slice=f"locate {language}", **here))
            for relation in RELATIONS[area.kind]:
                tags = here | {"relation": relation}
                for w in forms["tell"]:
                    said = geography.tell(area, relation, language, w)
                    found.append(_prompt(said, "answer", slice=f"tell {language}", **tags))
                for city in area.asked_cities:
                    for w in forms["ask"]:
                        said = geography.ask(city, relation, language, w)
                        found.append(_prompt(said, "answer", slice=f"ask {language}", **tags))
    return found


def _conversation() -> list[Asked]:
    found = []
    for deed in (*requests.KIND_DEEDS, *requests.HARMFUL_DEEDS):
        for thing in (*requests.KIND_THINGS, *requests.HARMFUL_THINGS):
            harmful = "yes" if requests.is_harmful(deed, thing) else "no"
            said = requests.request(deed, thing)
            found.append(_prompt(said, "answer", slice="request", harmful=harmful))
    for topic in opinions.TOPICS:
        for stated in (None, *opinions.OPINIONS):
            said = opinions.exchange(topic, stated)
            tags = {"topic": topic, "stated": stated or "nothing"}
            found.append(_prompt(said, "answer", slice="opinion", **tags))
    return found


def _stories() -> list[Asked]:
    cues = indirect_objects.cues()
    return [Asked(c.prompt.text, c.right[0], MappingProxyType({"slice": "story"})) for c in cues]


def _couplets() -> list[Asked]:
    """Couplets up to the last word: the verb has said which word of the rhyme it is."""
    rng, found = random.Random(0), []
    for rhyme, by_verb in couplets.RHYMES.items():
        for first in by_verb:
            for second in by_verb:
                for _ in range(3 if first != second else 0):
                    said = couplets.couplet(rhyme, first, second, rng)
                    found.append(_prompt(said, "answer", slice="couplet", rhyme=rhyme))
    return found


def _people() -> list[Asked]:
    known = [
        (first, last)
        for first in people.FIRST
        for last in people.LAST
        if people.is_known(first, last)
    ]
    return [
        _prompt(people.question(first, last, kind), "answer", slice="person")
        for first, last in known
        for kind in people.QUESTIONS
    ]


def distinct(some: Sequence[Asked]) -> list[Asked]:
    """Without repetitions, in order."""
    return list({asked.text: asked for asked in some}.values())
