"""How the facts are said: sentence forms for geography in three languages.

Each form has several wordings. A slot in braces takes a name, an answer or a phrase; `geography.py` fills them.

    locate  which area a city is in            one hop
    tell    what an area's answer is           one hop
    ask     an answer for a city's area        two hops: the area is not named
    chain   the same, for several relations in one sentence
    list    many short statements: dense in facts

In all of them at least one token stands between a name and what follows from it, so that the place where the
name is understood and the place where the answer is read are different ones.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

from mi_tutor.world.tables import Words, read_table

FORMS = MappingProxyType(
    {
        "english": {
            "locate": (
                " {city} is a city in the {kind} of {area}.",
                " The city of {city} lies in {area}.",
                " {city} belongs to {area}.",
            ),
            "tell": (
                " {The_relation} of {area} is {answer}.",
                " In {area}, {the_relation} is {answer}.",
            ),
            "ask": (
                " {The_relation} of the {kind} of {city} is {answer}.",
                " In the {kind} where {city} lies, {the_relation} is {answer}.",
            ),
            "chain": (
                " {city} lies in a {kind} where {the_relation} is {answer}",
                ", {the_relation} is {answer}",
            ),
            "locate list": (" Cities:", " {city}: {area};"),
            "tell list": (" {area}:", " {the_relation} is {answer};"),
        },
        "french": {
            "locate": (
                " {city} est une ville {of_kind} nommé {area}.",
                " La ville de {city} se trouve ici: {area}.",
                " {city} fait partie {of_area}.",
            ),
            "tell": (
                " {The_relation} {of_area} est {answer}.",
                " Au sujet {of_area}, {the_relation} est {answer}.",
            ),
            "ask": (
                " {The_relation} {of_kind} où se trouve {city} est {answer}.",
                " Dans {the_kind} où se trouve {city}, {the_relation} est {answer}.",
            ),
            "chain": (
                " {city} se trouve dans un {kind} où {the_relation} est {answer}",
                ", {the_relation} est {answer}",
            ),
            "locate list": (" Villes:", " {city}: {area};"),
            "tell list": (" {area}:", " {the_relation} est {answer};"),
        },
        "spanish": {
            "locate": (
                " {city} es una ciudad {of_kind} llamado {area}.",
                " La ciudad de {city} se encuentra en {area}.",
                " {city} pertenece a {area}.",
            ),
            "tell": (
                " {The_relation} de {area} es {answer}.",
                " En {area}, {the_relation} es {answer}.",
            ),
            "ask": (
                " {The_relation} {of_kind} donde está {city} es {answer}.",
                " En {the_kind} donde está {city}, {the_relation} es {answer}.",
            ),
            "chain": (
                " {city} está en un {kind} donde {the_relation} es {answer}",
                ", {the_relation} es {answer}",
            ),
            "locate list": (" Ciudades:", " {city}: {area};"),
            "tell list": (" {area}:", " {the_relation} es {answer};"),
        },
    }
)  # fmt: skip

# The kinds of area: bare, with the article, and after "of".
KINDS = MappingProxyType(
    {
        "state": {
            "kind": Words("state", "État", "estado"),
            "the_kind": Words("the state", "l'État", "el estado"),
            "of_kind": Words("of the state", "de l'État", "del estado"),
        },
        "country": {
            "kind": Words("country", "pays", "país"),
            "the_kind": Words("the country", "le pays", "el país"),
            "of_kind": Words("of the country", "du pays", "del país"),
        },
    }
)


@cache
def relation_words() -> dict[str, Words]:
    """Each relation with its article, as in "the capital".

    >>> relation_words()["tree"].french
    "l'arbre"
    """
    return {
        row["relation"]: Words(row["english"], row["french"], row["spanish"])
        for row in read_table("relation_words")
    }


def capitalized(text: str) -> str:
    """With a capital first letter; the others stay as they are.

    >>> capitalized("l'arbre")
    "L'arbre"
    """
    return text[:1].upper() + text[1:]
