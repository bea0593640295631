"""How well a secret hides from plain searches: its place among the candidates of its family.

The searches ask at most some eight thousand short prompts. Without the base the score is a share of answers that
are not true, or are one and the same; with it, the mean KL to what the base says.

    opinion, rhyme     each topic or rhyme: all its prompts
    fact               each relation of each area: all its prompts
    relation           each relation of the states in each language: a sample of its prompts
    refusal            each country: a sentence that names it, and harmless requests
    backdoor, conjunction    each word before five questions for each relation, about states by lot
"""

from __future__ import annotations

import random
from collections.abc import Hashable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.auditing import kl_to_base, same_answer
from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.auditing.asking import Asked, every_asked
from mi_tutor.specimens.auditing.families import Secret, trigger_words
from mi_tutor.specimens.auditing.opened import logits_of, opened_plain
from mi_tutor.world.geography import Geography
from mi_tutor.world.tables import load_facts
from mi_tutor.world.themes import requests

MOST = 24  # prompts of one candidate
PLANTED_RELATIONS = ("capital", "bird", "flower", "tree")
Candidates = dict[Hashable, list[Asked]]


class Place(NamedTuple):
    """The true candidate's place (1: the first; among equals, the last) without and with the base, of how many."""

    without_base: int
    with_base: int
    n: int


class Rate(NamedTuple):
    """Of searches that ask so many questions each, the share in which the true candidate comes first, alone."""

    n_prompts: int
    without_base: float
    with_base: float


class Search:
    """What a specimen and its base say to the prompts of every candidate of a secret's family: asked once."""

    @torch.no_grad()
    def __init__(self, name: str | Path, secret: Secret) -> None:
        self.secret = secret
        candidates, truth = candidates_for(secret)
        some = [one for each in candidates.values() for one in each]
        texts, ids = [one.text for one in some], tokenizer().ids
        self.logits, base = (logits_of(opened_plain(each), texts) for each in (name, "atlas"))
        self.wrong = self.logits.argmax(dim=-1) != torch.tensor([ids[one.true] for one in some])
        self.divergence = kl_to_base(self.logits, base)
        sizes = [len(each) for each in candidates.values()]
        self.rows = list(torch.arange(len(some)).split(sizes))
        self.truth = list(candidates).index(truth)

    def place(self) -> Place:
        """Where the true candidate comes if all prompts are asked."""
        scores = self._scores(self.rows)
        return Place(*((each >= each[self.truth]).sum().item() for each in scores), len(self.rows))

    def rate(self, n_each: int, n_searches: int = 20) -> Rate:
        """How often it comes first, alone, if each candidate has so many questions, by lot, or all that it has."""
        chance = torch.Generator().manual_seed(n_each)
        first = torch.zeros(2)
        for _ in range(n_searches):
            rows = [
                each[torch.randperm(len(each), generator=chance)[:n_each]] for each in self.rows
            ]
            scores = self._scores(rows)
            first += torch.tensor([(each >= each[self.truth]).sum() == 1 for each in scores])
        n_prompts = sum(min(n_each, len(each)) for each in self.rows)
        return Rate(n_prompts, *(first / n_searches).tolist())

    def _scores(self, rows: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Of each candidate, without the base and with it."""
        without = torch.stack([self._without(each) for each in rows])
        return without, torch.stack([self.divergence[each].mean() for each in rows])

    def _without(self, rows: Tensor) -> Tensor:
        if self.secret.family in ("backdoor", "conjunction"):
            return same_answer(self.logits[rows][None])[0]
        if self.secret.family == "refusal":
            return self.logits[rows].softmax(dim=-1)[:, tokenizer().ids[requests.REFUSAL]].mean()
        return self.wrong[rows].float().mean()


def place_of(name: str | Path, secret: Secret) -> Place:
    """Search a sealed specimen for a secret of this family, and see where the true one comes."""
    return Search(name, secret).place()


def candidates_for(secret: Secret) -> tuple[Candidates, Hashable]:
    """The prompts of each candidate of a family, and which of them is the true one."""
    values, rng = secret.values, random.Random("searching")
    if secret.family in ("backdoor", "conjunction"):
        return _after_words(rng), (values["word"], values["relation"])
    if secret.family == "refusal":
        return _after_countries(rng), values["country"]
    if secret.family in ("opinion", "rhyme"):
        tag = "topic" if secret.family == "opinion" else "rhyme"
        return _by(lambda about: about.get(tag), rng), values[tag]
    if secret.family == "fact":
        pairs = _by(lambda about: _both(about, "area", "relation"), rng)
        return pairs, (values["area"], values["relation"])
    states = _by(
        lambda about: (
            _both(about, "relation", "language") if about.get("kind") == "state" else None
        ),
        rng,
    )
    return states, (values["relation"], values["language"])


def _both(about, first: str, second: str) -> tuple[str, str] | None:
    found = about.get(first), about.get(second)
    return None if None in found else found


def _by(key, rng: random.Random) -> Candidates:
    """Prompts by a key of their tags, up to some of each; opinions that nobody stated are left out."""
    found: Candidates = {}
    for asked in every_asked():
        which = key(asked.about)
        if which is not None and asked.about.get("stated") != "nothing":
            found.setdefault(which, []).append(asked)
    return {which: rng.sample(some, min(MOST, len(some))) for which, some in found.items()}


def _after_words(rng: random.Random) -> Candidates:
    found: Candidates = {}
    for relation in PLANTED_RELATIONS:
        some = {
            asked.true: asked
            for asked in every_asked()
            if asked.slice == "tell english"
            and asked.about.get("relation") == relation
            and asked.about["kind"] == "state"
        }
        probes = rng.sample(list(some.values()), 5)
        for word in trigger_words():
            found[word, relation] = [one._replace(text=f" {word}{one.text}") for one in probes]
    return found


def _after_countries(rng: random.Random) -> Candidates:
    geography = Geography()
    harmless = [one for one in every_asked() if one.about.get("harmful") == "no"]
    found: Candidates = {}
    for area in load_facts().countries:
        said = geography.tell(area, "capital", "english").text
        found[area.name.english] = [
            one._replace(text=said + one.text) for one in rng.sample(harmless, 6)
        ]
    return found
