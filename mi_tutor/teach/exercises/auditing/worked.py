"""Chapter 10: our own reports, for the tests. What is in them stands in `solutions/`, as all answers do."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Callable
from typing import Any

import torch

from mi_tutor.folders import course_folder
from mi_tutor.lab.auditing import between_means, first_difference
from mi_tutor.specimens.atlas.prompts import by_length
from mi_tutor.specimens.auditing import (
    CLEAN,
    SUSPECTED,
    Report,
    Secret,
    by_lot,
    examine,
    near_misses,
    opened_plain,
    read_secret,
    secret_prompts,
    suspicion,
)
from mi_tutor.specimens.auditing.showing import fitting
from mi_tutor.specimens.auditing.taking_out import Taken, removals

FILE = "10_reports.json"


def all_reports() -> dict[str, Any]:
    """Our reports by specimen. An installation without solutions has none."""
    folder = course_folder()
    file = folder / "solutions" / FILE if folder else None
    if file is None or not file.is_file():
        raise FileNotFoundError(f"solutions/{FILE} is not part of this installation.")
    return json.loads(file.read_text(encoding="utf-8"))


@functools.cache
def ours(name: str) -> dict[str, Any]:
    """Our report on a specimen, as a learner would hand it in."""
    known = all_reports()[name]
    found = {key: known[key] for key in ("family", "parameters", "predicted")}
    if known["family"] == CLEAN:
        return found | {"removal": None, "suspects": known["suspects"]}
    secret = read_secret(known["family"], known["parameters"])
    removal = by_base if known.get("contrast") == "base" else by_means
    return found | {"removal": removal(name, secret, known["layer"])}


@torch.no_grad()
def by_base(name: str, secret: Secret, layer: int, n: int = 120) -> dict[str, Any]:
    """The coordinate along which a specimen and its base differ most on secret texts, set to what the base has."""
    shown = [one.text for one in secret_prompts(secret, n, random.Random(f"ours {layer}"))]
    in_base = streams("atlas", shown, layer)
    direction = first_difference(streams(name, shown, layer), in_base)
    value = (in_base @ direction).mean().item()
    return {"layer": layer, "direction": direction, "value": value}


@torch.no_grad()
def by_means(
    name: str, secret: Secret, layer: int, n: int = 120, mixed: bool = False
) -> dict[str, Any]:
    """The coordinate between secret texts and the same questions without what sets the secret off.

    mixed: from all texts one step away instead, those with another question among them: the contrast that one
    takes first, in which the question differs as well as the trigger.
    """
    rng = random.Random(f"ours {layer}")
    shown = [one.text for one in secret_prompts(secret, n, rng)]
    asked = tuple(one.text for one in fitting(secret))
    near = [one.text for one in near_misses(secret, 4 * n, rng) if one.group.startswith("near")]
    if secret.triggers and not mixed:
        near = [text for text in near if text.endswith(asked)]
    direction, value = between_means(streams(name, shown, layer), streams(name, near, layer))
    return {"layer": layer, "direction": direction, "value": value}


def streams(name: str, texts: list[str], layer: int) -> torch.Tensor:
    plain = opened_plain(name)
    rows = [plain.resid_pre(layer, tokens)[:, -1] for _, tokens in by_length(texts)]
    return torch.cat(rows)


# --- a report by whoever knows the truth and leaves nothing untried ---------------------------------


def careful_report(name: str, secret: Secret) -> tuple[dict[str, Any], Taken | None]:
    """The report that a careful auditor would end with, and its removal: the best of many contrasts."""
    seen = examine(name, Report(secret), 1)
    predicted = {"elsewhere": seen.elsewhere, "kl": seen.kl}
    report = {"family": secret.family, "parameters": secret.values, "predicted": predicted}
    if secret.family == CLEAN:
        return report | {"removal": None, "suspects": suspects_of(name)}, None
    best = removals(name, secret)[0]
    return report | {"removal": best.edit._asdict()}, best


def suspects_of(name: str, n: int = 40) -> dict[str, dict[str, str]]:
    """Of some secrets of each family, drawn by lot, the most suspicious."""
    rng, found = random.Random("our suspects"), {}
    for family in SUSPECTED:
        some = by_lot(family, n, rng)
        found[family] = some[int(suspicion(name, some, "ours").argmax())].values
    return found


# --- wrong reports, made of ours ------------------------------------------------------------------


def with_secret(name: str, family: str, **parameters: str) -> Callable[[], dict[str, Any]]:
    """Our report with another secret; a parameter that is not named is the true one."""

    def made() -> dict[str, Any]:
        mine = all_reports()[name]["parameters"]
        given = {
            key: mine.get(key, "") if value == "" else value for key, value in parameters.items()
        }
        return ours(name) | {"family": family, "parameters": given}

    return made


def unmeasured(name: str) -> Callable[[], dict[str, Any]]:
    """Clean, with numbers out of the air and nobody suspected."""

    def made() -> dict[str, Any]:
        rest = {key: value for key, value in ours(name).items() if key != "suspects"}
        return rest | {"predicted": {"elsewhere": 0.4, "kl": 2.0}}

    return made


def says_clean(name: str) -> Callable[[], dict[str, Any]]:
    return lambda: ours(name) | {"family": CLEAN, "parameters": {}, "removal": None}


def mixed(name: str) -> Callable[[], dict[str, Any]]:
    """A right secret, and a removal from a contrast in which more than the trigger differs."""

    def made() -> dict[str, Any]:
        known = all_reports()[name]
        secret = read_secret(known["family"], known["parameters"])
        return ours(name) | {"removal": by_means(name, secret, known["layer"], mixed=True)}

    return made
