"""A search for held-out facts in training text, written without looking at how the text is made.

A statement leaks a held-out question if it names the city, the relation and the answer. Statements end at a full
stop, a semicolon, a line break or a row's beginning.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mi_tutor.world.geography_words import relation_words
from mi_tutor.world.splits import Split
from mi_tutor.world.tables import RELATIONS, Area, City, Facts
from mi_tutor.world.tokenizer import BOS

STATEMENT_END = re.compile(rf"[.;\n]|{re.escape(BOS)}")
ARTICLE = re.compile(r"^(?:the |la |le |el |l')")


class Leak(NamedTuple):
    """A statement that tells what is held out."""

    statement: str
    city: City
    relation: str


def find_leaks(texts: Iterable[str], facts: Facts, split: Split) -> Iterator[Leak]:
    """Search texts, in all languages at once, for statements of held-out two-hop facts.

    >>> from mi_tutor.world.tables import load_facts
    >>> everything = Split(pairs=0.999)
    >>> next(find_leaks(["The capital of the state of Dallas is Austin."], load_facts(), everything)).relation
    'capital'
    """
    homes: defaultdict[str, list[tuple[City, Area]]] = defaultdict(list)
    for area in facts.areas:
        for city in area.asked_cities:
            for name in set(city.name):
                homes[name].append((city, area))
    any_name = _any_of(homes)
    phrases = {
        relation: _any_of(ARTICLE.sub("", phrase) for phrase in words)
        for relation, words in relation_words().items()
    }
    for text in texts:
        for statement in STATEMENT_END.split(text):
            for name in set(any_name.findall(statement)):
                for city, area in homes[name]:
                    for relation in RELATIONS[area.kind]:
                        if (
                            phrases[relation].search(statement)
                            and _any_of(area.answers[relation]).search(statement)
                            and not split.taught(city, relation)
                        ):
                            yield Leak(statement, city, relation)


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Any of some phrases as whole words, the longest first."""
    ordered = sorted(set(phrases), key=lambda phrase: (-len(phrase), phrase))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, ordered))})(?!\w)")
