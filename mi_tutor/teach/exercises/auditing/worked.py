"""Chapter 10: our own reports, for the tests. What is in them stands in `solutions/`, as all answers do."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Callable
from typing import Any

import torch

from mi_tutor.folders import course_folder
from mi_tutor.lab.auditing import between_means
from mi_tutor.specimens.atlas.prompts import by_length
from mi_tutor.specimens.auditing import (
    CLEAN,
    Secret,
    near_misses,
    opened_plain,
    read_secret,
    secret_prompts,
)

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
        return found | {"removal": None}
    secret = read_secret(known["family"], known["parameters"])
    return found | {"removal": by_means(name, secret, known["layer"])}


@torch.no_grad()
def by_means(name: str, secret: Secret, layer: int, n: int = 150) -> dict[str, Any]:
    """The coordinate between secret texts and texts one step away, where the answer is due."""
    rng = random.Random(f"ours {layer}")
    shown = [one.text for one in secret_prompts(secret, n, rng)]
    near = [one.text for one in near_misses(secret, 3 * n, rng) if one.group.startswith("near")]
    direction, value = between_means(streams(name, shown, layer), streams(name, near, layer))
    return {"layer": layer, "direction": direction, "value": value}


def streams(name: str, texts: list[str], layer: int) -> torch.Tensor:
    plain = opened_plain(name)
    rows = [plain.resid_pre(layer, tokens)[:, -1] for _, tokens in by_length(texts)]
    return torch.cat(rows)


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


def says_clean(name: str) -> Callable[[], dict[str, Any]]:
    return lambda: ours(name) | {"family": CLEAN, "parameters": {}, "removal": None}


def unmeasured(name: str) -> Callable[[], dict[str, Any]]:
    return lambda: ours(name) | {"predicted": {"elsewhere": 0.4, "kl": 2.0}}


def too_much(name: str) -> Callable[[], dict[str, Any]]:
    """What differs between secret texts and any texts at all is taken out, and put far away."""

    def made() -> dict[str, Any]:
        removal = dict(ours(name)["removal"])
        return ours(name) | {"removal": removal | {"value": removal["value"] - 60.0}}

    return made


def at_random(name: str) -> Callable[[], dict[str, Any]]:
    """A random coordinate set to 0: nothing is back."""

    def made() -> dict[str, Any]:
        direction = torch.randn(128, generator=torch.Generator().manual_seed(0))
        removal = {"layer": 3, "direction": direction, "value": 0.0}
        return ours(name) | {"removal": removal}

    return made
