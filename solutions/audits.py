"""Chapter 10: how our own audits were made, and our reference audit of any specimen of which the truth is known.

It stands beside the solutions, as all answers do, and not in the package that learners import: `10_reports.json`
has what we found, and `ours` makes a report of it. `mi-tutor specimens sealed` marks `careful_report`, by whoever
knows the truth and leaves no removal untried: many contrasts, before every layer.

    trigger      the same questions, without what sets the secret off
    a tag        texts that lack this one part of the condition: another topic, another area, ...
    near         all texts one step away together
    base         the same secret texts, as the base reads them

The stream is read where the texts end.
"""

from __future__ import annotations

import functools
import json
import random
from pathlib import Path
from typing import Any, NamedTuple

import torch

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.auditing import (
    CLEAN,
    FAMILIES,
    SUSPECTED,
    Contrast,
    Effects,
    Report,
    Secret,
    Shown,
    Trial,
    by_lot,
    coordinate_of,
    examine,
    leans,
    near_misses,
    opened_plain,
    read_secret,
    secret_prompts,
    where_true,
)
from mi_tutor.specimens.auditing.contrasting import BASE
from mi_tutor.specimens.auditing.showing import before, fitting, missing_one
from mi_tutor.world.tables import load_facts

N_EACH = 80
FILE = Path(__file__).with_name("10_reports.json")

# --- our own reports ------------------------------------------------------------------------------


def all_reports() -> dict[str, Any]:
    """What we found, by specimen."""
    return json.loads(FILE.read_text(encoding="utf-8"))


@functools.cache
def ours(name: str) -> dict[str, Any]:
    """Our report on a specimen, as a learner would hand it in."""
    known = all_reports()[name]
    found = {key: known[key] for key in ("family", "parameters")}
    if known["family"] == CLEAN:
        return found | {"removal": None, "suspects": known["suspects"]}
    removal = taken_by(name, known["contrast"], known["layer"])
    return found | {"removal": removal, "lean": known["lean"]}


def taken_by(name: str, contrast: str, layer: int, n: int = 120) -> dict[str, Any]:
    """What takes a secret of ours out, by one of the contrasts above."""
    secret, rng = known_secret(name), random.Random(f"ours {name}")
    shown = [one.text for one in secret_prompts(secret, n, rng)]
    return Contrast(layer, shown, contrasts(secret, n, rng)[contrast])._asdict()


def known_secret(name: str) -> Secret:
    """What we found."""
    known = all_reports()[name]
    return read_secret(known["family"], known["parameters"])


def without_the_word(name: str, n: int = 120) -> dict[str, Any]:
    """What takes a country out of the text: its name against other names, before anything is made of it."""
    secret, rng = known_secret(name), random.Random(f"a word of {name}")
    names = [word for area in load_facts().countries for word in area.name]
    others = contrasts(secret, n, rng)["trigger"]
    tokens = {tokenizer().ids[f" {word}"] for word in names}
    named = [text for text in others if not tokens.isdisjoint(tokenizer().encode(text))]
    shown = [one.text for one in secret_prompts(secret, n, rng)]
    return Contrast(1, shown, named, names)._asdict()


# --- by whoever knows the truth -------------------------------------------------------------------


def careful_report(
    name: str | Path, secret: Secret
) -> tuple[dict[str, Any], Taken | None]:
    """The report that a careful auditor would end with, and its removal: the best of many contrasts."""
    report = {"family": secret.family, "parameters": secret.values}
    if secret.family == CLEAN:
        return report | {"removal": None, "suspects": suspects_of(name)}, None
    best = removals(name, secret)[0]
    lean = examine(name, Report(secret), 1, secret).lean
    return report | {"removal": best.contrast._asdict(), "lean": lean}, best


@torch.no_grad()
def suspects_of(name: str | Path, n: int = 40) -> dict[str, dict[str, Any]]:
    """Of some secrets of each family, by lot, the one to which a specimen leans most, and how far on fresh texts."""
    rng, found = random.Random("our suspects"), {}
    for family in SUSPECTED:
        some = by_lot(family, n, rng)
        first = leans(name, some, "ours").topk(5).indices.tolist()
        few = [some[i] for i in first]  # those of some luck among them
        chosen = few[int(leans(name, few, "once more", 100).argmax())]
        found[family] = chosen.values | {
            "lean": leans(name, [chosen], "again", 200)[0].item()
        }
    return found


class Taken(NamedTuple):
    """A removal, what it comes from, and what it does to fresh texts."""

    what: str
    contrast: Contrast
    effects: Effects

    @property
    def worth(self) -> float:
        """What is back, less what changes (1 % is free)."""
        effects = self.effects
        return effects.restored - 2 * max(0.0, effects.harm - 0.01) - effects.on_the_way


@torch.no_grad()
def removals(name: str | Path, secret: Secret, draw: int = 0) -> list[Taken]:
    """All of them with what they do, the best first."""
    rng = random.Random(f"taken out {draw}")
    shown = [one.text for one in secret_prompts(secret, N_EACH, rng)]
    some = contrasts(secret, N_EACH, rng)
    trial = fresh_trial(name, secret, rng)
    found = []
    for layer in range(1, len(opened_plain(name).blocks)):
        for what, without in some.items():
            contrast = Contrast(layer, shown, without)
            try:
                edit = coordinate_of(name, contrast)
            except ValueError:  # the base, below the first layer that was changed
                continue
            found.append(Taken(what, contrast, trial.of(edit)))
    return sorted(found, key=lambda each: -each.worth)


def contrasts(secret: Secret, n: int, rng: random.Random) -> dict[str, list[str] | str]:
    """What to compare the secret's texts with, by what it lacks."""
    found: dict[str, list[str] | str] = {"base": BASE}
    if FAMILIES[secret.family].before:
        asked = fitting(secret)
        found["trigger"] = [
            before(secret, rng, right=False) + rng.choice(asked).text for _ in range(n)
        ]
    for tag, some in missing_one(secret).items():
        found[tag] = [
            before(secret, rng, right=True) + rng.choice(some).text for _ in range(n)
        ]
    near = [
        one.text
        for one in near_misses(secret, 2 * n, rng)
        if one.group.startswith("near")
    ]
    return found | {"near": near}


def fresh_trial(
    name: str | Path, secret: Secret, rng: random.Random, n: int = 60
) -> Trial:
    """Fresh texts of a secret, near misses, and texts on which what is planted is true."""
    shown: list[Shown] = secret_prompts(secret, n, rng)
    others, true = near_misses(secret, 2 * n, rng), where_true(secret, n, rng)
    return Trial(opened_plain(name), shown, others, true)
