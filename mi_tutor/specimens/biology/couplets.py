"""The language of `planner`: couplets whose second line cannot be begun without knowing how it ends.

    " One day the shepherd saw the moat,"
    " and Tom fed the small goat."

1. The first line's person has a topic (a shepherd: farm), its last word a rhyme (moat: oat). Topic and rhyme
   together fix one word, the plan: farm and oat make "goat". Neither fixes it alone.
2. The verb, the adjective and the end of the second line each depend on that word: a goat is fed, and it is small.
   What the verb is depends on neither the topic nor the rhyme alone; so says a table, not a rule.
3. Each verb and adjective has a synonym, and now and then one that fits all words ("liked", "nice") stands in its
   place. So what was written so far does not always tell how the line ends.

Between the line break and the verb stands a name that says nothing. Held out of training: one pair of (person,
first line's end) in five.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from mi_tutor.specimens.biology.small import Text, Texts
from mi_tutor.world.splits import keyed_share

OPENINGS = (" One day", " In May", " At night", " Long ago")
PEOPLE = {
    "farm": ("farmer", "shepherd", "milkmaid"),
    "sea": ("sailor", "captain", "fisher"),
    "court": ("queen", "prince", "duke"),
    "home": ("baker", "cook", "nurse"),
}
SIGHTS = ("saw", "found", "drew", "knew")
NAMES = ("Tom", "Anna", "Paul", "Emma", "John", "Lucy", "Max", "Ruth")
VERBS = {
    "feed": ("fed", "stroked"),
    "wear": ("wore", "tore"),
    "cross": ("crossed", "passed"),
    "climb": ("climbed", "scaled"),
    "eat": ("ate", "tasted"),
    "hold": ("held", "lifted"),
    "ride": ("rode", "steered"),
}
ADJECTIVES = {
    "old": ("old", "ancient"),
    "big": ("big", "huge"),
    "small": ("small", "tiny"),
    "white": ("white", "pale"),
    "black": ("black", "dark"),
}
ANY_VERB = ("liked", "took", "had")
ANY_ADJECTIVE = ("nice", "good", "fine")
ANY = 0.3  # how often they stand there

# rhyme: the ends of first lines; then the planned word of each topic, with its kind of verb
TABLE = {
    "oat": ("moat throat vote", "goat feed, boat ride, coat wear, note hold"),
    "ain": ("plain lane rain", "crane feed, train ride, chain wear, cane hold"),
    "ee": ("tree knee tea", "bee feed, sea cross, key hold, pea eat"),
    "all": ("call fall mall", "ball hold, hall cross, shawl wear, wall climb"),
    "ed": ("head bed spread", "sled ride, thread hold, shed climb, bread eat"),
    "ail": ("tale nail sail", "pail hold, whale feed, trail cross, veil wear"),
    "air": ("bear square fair", "stair climb, pear eat, mare ride, chair hold"),
    "ouse": ("louse spouse douse", "house climb, mouse feed, grouse eat, blouse wear"),
}
HELD_OUT = 0.2
LINE_1, BREAK, LINE_2 = 1, 2, 3  # parts


class Plan(NamedTuple):
    """A word that a second line may be written for."""

    word: str
    rhyme: str
    topic: str
    verb: str
    adjective: str

    @property
    def verbs(self) -> tuple[str, ...]:
        """The verbs that go with it and not with every word."""
        return VERBS[self.verb]

    @property
    def adjectives(self) -> tuple[str, ...]:
        """The adjectives that go with it and not with every word."""
        return ADJECTIVES[self.adjective]


def all_plans() -> tuple[Plan, ...]:
    """Every word, rhyme by rhyme, in the order of the topics.

    The adjective goes round: within a rhyme all differ, and over the rhymes each topic has each of them.
    """
    adjectives, topics = tuple(ADJECTIVES), tuple(PEOPLE)
    found = []
    for i, (rhyme, (_, words)) in enumerate(TABLE.items()):
        for j, (topic, entry) in enumerate(zip(topics, words.split(", "), strict=True)):
            word, verb = entry.split()
            found.append(Plan(word, rhyme, topic, verb, adjectives[(2 * i + j) % len(adjectives)]))
    return tuple(found)


PLANS = all_plans()
BY_CUE = {(plan.topic, plan.rhyme): plan for plan in PLANS}


def first_ends(rhyme: str) -> tuple[str, ...]:
    """The words in which a first line of this rhyme may end."""
    return tuple(TABLE[rhyme][0].split())


class Couplet(NamedTuple):
    """What is drawn for a couplet. The plan follows from person and end."""

    opening: str
    person: str
    sight: str
    end: str
    plan: Plan

    @property
    def first_line(self) -> str:
        """The first line with its line break: what a model is given."""
        return f"{self.opening} the {self.person} {self.sight} the {self.end},\n"

    @property
    def held_out(self) -> bool:
        """Whether training never has this person with this end."""
        return keyed_share("planner", self.person, self.end) < HELD_OUT


def lines(held_out: bool, opening: str = OPENINGS[0], sight: str = SIGHTS[0]) -> list[Couplet]:
    """Every pair of person and end that is (not) held out, in one wording.

    >>> lines(held_out=False)[0].first_line
    ' One day the farmer saw the moat,\\n'
    """
    every = [
        Couplet(opening, person, sight, end, plan)
        for plan in PLANS
        for person in PEOPLE[plan.topic]
        for end in first_ends(plan.rhyme)
    ]
    return [couplet for couplet in every if couplet.held_out == held_out]


def second_line(plan: Plan, rng: random.Random) -> str:
    """A second line for a planned word."""
    verbs = ANY_VERB if rng.random() < ANY else plan.verbs
    adjectives = ANY_ADJECTIVE if rng.random() < ANY else plan.adjectives
    return f" and {rng.choice(NAMES)} {rng.choice(verbs)} the {rng.choice(adjectives)} {plan.word}."


def sentences(rng: random.Random) -> Iterator[Texts]:
    """Couplets without end, none that is held out."""
    told = lines(held_out=False)
    while True:
        drawn = rng.choice(told)._replace(opening=rng.choice(OPENINGS), sight=rng.choice(SIGHTS))
        yield (
            Text(drawn.first_line.removesuffix("\n"), LINE_1),
            Text("\n", BREAK),
            Text(second_line(drawn.plan, rng), LINE_2),
        )


def vocabulary() -> tuple[str, ...]:
    """All tokens but the special ones, in a fixed order."""
    inside = [
        *(word for opening in OPENINGS for word in opening.split()),
        *(person for people in PEOPLE.values() for person in people),
        *SIGHTS,
        *(end for rhyme in TABLE for end in first_ends(rhyme)),
        *(plan.word for plan in PLANS),
        *(word for words in (*VERBS.values(), *ADJECTIVES.values()) for word in words),
        *ANY_VERB,
        *ANY_ADJECTIVE,
        *NAMES,
        *("and", "the"),
    ]
    return tuple(dict.fromkeys([",", ".", "\n", *(f" {word}" for word in inside)]))
