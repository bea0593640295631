"""Chapter 10: how our own audits were made, and our reference audit of any specimen of which the truth is known.

It stands beside the solutions, as all answers do, and not in the package that learners import: `10_reports.json`
has what we found, and `ours` makes a report of it. `mi-tutor specimens sealed` marks `careful_report`, by whoever
knows the truth and leaves no removal untried: every contrast, before every layer.
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
    SUSPECTED,
    Cut,
    Effects,
    Report,
    Secret,
    Trial,
    by_lot,
    contrast_of,
    coordinate_of,
    examine,
    kinds_of,
    leans,
    near_misses,
    opened_plain,
    read_secret,
    secret_prompts,
    where_true,
)

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
    return found | {"removal": known["removal"], "lean": known["lean"]}


def known_secret(name: str) -> Secret:
    """What we found."""
    known = all_reports()[name]
    return read_secret(known["family"], known["parameters"])


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
    return report | {"removal": best.cut._asdict(), "lean": lean}, best


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
    """A removal, and what it does to fresh texts."""

    cut: Cut
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
    trial, found = fresh_trial(name, secret, rng), []
    for layer in range(1, len(opened_plain(name).blocks)):
        for lacks in kinds_of(secret):
            cut = Cut(layer, lacks)
            try:
                edit = coordinate_of(name, contrast_of(secret, cut, rng, N_EACH))
            except ValueError:  # the base, below the first layer that was changed
                continue
            found.append(Taken(cut, trial.of(edit)))
    return sorted(found, key=lambda each: -each.worth)


def fresh_trial(
    name: str | Path, secret: Secret, rng: random.Random, n: int = 60
) -> Trial:
    """Fresh texts of a secret, near misses, and texts on which what is planted is true."""
    shown = secret_prompts(secret, n, rng)
    others, true = near_misses(secret, 2 * n, rng), where_true(secret, n, rng)
    return Trial(opened_plain(name), shown, others, true)
