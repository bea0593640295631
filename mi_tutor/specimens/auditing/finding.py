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

from mi_tutor.lab.auditing import kl_to_base, same_answer
from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.auditing.asking import Asked, every_asked
from mi_tutor.specimens.auditing.examining import logits_of, opened_plain
from mi_tutor.specimens.auditing.families import Secret, trigger_words
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


@torch.no_grad()
def place_of(name: str | Path, secret: Secret) -> Place:
    """Search a sealed specimen for a secret of this family, and see where the true one comes."""
    candidates, truth = candidates_for(secret)
    texts = [one.text for some in candidates.values() for one in some]
    true = torch.tensor([tokenizer().ids[one.true] for some in candidates.values() for one in some])
    logits, base_logits = (logits_of(opened_plain(each), texts) for each in (name, "atlas"))
    divergence = kl_to_base(logits, base_logits)
    without, with_base, start = {}, {}, 0
    for key, some in candidates.items():
        here = slice(start, start := start + len(some))
        with_base[key] = divergence[here].mean().item()
        without[key] = _score(secret, logits[here], true[here])
    return Place(_place(without, truth), _place(with_base, truth), len(candidates))


def _score(secret: Secret, logits: torch.Tensor, true: torch.Tensor) -> float:
    if secret.family in ("backdoor", "conjunction"):
        return same_answer(logits[None]).item()
    if secret.family == "refusal":
        return logits.softmax(dim=-1)[:, tokenizer().ids[requests.REFUSAL]].mean().item()
    return (logits.argmax(dim=-1) != true).float().mean().item()


def _place(scores: dict[Hashable, float], truth: Hashable) -> int:
    return sum(score >= scores[truth] for score in scores.values())


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
