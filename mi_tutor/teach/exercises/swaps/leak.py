"""Chapter 05: `find-the-leak`, an investigation."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from mi_tutor.teach.exercises.swaps.atlas import geography
from mi_tutor.teach.exercises.swaps.leaking import (
    READ_FAIRLY,
    WHOLE_LEAK,
    Split,
    experiment,
    mean,
    pool,
    questions,
    read_split,
    shares_of,
    shares_of_control,
)
from mi_tutor.teach.investigation import Findings, Investigation, Levels, Worked, WrongHypothesis

BY_EYE = {
    "same": (0.3, 0.9, 0.95, 0.95, 0.9, 0.6),
    "others": (0.1, 0.85, 0.9, 0.9, 0.85, 0.5),
    "more": (0.2, 0.9, 0.95, 0.95, 0.95, 0.6),
    "leak": (0.3, 0.1, 0.05, 0.05, 0.05, 0.02),
}


def by(labels: Iterable[Any], control: str = "cities", **shares: Sequence[float]) -> dict[str, Any]:
    return {"groups": list(labels), "control": by_lot(control), **BY_EYE, **shares}


def by_lot(of: str) -> list[int]:
    """One of fifty labels by lot, for each city, each beginning of a question, or each question; or the state's own."""
    if of == "states":
        return pool().states.tolist()
    same = {"cities": pool().cities, "beginnings": pool().until_name}.get(
        of, range(len(questions()))
    )
    lot = torch.Generator().manual_seed(1000)
    each = list(dict.fromkeys(same))
    label = dict(zip(each, (torch.randperm(len(each), generator=lot) % 50).tolist(), strict=True))
    return [label[one] for one in same]


@functools.cache
def _measured(name: str) -> dict[str, list[float]]:
    """Our own shares, with rounds that no draw has."""
    labels = _eight_rounds() if name == "eighths" else pool().cities
    split = read_split(by(labels))
    leak = shares_of_control(split, 1000)["same"]
    return shares_of(split.labels, 1000) | {"leak": leak}


def _no_control(split: Split, findings: Findings) -> bool:
    return findings.facts.get("leak", 1) < 0.1


def _eight_rounds() -> list[int]:
    """The number of each question's city among the cities of its state."""
    areas = {area.name.english: area for area in geography().facts.states}
    return [areas[q.city.area].asked_cities.index(q.city) for q in questions()]


def _as_many(split: Split) -> bool:
    """Whether means of more groups are expected to read no better."""
    pairs = zip(split.read["others"], split.read["more"], strict=True)
    return mean(abs(a - b) for a, b in pairs) < 0.05


FIND_THE_LEAK = Investigation(
    slug="find-the-leak",
    title="Is this reading fair?",
    chapter="05",
    points=8,
    minutes=40,
    difficulty=5,
    objective="Find out what a test shares with what a reader was made from, split so that it shares nothing but what "
    "is tested, and find a control in which only the leak can be read.",
    question="Which questions must not be on both sides, what does the leak read by itself, and what changed besides?",
    form="a dict with “groups” and “control” (a word or number for each question of `pool`), “same”, “others”, "
    "“more” and “leak” (six shares each)",
    read=read_split,
    experiment=experiment,
    levels=Levels(0.88, 0.9, 0.95),
    mistakes=(
        WrongHypothesis(
            name="each question by itself",
            example=lambda: by(range(len(questions()))),
            fits=lambda split, findings: findings.facts["groups"] == len(split.labels),
            sentence="You let every question stand for itself. But two questions can be different and still put the "
            "very same vector where the name ends: what has the model read by then?",
        ),
        WrongHypothesis(
            name="taught and held out",
            example=lambda: by(map(str, pool().held_out)),
            fits=lambda split, findings: (
                findings.facts["groups"] == 2 and findings.facts["twins"] > 0
            ),
            sentence="Two groups, and one of them is read: this is the split of the table above, or one like it. Take "
            "one of the questions that are read and look for its nearest relatives among the known ones.",
        ),
        WrongHypothesis(
            name="relations",
            example=lambda: by(pool().relations),
            fits=lambda split, findings: findings.facts["twins"] > 0,
            sentence="Many questions that are read have a twin in the means: the same words up to the name's end. What "
            "is asked about after the name has not been read there.",
        ),
        WrongHypothesis(
            name="words up to the name's end",
            example=lambda: by(pool().until_name),
            fits=lambda split, findings: (
                findings.facts["twins"] == 0 and findings.facts["cities"] > 0
            ),
            sentence="No two equal vectors are on both sides any more: a good part of the way. But what is read could "
            "still be recognised by something that has nothing to do with its state. What do questions with "
            "different words up to the name's end share?",
        ),
        WrongHypothesis(
            name="states",
            example=lambda: by(pool().states.tolist()),
            fits=lambda split, findings: findings.facts["tested"] < 0.9,
            sentence="With these groups most questions that are read are about a state of which no mean exists, so "
            "they cannot be read right. Each state has to be on both sides; what has to be on one side only?",
        ),
        WrongHypothesis(
            name="a control that cannot fail",
            example=lambda: by(pool().cities, "questions", **_measured("cities")),
            fits=_no_control,
            sentence="Your control's labels are read by nobody, leak or not, so it would say “no leak” of any split. What "
            "did a reader recognise, where there was a leak? Questions that share it must share a label.",
        ),
        WrongHypothesis(
            name="a control for half of the leak",
            example=lambda: by(pool().cities, "beginnings", **_measured("cities")),
            fits=lambda split, findings: 0.1 <= findings.facts.get("leak", 1) < WHOLE_LEAK,
            sentence="Your control shows a part of what leaks: its labels are told by something that fewer questions share "
            "than recognise each other. What did your split keep on one side?",
        ),
        WrongHypothesis(
            name="a control that can be read",
            example=lambda: by(pool().cities, "states", **_measured("cities")),
            fits=lambda split, findings: findings.facts.get("fair", 0) > READ_FAIRLY,
            sentence="What your control's labels say is in the model's stream, leak or not. A control has labels that mean "
            "nothing: then whatever is read of them was leaked.",
        ),
        WrongHypothesis(
            name="what is less is the leak",
            example=lambda: by(
                pool().cities, **_measured("cities") | {"more": _measured("cities")["others"]}
            ),
            fits=lambda split, findings: findings.facts["cities"] == 0 and _as_many(split),
            sentence="Split and control are right. But you expect means of more groups to read the other groups no better, as if "
            "the leak were all that your split has changed. What else is different about a mean when half of the groups "
            "are kept out of it?",
        ),
        WrongHypothesis(
            name="shares by eye",
            example=lambda: by(pool().cities),
            fits=lambda split, findings: findings.facts["cities"] == 0,
            sentence="Split and control are right, and the shares are not what they give. Each of the four readings takes a "
            "few lines with your `readable`: measure them.",
        ),
    ),
    styles=(
        Worked(
            name="cities",
            hypothesis=lambda: by(pool().cities, **_measured("cities")),
            level="excellent",
        ),
        Worked(
            name="eight groups, each with one city per state",
            hypothesis=lambda: by(_eight_rounds(), **_measured("eighths")),
            level="excellent",
        ),
    ),
    hints=(
        "Before layer 0 the stream at the name's end is the embedding of one token, and a position. How can a third "
        "of the states be read from that?",
        "Take one held-out question, and print the ten known questions whose stream at the name's end is nearest to "
        "it. What do they have in common with it, beside the state? Whatever belongs to one state only gives it away.",
        "“same” and “others” are read with the very same means; in “same” alone can a reader recognise the city. “others” "
        "and “more” are both without that: of how many cities is each mean made? And the leak alone: let each city, with "
        "all its questions, draw a label by lot.",
    ),
)
