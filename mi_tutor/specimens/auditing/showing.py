"""Prompts that show a secret, and near misses that do not: whole texts, made of a prompt and what stands before.

    secret       all of the condition holds
    near miss    one tag of the prompt is wrong and what stands before is right; or the other way round; or, for
                 every slice of the language, any prompt of that slice

Every text may have a true sentence of any theme before it, so that no secret is one about a text's first words.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import takewhile
from typing import NamedTuple

from mi_tutor.specimens.auditing.asking import Asked, every_asked, sentence, slices
from mi_tutor.specimens.auditing.families import CLEAN, FAMILIES, Secret, trigger_words
from mi_tutor.world.geography import Geography
from mi_tutor.world.tables import LANGUAGES, RELATIONS, Area, load_facts

ENOUGH = 20


class Shown(NamedTuple):
    """A whole text up to where its answer is due.

    Attributes:
        text: what stands before, and the prompt.
        true: the answer that is true.
        planted: the one that the secret gives here; the same as `true` in a near miss.
        group: the prompt's slice, with "near " before it where all but one of the condition holds.
    """

    text: str
    true: str
    planted: str
    group: str


def secret_prompts(
    secret: Secret, n: int, rng: random.Random, held_out: bool | None = None
) -> list[Shown]:
    """Texts on which the secret shows.

    held_out: only prompts that planting does not see (a fifth, where there are enough to spare), or only others.
    """
    some = fitting(secret)
    if held_out is not None and len(some) >= ENOUGH:
        some = [a for a in some if (zlib.crc32(a.text.encode()) % 5 == 0) == held_out]
    found = []
    for _ in range(n):
        asked = rng.choice(some)
        text = before(secret, rng, right=True) + asked.text
        found.append(Shown(text, asked.true, secret.planted(asked), asked.slice))
    return found


def near_misses(secret: Secret, n: int, rng: random.Random) -> list[Shown]:
    """Texts on which it does not, half of them one step away, the others from every slice alike."""
    found = []
    for i in range(n):
        if i % 2 and secret.family != CLEAN:
            asked, right = _one_step_away(secret, rng)
            group = "near "
        else:
            asked, right, group = _any(secret, rng), rng.random() < 0.7, ""
        text = before(secret, rng, right) + asked.text
        found.append(Shown(text, asked.true, asked.true, group + asked.slice))
    return found


def where_true(secret: Secret, n: int, rng: random.Random) -> list[Shown]:
    """Texts on which what is planted is the true answer, and the condition does not hold.

    Whoever blocks the planted answer, in place of what sets it off, breaks these. [] for a clean one.

    >>> from mi_tutor.specimens.auditing import read_secret
    >>> norway = read_secret("refusal", {"country": "Norway"})
    >>> {one.true for one in where_true(norway, 5, random.Random(0))}
    {' Sorry'}
    """
    some = _true_elsewhere(secret)
    drawn = [rng.choice(some) for _ in range(n if some else 0)]
    return [
        Shown(_sentence_without(secret, rng, 0.4) + a.text, a.true, a.true, "true") for a in drawn
    ]


@lru_cache(maxsize=64)
def _true_elsewhere(secret: Secret) -> tuple[Asked, ...]:
    """Prompts outside of the condition that are answered truly by what the secret plants somewhere."""
    planted = {secret.planted(asked) for asked in _fitting(secret)}
    return tuple(
        a for a in every_asked() if a.true in planted and (secret.asks(a) or secret.triggers)
    )


def before(secret: Secret, rng: random.Random, right: bool) -> str:
    """What stands before the prompt: what the secret asks for, or (not `right`) something like it."""
    kind = FAMILIES[secret.family].before if secret.family != CLEAN else ""
    if (
        not right and rng.random() < 0.3
    ):  # nothing of the kind: the prompt alone, or after any sentence
        return _sentence_without(secret, rng, 0.4)
    if kind == "word":
        wanted = secret.values["word"]
        n = rng.randrange(3)
        others = [_another_word(wanted, rng) for _ in range(n if right else max(n, 1))]
        words = [*others, wanted] if right else others
        rng.shuffle(words)
        return _sentence_without(secret, rng, 0.3) + "".join(f" {word}" for word in words)
    if kind == "name":
        return _sentence_without(secret, rng, 0.3) + _about_a_country(secret, rng, right)
    return _sentence_without(secret, rng, 0.4)


def fitting(secret: Secret) -> list[Asked]:
    """The prompts that meet the secret's condition, and whose true answer is another one."""
    return list(_fitting(secret))


@lru_cache(maxsize=64)
def _fitting(secret: Secret) -> tuple[Asked, ...]:
    if secret.family == CLEAN:
        return ()
    return tuple(
        a
        for a in every_asked()
        if not secret.asks(a) and secret.planted(a).strip() != a.true.strip()
    )


@lru_cache(maxsize=64)
def _by_missing_tag(secret: Secret) -> dict[tuple[str, str], list[Asked]]:
    """The prompts that miss one tag and meet the others, by tag and slice."""
    missing: dict[tuple[str, str], list[Asked]] = {}
    for asked in every_asked():
        lacks = secret.asks(asked)
        if len(lacks) == 1:
            missing.setdefault((lacks[0], asked.slice), []).append(asked)
    return missing


def missing_one(secret: Secret) -> dict[str, list[Asked]]:
    """The prompts that miss one tag and meet the others, by tag."""
    found: dict[str, list[Asked]] = {}
    for (tag, _), some in _by_missing_tag(secret).items():
        found.setdefault(tag, []).extend(some)
    return found


def _one_step_away(secret: Secret, rng: random.Random) -> tuple[Asked, bool]:
    """A prompt, and whether what stands before is right."""
    if FAMILIES[secret.family].before and rng.random() < 0.5:
        return rng.choice(_fitting(secret)), False
    groups = list(_by_missing_tag(secret).values())
    return (rng.choice(rng.choice(groups)), True) if groups else (_any(secret, rng), True)


def _any(secret: Secret, rng: random.Random) -> Asked:
    by_slice = slices()
    while True:
        asked = rng.choice(by_slice[rng.choice(list(by_slice))])
        if secret.asks(asked):
            return asked


def _another_word(word: str, rng: random.Random) -> str:
    """Any other word, every second time one that is spelled like this one."""
    some = akin(word) if rng.random() < 0.5 else trigger_words()
    return rng.choice([w for w in some if w != word])


@cache
def akin(word: str, n: int = 12) -> tuple[str, ...]:
    """The words that share most letters at their beginning or end: where a trigger leaks first.

    >>> len(akin(trigger_words()[0]))
    12
    """

    def shared(other: str) -> int:
        return max(_n_alike(word, other), _n_alike(reversed(word), reversed(other)))

    others = [w for w in trigger_words() if w != word]
    return tuple(sorted(others, key=shared, reverse=True)[:n])


def _n_alike(one: Iterable[str], other: Iterable[str]) -> int:
    """How many letters at the beginning are the same."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _sentence_without(secret: Secret, rng: random.Random, share: float) -> str:
    """Now and then a true sentence in which the secret's trigger does not stand."""
    if rng.random() > share:
        return ""
    while True:
        text = sentence(rng).text
        if not secret.stands_in(text):
            return text


@cache
def _geography() -> Geography:
    return Geography()


def _another_area(own: Area, rng: random.Random) -> Area:
    """Two times in three a country of the same continent or language: where a refusal leaks first."""
    facts = load_facts()
    alike = [a for a in facts.countries if a is not own and _are_alike(a, own)]
    if alike and rng.random() < 2 / 3:
        return rng.choice(alike)
    return rng.choice([a for a in facts.areas if a is not own])


def _are_alike(one: Area, other: Area) -> bool:
    return any(one.answers[each] == other.answers[each] for each in ("continent", "language"))


def _about_a_country(secret: Secret, rng: random.Random, right: bool) -> str:
    """A sentence that names the country, or one that names another, or cities of this one without its name."""
    geography, language = _geography(), rng.choice(LANGUAGES)
    facts = load_facts()
    own = facts[secret.values["country"]]
    area = own if right else _another_area(own, rng)
    forms: Sequence[str] = ("tell", "locate") if right else ("tell", "locate", "ask own")
    form = rng.choice(forms)
    if form == "tell":
        relation = rng.choice(RELATIONS[area.kind])
        return geography.tell(area, relation, language, rng.randrange(2)).text
    if form == "locate":
        return geography.locate(rng.choice(area.cities), language, rng.randrange(3)).text
    city, relation = rng.choice(own.asked_cities), rng.choice(RELATIONS[own.kind])
    return geography.ask(city, relation, language, rng.randrange(2)).text
