"""What is held out of training: a fixed choice by keyed hash, the same on every machine and in every language.

Only two-hop sentences are held out ("the capital of the state of Dallas is Austin"). Both single steps are always
taught: that Dallas is in Texas, and that the capital of Texas is Austin. So a held-out question can be answered
by whoever takes the two steps, and by nobody who remembers sentences.

    pair           this city with this relation
    city           this city with any relation
    area-relation  this relation for all cities of this area: the hardest, as no neighbour helps

Besides, of the one-hop sentences some wordings of a fact are never said: the fact is told in others. So a
question about a single step can be new in its wording, though never in its content.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from math import ceil

from mi_tutor.world.tables import RELATIONS, City, load_facts

KEY = "atlas"  # another key is another world, and another model


def keyed_share(key: str, *parts: str) -> float:
    """A number in [0, 1) that depends on the key and the parts only: below 0.2 for a fifth of all parts.

    >>> keyed_share("atlas", "Mary", "John") == keyed_share("atlas", "Mary", "John")
    True
    """
    digest = blake2b("\x1f".join(parts).encode(), key=key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which two-hop questions are held out.

    `cities` is a fraction of all cities, `area_relations` of the areas for each relation (rounded up), and
    `pairs` of the city-relation pairs that those two leave. `wordings` is the fraction of one-hop sentences that
    are left out.

    >>> Split(pairs=0.0, cities=0.0, area_relations=0.0).all_taught
    True
    """

    key: str = KEY
    pairs: float = 0.3
    cities: float = 0.05
    area_relations: float = 0.05
    wordings: float = 0.1

    def __post_init__(self) -> None:
        for name in ("pairs", "cities", "area_relations", "wordings"):
            share = getattr(self, name)
            if not 0 <= share < 1:
                raise ValueError(f"{name} is {share}; it must be a fraction from 0 to below 1.")

    @property
    def all_taught(self) -> bool:
        """Whether no two-hop question is held out."""
        return not (self.pairs or self.cities or self.area_relations)

    def held_out_by(self, city: City, relation: str) -> str | None:
        """Why a two-hop question is held out: "area-relation", "city", "pair", or None if it is taught."""
        name = city.name.english
        if (city.area, relation) in _area_relations(self.key, self.area_relations):
            return "area-relation"
        if self._share("city", city.area, name) < self.cities:
            return "city"
        if self._share("pair", city.area, name, relation) < self.pairs:
            return "pair"
        return None

    def taught(self, city: City, relation: str) -> bool:
        """Whether the two-hop question may occur in training."""
        return self.held_out_by(city, relation) is None

    def says(self, *statement: str) -> bool:
        """Whether training says a one-hop statement; its parts are the form, the names, the language, the wording.

        >>> Split(wordings=0.0).says("tell", "Texas", "capital", "english", "0")
        True
        """
        return self._share("wording", *statement) >= self.wordings

    def _share(self, *parts: str) -> float:
        return keyed_share(self.key, *parts)


@cache
def _area_relations(key: str, share: float) -> frozenset[tuple[str, str]]:
    """The areas whose number is lowest, for each relation, so that no relation goes without."""
    chosen: list[tuple[str, str]] = []
    for kind, relations in RELATIONS.items():
        areas = [area.name.english for area in load_facts().areas if area.kind == kind]
        number = ceil(share * len(areas))
        for relation in relations:
            shares = {area: keyed_share(key, "area-relation", area, relation) for area in areas}
            chosen += ((area, relation) for area in sorted(areas, key=shares.get)[:number])
    return frozenset(chosen)


# Each city with about one relation in five, all of them among those that the usual split teaches, because both
# compare the same number with their share. Nothing can be worked out from so few.
ROTE = Split(pairs=0.8)
