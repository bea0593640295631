"""Chapter 05: `find-the-leak`, an investigation."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.swaps import class_means, nearest_mean, streams
from mi_tutor.specimens.atlas.prompts import by_length, swap_questions
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, listed, share
from mi_tutor.teach.exercises.swaps.atlas import geography, plain_atlas, state_questions
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)
from mi_tutor.world.geography import Question

ROWS = [*(f"before layer {layer}" for layer in range(5)), "after the last layer"]
HALVINGS = 8  # a single one depends much on which cities are left out
CLOSE, FAR = 0.04, 0.16  # mean errors of predictions that count in full, and not at all


class Pool(NamedTuple):
    """Every English question about a state, in the order of the chapter's `pool`."""

    at_name: Tensor  # [layer question d_model]
    states: Tensor
    cities: tuple[str, ...]
    until_name: tuple[str, ...]
    relations: tuple[str, ...]
    held_out: tuple[bool, ...]


@functools.cache
def questions() -> tuple[Question, ...]:
    """Those that were taught, then those that were not, each in the order of their batches."""
    return tuple(
        group[i]
        for group in (state_questions(held_out=False), state_questions(held_out=True))
        for indices, _ in by_length([question.prompt.text for question in group])
        for i in indices
    )


@functools.cache
@torch.no_grad()
def pool() -> Pool:
    at_name, states = [], []
    for held_out in (False, True):
        for batch in swap_questions(state_questions(held_out), geography()):
            rows = torch.arange(len(batch.tokens))
            at_name.append(streams(plain_atlas(), batch.tokens)[:, rows, batch.places])
            states.append(batch.classes)
    return Pool(
        torch.cat(at_name, dim=1),
        torch.cat(states),
        tuple(f"{q.city.name.english}, {q.city.area}" for q in questions()),
        tuple(q.prompt.text[: q.name_end] for q in questions()),
        tuple(q.relation for q in questions()),
        tuple(bool(q.held_out_by) for q in questions()),
    )


class Split(NamedTuple):
    """A label for each question, as a number, and the shares that should be read."""

    labels: Tensor
    read: tuple[float, ...]


def read_split(value: Any) -> Split:
    found = entries(value, ["groups", "read"])
    groups = listed(found["groups"], "groups", len(questions()))
    if not all(isinstance(group, str | int | float) for group in groups):
        raise Unreadable("Each entry of “groups” is a word or a number.")
    number = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    read = listed(found["read"], "read", len(ROWS))
    shares = tuple(share(each, f"read, {row}") for each, row in zip(read, ROWS, strict=True))
    return Split(torch.tensor([number[group] for group in groups]), shares)


@torch.no_grad()
def experiment(split: Split, draw: int) -> Findings:
    """Half of the groups go into the means, the questions of the others are read; the mean over `HALVINGS` of these."""
    halves = [halved(split.labels, HALVINGS * draw + number) for number in range(HALVINGS)]
    facts: dict[str, float] = {"groups": int(split.labels.max()) + 1}
    facts |= {
        "tested": _mean(
            (read.sum() / (~known).sum().clamp(min=1)).item() for known, read in halves
        ),
        "twins": _mean(_shared(pool().until_name, *half) for half in halves),
        "cities": _mean(_shared(pool().cities, *half) for half in halves),
    }
    lines = [
        Line(
            f"{facts['tested']:.0%} of the questions left out are about a state that has a mean (wanted: 90 %)",
            facts["tested"] >= 0.9,
        ),
        Line(
            f"{facts['twins']:.0%} of the questions read are, up to the name's end, word for word one that went "
            "into a mean (wanted: 0 %)",
            facts["twins"] == 0,
        ),
    ]
    if facts["tested"] < 0.9 or facts["twins"] > 0:
        return Findings(0.0, tuple(lines), facts=facts)
    found = [_mean(_share_read(x, *half).item() for half in halves) for x in pool().at_name]
    own = facts["cities"] == 0
    lines.append(Line("no mean knows what the questions read are about, other than the state", own))
    error = _mean(abs(a - b) for a, b in zip(split.read, found, strict=True))
    quality = ramp(error, FAR, CLOSE)
    lines.append(
        Line(f"your six shares are off by {error:.3f} on average (wanted: {CLOSE})", error <= CLOSE)
    )
    score = 0.6 + 0.4 * quality if own else 0.3
    return Findings(score, tuple(lines), lambda: _figure(split.read, found), facts=facts)


def halved(labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Which questions are known (half of the groups, by lot), and which are read: their state has a mean."""
    n_groups = int(labels.max()) + 1
    order = torch.randperm(n_groups, generator=torch.Generator().manual_seed(seed))
    known = (order < (n_groups + 1) // 2)[labels]
    return known, ~known & torch.isin(pool().states, pool().states[known])


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def _share_read(x: Tensor, known: Tensor, read: Tensor) -> Tensor:
    states = pool().states
    numbers, classes = states[known].unique(return_inverse=True)
    means = class_means(x[known], classes, len(numbers))
    return (numbers[nearest_mean(x[read], means)] == states[read]).float().mean()


def _shared(names: Sequence[str], known: Tensor, read: Tensor) -> float:
    """The share of the questions read whose name is a known question's, too."""
    seen = {name for name, is_known in zip(names, known.tolist(), strict=True) if is_known}
    asked = [name for name, is_read in zip(names, read.tolist(), strict=True) if is_read]
    return sum(name in seen for name in asked) / max(1, len(asked))


def _figure(predicted: Sequence[float], found: Sequence[float]) -> Any:
    from mi_tutor.show import predictions

    return predictions(
        ROWS,
        predicted,
        found,
        title="The state, read at the name's end",
        value_title="share of questions read right",
    )


def by(labels: Sequence[Any], shares: Sequence[float] = (0.3, 0.9, 0.95, 0.95, 0.9, 0.6)) -> dict:
    return {"groups": list(labels), "read": list(shares)}


def _our_shares(labels: Sequence[Any]) -> list[float]:
    """The mean over halvings of our own."""
    number = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    each = torch.tensor([number[label] for label in labels])
    halves = [halved(each, seed) for seed in range(10_000, 10_000 + HALVINGS)]
    return [_mean(_share_read(x, *half).item() for half in halves) for x in pool().at_name]


def _eight_rounds() -> list[int]:
    """The number of each question's city among the cities of its state."""
    areas = {area.name.english: area for area in geography().facts.states}
    return [areas[q.city.area].asked_cities.index(q.city) for q in questions()]


FIND_THE_LEAK = Investigation(
    slug="find-the-leak",
    title="Is this reading fair?",
    chapter="05",
    points=6,
    minutes=30,
    difficulty=4,
    objective="Find out what a test shares with what a reader was made from, and split so that it shares nothing "
    "but what is tested.",
    question="Which questions must not be on both sides, and what is read then?",
    form="a dict with “groups” (a word or number for each question of `pool`) and “read” (six shares)",
    read=read_split,
    experiment=experiment,
    levels=Levels(0.6, 0.8, 0.95),
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
            fits=lambda split, findings: findings.facts["groups"] == 2,
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
    ),
    styles=(
        Worked(
            name="cities",
            hypothesis=lambda: by(pool().cities, _our_shares(pool().cities)),
            level="excellent",
        ),
        Worked(
            name="eight rounds of one city per state",
            hypothesis=lambda: by(_eight_rounds(), _our_shares(_eight_rounds())),
            level="excellent",
        ),
        Worked(
            name="cities, with shares by eye",
            hypothesis=lambda: by(pool().cities, (0.1, 0.8, 0.9, 0.9, 0.7, 0.4)),
            level="passed",
        ),
    ),
    hints=(
        "Before layer 0 the stream at the name's end is the embedding of one token, and a position. How can a third "
        "of the states be read from that?",
        "Take one held-out question, and print the ten known questions whose stream at the name's end is nearest to "
        "it. What do they have in common with it, beside the state?",
        "Whatever belongs to one state only gives it away: every question about the same name does. Group by that, "
        "run your `readable` on a random half of the groups, and hand in what you measured.",
    ),
)
