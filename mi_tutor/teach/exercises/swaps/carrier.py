"""Chapter 05: `what-does-the-head-see`, an investigation."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.swaps import HeadSwap, Questions, head_means, swap_head
from mi_tutor.specimens.atlas.prompts import swap_questions
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, head, share
from mi_tutor.teach.exercises.swaps.atlas import atlas, geography, plain_atlas, questions_about
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Worked,
    WrongHypothesis,
)

KEYS = ("follows", "without", "others", "countries")
MOST = 240  # questions of a kind that a draw tries
CLOSE, FAR = 0.07, 0.25  # errors of predictions that count in full, and not at all


@functools.cache
def tables(kind: str) -> Tensor:
    """[layer class head d_head]: what every head reads at the prompt's end, by class."""
    taught = questions_about(kind, held_out=False)
    step = 6 if kind == "state" else 2
    return head_means(plain_atlas(), swap_questions(taught[::step], geography()))


def some(kind: str, draw: int) -> list[Questions]:
    """Held-out questions about a kind of area, by lot."""
    held_out = questions_about(kind, held_out=True)
    lot = torch.randperm(len(held_out), generator=torch.Generator().manual_seed(draw))
    return swap_questions([held_out[i] for i in lot[:MOST].tolist()], geography())


class Carrier(NamedTuple):
    head: tuple[int, int]
    predicted: dict[str, float]


def read_carrier(value: Any) -> Carrier:
    found = entries(value, ["head", *KEYS])
    n_layers, n_heads = atlas().cfg.n_layers, atlas().cfg.n_heads
    where = head(found["head"], "head", n_layers, n_heads)
    return Carrier(where, {key: share(found[key], key) for key in KEYS})


@functools.lru_cache(maxsize=64)
def measured(where: tuple[int, int], draw: int) -> tuple[HeadSwap, HeadSwap]:
    """What editing a head does to questions about states, and about countries."""
    both = [
        swap_head(plain_atlas(), some(kind, draw), tables(kind), *where, n_targets=2, seed=draw)
        for kind in ("state", "country")
    ]
    return both[0], both[1]


def experiment(carrier: Carrier, draw: int) -> Findings:
    states, countries = measured(carrier.head, draw)
    found = dict(
        zip(KEYS, (states.follows, states.without, states.rest, countries.follows), strict=True)
    )
    name = ".".join(map(str, carrier.head))
    carries = states.follows >= 0.5
    lines = [
        Line(
            f"what {name} writes at the prompt's end exchanged for another state's mean: {states.follows:.2f} of the "
            "answers follow (wanted: 0.50)",
            carries,
        )
    ]
    errors = {key: abs(carrier.predicted[key] - found[key]) for key in KEYS}
    quality = sum(ramp(error, FAR, CLOSE) for error in errors.values()) / len(KEYS)
    said = {
        "follows": "follow",
        "without": f"are right with {name}'s output at its mean over all states ({states.intact:.2f} with no edit)",
        "others": "follow when all other heads are exchanged, and not this one",
        "countries": "follow in questions about countries, with countries' means in the same head",
    }
    for key in KEYS:
        text = f"“{key}”: {found[key]:.2f} {said[key]}; you said {carrier.predicted[key]:.2f}"
        lines.append(Line(text, errors[key] <= CLOSE))
    facts = {"follows": states.follows, "loss": states.intact - states.without}
    score = 0.5 + 0.5 * quality if carries else 0.2 * quality
    figure = functools.partial(_figure, name, carrier.predicted, found)
    return Findings(score, tuple(lines), figure, carries, facts)


def _figure(name: str, predicted: dict[str, float], found: dict[str, float]) -> Any:
    from mi_tutor.show import predictions

    return predictions(
        KEYS,
        [predicted[key] for key in KEYS],
        [found[key] for key in KEYS],
        title=f"Head {name}, edited at the prompt's end",
        value_title="share of answers",
    )


def hypothesis(where: Sequence[int], shares: Sequence[float]) -> dict[str, Any]:
    return {"head": tuple(where), **dict(zip(KEYS, shares, strict=True))}


@functools.cache
def strongest() -> tuple[int, int]:
    """The head with which most answers follow."""
    n_layers, n_heads = atlas().cfg.n_layers, atlas().cfg.n_heads
    every = [(layer, number) for layer in range(n_layers) for number in range(n_heads)]
    some_ = [Questions(*(part[:6] for part in batch)) for batch in some("state", draw=100)]
    return max(
        every,
        key=lambda where: (
            swap_head(plain_atlas(), some_, tables("state"), *where, n_targets=1).follows
        ),
    )


def _ours() -> dict[str, Any]:
    states, countries = measured(strongest(), 100)
    return hypothesis(strongest(), (states.follows, states.without, states.rest, countries.follows))


WHAT_DOES_THE_HEAD_SEE = Investigation(
    slug="what-does-the-head-see",
    title="Who carries the state?",
    chapter="05",
    points=6,
    minutes=35,
    difficulty=4,
    objective="Find the one head that a computation goes through, and show it by exchanging nothing but what that "
    "head brings.",
    question="Which head brings the state to the prompt's end, and what happens when only its output is edited?",
    form="a dict with “head” (layer, head) and four shares: “follows”, “without”, “others”, “countries”",
    read=read_carrier,
    experiment=experiment,
    levels=Levels(0.7, 0.85, 0.95),
    mistakes=(
        WrongHypothesis(
            name="a head that is needed for something else",
            example=lambda: hypothesis((1, 1), (0.9, 0.9, 0.1, 0.9)),
            fits=lambda carrier, findings: (
                findings.facts["follows"] < 0.5 and findings.facts["loss"] > 0.02
            ),
            sentence="Without this head some answers do go wrong, but exchanging what it brings moves none of them to "
            "another state. Needed for the answer is not the same as carrying the state: what else does the end have "
            "to know?",
        ),
        WrongHypothesis(
            name="a head that brings nothing",
            example=lambda: hypothesis((3, 3), (0.9, 0.1, 0.1, 0.9)),
            fits=lambda carrier, findings: findings.facts["follows"] < 0.5,
            sentence="Exchanging what this head brings to the end changes next to nothing, and the answers do without "
            "it. The map above says between which two rows the end gets the state: which heads write there, and "
            "which of them look at the name?",
        ),
    ),
    styles=(
        Worked(name="measured", hypothesis=_ours, level="excellent"),
        Worked(
            name="the head, with shares by feel",
            hypothesis=lambda: hypothesis(strongest(), (1.0, 0.0, 0.2, 0.5)),
            level="passed",
        ),
    ),
    hints=(
        "By the map, the end has the state before layer 3, and not before layer 2. So one layer's heads are "
        "suspects, or its MLP. Where do those heads look from the prompt's end?",
        "`hook_z` is what a head has read, [batch pos head d_head]. Means by state at the last position, taken from "
        "taught questions, and their differences added for one head only: that is the swap.",
        "“without” puts the mean over all states where the head's own z stands; “others” adds the differences in "
        "every head but this one. For “countries” make means of countries.",
    ),
)
