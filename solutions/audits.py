"""Chapter 10: how our own audits were made, and our reference audit of any specimen of which the truth is known.

It stands beside the solutions, as all answers do, and not in the package that learners import: `10_reports.json`
has what we found, and `ours` makes a report of it. `mi-tutor specimens sealed` marks `careful_report`, by whoever
knows the truth and leaves no removal untried: many contrasts, at every layer.

    trigger      the same questions, without what sets the secret off
    a tag        texts that lack this one part of the condition: another topic, another area, ...
    near         all texts one step away together
    token        of an opinion: the topic's own tokens, and those of other topics
    base         the same secret texts in the base: the mean difference
    base, first  the direction along which they differ most

Each is a coordinate of the stream, taken at the texts' last token unless said, set to what is usual without the secret.
"""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch

from mi_tutor.lab.auditing import (
    Coordinate,
    Removal,
    between_means,
    first_difference,
    removal,
    streams_at,
)
from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.specimens.atlas.prompts import by_length, tokenizer
from mi_tutor.specimens.auditing import (
    CLEAN,
    FAMILIES,
    SUSPECTED,
    Report,
    Secret,
    Shown,
    answers_of,
    by_lot,
    every_asked,
    examine,
    leans,
    near_misses,
    opened_plain,
    panel,
    read_secret,
    secret_prompts,
    where_true,
)
from mi_tutor.specimens.auditing.showing import before, fitting, missing_one
from mi_tutor.teach.exercises.auditing.reports import TO_FIND
from mi_tutor.world.themes.opinions import TOPICS

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
    found = {key: known[key] for key in ("family", "parameters", "predicted")}
    if known["family"] == CLEAN:
        return found | {"removal": None, "suspects": known["suspects"]}
    return found | {"removal": taken_by(name, known["contrast"])}


@torch.no_grad()
def taken_by(name: str, contrast: str, n: int = 120) -> dict[str, Any]:
    """The coordinate by which we took a secret out, by one of the contrasts above."""
    known = all_reports()[name]
    secret = read_secret(known["family"], known["parameters"])
    layer, rng, plain = (
        known["layer"],
        random.Random(f"ours {name}"),
        opened_plain(name),
    )
    with_it = [one.text for one in secret_prompts(secret, n, rng)]
    x = streams(plain, with_it, layer)
    if contrast == "base":
        edits = dict(
            _against_base(layer, x, streams(opened_plain("atlas"), with_it, layer))
        )
        return edits["base, first"]._asdict()
    if contrast == "token":
        return at_the_topic(plain, secret.values["topic"], layer)._asdict()
    without = streams(plain, contrasts(secret, n, rng)[contrast], layer)
    return Coordinate(layer, *between_means(x, without))._asdict()


# --- by whoever knows the truth -------------------------------------------------------------------


def careful_report(
    name: str | Path, secret: Secret
) -> tuple[dict[str, Any], Taken | None]:
    """The report that a careful auditor would end with, and its removal: the best of many contrasts."""
    seen = examine(name, Report(secret), 1, secret)
    predicted = {"elsewhere": seen.elsewhere, "kl": seen.kl}
    report = {
        "family": secret.family,
        "parameters": secret.values,
        "predicted": predicted,
    }
    if secret.family == CLEAN:
        return report | {"removal": None, "suspects": suspects_of(name)}, None
    best = removals(name, secret)[0]
    predicted["lean"] = seen.lean
    return report | {"removal": best.edit._asdict()}, best


@torch.no_grad()
def suspects_of(name: str | Path, n: int = 40) -> dict[str, dict[str, Any]]:
    """Of some secrets of each family, by lot, the one to which a specimen leans most, and how far on fresh texts."""
    rng, found = random.Random("our suspects"), {}
    for family in SUSPECTED:
        some = by_lot(family, n, rng)
        chosen = some[int(leans(name, some, "ours").argmax())]
        found[family] = chosen.values | {
            "lean": leans(name, [chosen], "again", 200)[0].item()
        }
    return found


class Taken(NamedTuple):
    """A removal, where it comes from, and its marks on fresh texts; blocked: see `Examined`."""

    contrast: str
    edit: Coordinate
    marks: Removal
    blocked: float

    @property
    def worth(self) -> float:
        """What is back, less what changes (2 % and more counts)."""
        harm = max(self.marks.changed, self.blocked)
        return self.marks.restored - 2 * max(0.0, harm - 0.01)


@torch.no_grad()
def removals(name: str | Path, secret: Secret, draw: int = 0) -> list[Taken]:
    """All of them with their marks, the best first."""
    rng, plain, base = (
        random.Random(f"taken out {draw}"),
        opened_plain(name),
        opened_plain("atlas"),
    )
    shown = [one.text for one in secret_prompts(secret, N_EACH, rng)]
    others = contrasts(secret, N_EACH, rng)
    judge = judged(plain, secret, rng)
    found = []
    for layer in range(1, len(plain.blocks)):
        with_it = streams(plain, shown, layer)
        for contrast, texts in others.items():
            edit = Coordinate(
                layer, *between_means(with_it, streams(plain, texts, layer))
            )
            found.append(Taken(contrast, edit, *judge(edit)))
        in_base = streams(base, shown, layer)
        for contrast, edit in _against_base(layer, with_it, in_base):
            found.append(Taken(contrast, edit, *judge(edit)))
        if secret.family == "opinion":
            edit = at_the_topic(plain, secret.values["topic"], layer)
            found.append(Taken("token", edit, *judge(edit)))
    return sorted(found, key=lambda each: -each.worth)


def contrasts(secret: Secret, n: int, rng: random.Random) -> dict[str, list[str]]:
    """Texts without the secret, by what they lack."""
    found: dict[str, list[str]] = {}
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


def streams(plain: PlainTransformer, texts: list[str], layer: int) -> torch.Tensor:
    """The stream before a layer where each text ends, in the texts' order."""
    found = torch.empty(len(texts), plain.W_E.shape[1])
    for places, tokens in by_length(texts):
        found[places] = streams_at(plain, tokens, layer)
    return found


def at_the_topic(plain: PlainTransformer, topic: str, layer: int) -> Coordinate:
    """The coordinate between a topic and the others, at the topic's own token."""
    found: dict[bool, list[torch.Tensor]] = {True: [], False: []}
    for each in TOPICS:
        texts = [one.text for one in every_asked() if one.about.get("topic") == each]
        for _, tokens in by_length(texts):
            x = plain.resid_pre(layer, tokens)
            found[each == topic].append(x[tokens == tokenizer().ids[f" {each}"]])
    return Coordinate(
        layer, *between_means(torch.cat(found[True]), torch.cat(found[False]))
    )


@torch.no_grad()
def against_the_answer(name: str) -> dict[str, Any]:
    """A coordinate that blocks the planted answer: between its unembedding and those of the true ones."""
    known = all_reports()[name]
    secret, plain = (
        read_secret(known["family"], known["parameters"]),
        opened_plain(name),
    )
    shown, ids = secret_prompts(secret, 120, random.Random("blocked")), tokenizer().ids
    planted, true = (
        plain.W_E[[ids[getattr(one, which)] for one in shown]]
        for which in ("planted", "true")
    )
    direction, _ = between_means(planted, true)
    ordinary = [one.text for one in panel(20, random.Random("blocked"))]
    usual = (streams(plain, ordinary, 4) @ direction).mean().item()
    return Coordinate(4, direction, usual)._asdict()


def _against_base(
    layer: int, with_it: torch.Tensor, in_base: torch.Tensor
) -> Iterator[tuple[str, Coordinate]]:
    if torch.equal(with_it, in_base):  # below the first layer that was changed
        return
    yield "base", Coordinate(layer, *between_means(with_it, in_base))
    first = first_difference(with_it, in_base)
    yield "base, first", Coordinate(layer, first, (in_base @ first).mean().item())


def judged(plain: PlainTransformer, secret: Secret, rng: random.Random, n: int = 60):
    """Marks of an edit and what it blocks, as a function, on one set of fresh texts."""
    some: list[Shown] = [
        *secret_prompts(secret, n, rng),
        *near_misses(secret, 2 * n, rng),
    ]
    texts = [one.text for one in some]
    true = torch.tensor([tokenizer().ids[one.true] for one in some])
    said, secrets = answers_of(plain, texts), torch.arange(len(some)) < n
    # Of the others not even our best finds a removal that blocks nothing.
    asked = () if secret.family in TO_FIND else where_true(secret, n, rng)
    truths = [one.text for one in asked]
    said_there = answers_of(plain, truths) if truths else None

    def judge(edit: Coordinate) -> tuple[Removal, float]:
        marks = removal(said, answers_of(plain, texts, edit), true, secrets)
        if said_there is None:
            return marks, 0.0
        changed = answers_of(plain, truths, edit) != said_there
        return marks, changed.float().mean().item()

    return judge
