"""Chapter 05, `find-the-leak`: the state read from means that know the questions, or do not.

The control is the leak by itself (after Hewitt and Liang 2019): labels that mean nothing, and that questions with a leak share.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.swaps import class_means, nearest_mean, streams
from mi_tutor.specimens.atlas.prompts import by_length, swap_questions
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, listed, share
from mi_tutor.teach.exercises.swaps.atlas import geography, plain_atlas, state_questions
from mi_tutor.teach.investigation import Findings, Line, Unreadable
from mi_tutor.world.geography import Question

ROWS = [*(f"before layer {layer}" for layer in range(5)), "after the last layer"]
ROUNDS = 6  # a single one depends much on which groups are left out
CLOSE, FAR = 0.04, 0.1  # mean errors of predictions that count in full, and not at all
# Of the score. Without groups and a control that are both right nothing passes.
GROUPS, CONTROL = 0.3, 0.2
WORTH = {"same": 0.1, "others": 0.1, "more": 0.15, "leak": 0.15}
# Of a control: at most, in all rows; at least, in the first four.
READ_FAIRLY, WHOLE_LEAK = 0.05, 0.4


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
    """Two labels for each question, as numbers (its group, and the control's), and the shares that should be read."""

    labels: Tensor
    control: Tensor
    read: dict[str, tuple[float, ...]]


def read_split(value: Any) -> Split:
    found = entries(value, ["groups", "control", *WORTH])
    read = {}
    for name in WORTH:
        six = listed(found[name], name, len(ROWS))
        pairs = zip(six, ROWS, strict=True)
        read[name] = tuple(share(each, f"{name}, {row}") for each, row in pairs)
    return Split(_numbered(found["groups"], "groups"), _numbered(found["control"], "control"), read)


def _numbered(value: Any, name: str) -> Tensor:
    """A word or a number for each question, as numbers from 0."""
    every = listed(value, name, len(questions()))
    if not all(isinstance(each, str | int | float) for each in every):
        raise Unreadable(f"Each entry of “{name}” is a word or a number.")
    number = {each: i for i, each in enumerate(dict.fromkeys(every))}
    return torch.tensor([number[each] for each in every])


class Round(NamedTuple):
    """Which questions make the means, and which are read with these: of the same groups, and of the others."""

    known: Tensor
    same: Tensor
    others: Tensor
    outside: Tensor  # others, and those whose state has no mean


def a_round(labels: Tensor, seed: int, share_known: float, states: Tensor | None = None) -> Round:
    """Some of the groups by lot; half of their questions, by lot, make the means of the states (or other labels)."""
    states = pool().states if states is None else states
    lot = torch.Generator().manual_seed(seed)
    n_groups = int(labels.max()) + 1
    n_known = min(n_groups - 1, round(share_known * n_groups + 0.01))  # somebody is left to be read
    chosen = (torch.randperm(n_groups, generator=lot) < n_known)[labels]
    half = torch.rand(len(labels), generator=lot) < 0.5
    known = chosen & half
    has_mean = torch.isin(states, states[known])
    return Round(known, chosen & ~half & has_mean, ~chosen & has_mean, ~chosen)


def rounds_of(labels: Tensor, draw: int) -> tuple[list[Round], list[Round]]:
    """With half of the groups in the means, and with seven eighths."""
    seeds = range(ROUNDS * draw, ROUNDS * (draw + 1))
    return tuple([a_round(labels, seed, known) for seed in seeds] for known in (0.5, 7 / 8))


def shares_of(labels: Tensor, draw: int) -> dict[str, list[float]]:
    """The state, read in questions of the same groups, of others, and of others with means of more groups."""
    half, more = rounds_of(labels, draw)
    found = _read_in(half, pool().states)
    return found | {"more": _read_in(more, pool().states, ("others",))["others"]}


def shares_of_control(split: Split, draw: int) -> dict[str, list[float]]:
    """The same with the control's labels in place of the states, of the same groups and of others."""
    seeds = range(ROUNDS * draw, ROUNDS * (draw + 1))
    rounds = [a_round(split.labels, seed, 0.5, split.control) for seed in seeds]
    return _read_in(rounds, split.control)


def _read_in(
    rounds: Sequence[Round], states: Tensor, which: Sequence[str] = ("same", "others")
) -> dict[str, list[float]]:
    return {
        name: [
            mean(_share_read(x, states, each.known, getattr(each, name)) for each in rounds)
            for x in pool().at_name
        ]
        for name in which
    }


@torch.no_grad()
def experiment(split: Split, draw: int) -> Findings:
    """Some groups go into the means, the questions of the others are read, also by the control's labels; `ROUNDS` times."""
    half, _ = rounds_of(split.labels, draw)
    facts: dict[str, float] = {"groups": int(split.labels.max()) + 1}
    facts |= {
        "tested": mean(
            (each.others.sum() / each.outside.sum().clamp(min=1)).item() for each in half
        ),
        "twins": mean(_shared(pool().until_name, each.known, each.others) for each in half),
        "cities": mean(_shared(pool().cities, each.known, each.others) for each in half),
    }
    lines = [
        Line(
            f"{facts['tested']:.0%} of the other groups' questions are about a state that has a mean (wanted: 90 %)",
            facts["tested"] >= 0.9,
        ),
        Line(
            f"{facts['twins']:.0%} of the other groups' questions are, up to the name's end, word for word one that "
            "went into a mean (wanted: 0 %)",
            facts["twins"] == 0,
        ),
    ]
    if facts["tested"] < 0.9 or facts["twins"] > 0:
        return Findings(0.0, tuple(lines), facts=facts)
    own = facts["cities"] == 0
    lines.append(
        Line("no mean knows what the other groups' questions are about, other than the state", own)
    )
    if not own:
        return Findings(GROUPS / 2, tuple(lines), sure=False, facts=facts)
    found, control = shares_of(split.labels, draw), shares_of_control(split, draw)
    facts |= {"fair": mean(control["others"]), "leak": mean(control["same"][:4])}
    facts["kinds"] = len(split.control.unique())
    lines += _control_lines(facts)
    right = all(line.held for line in lines)
    score = GROUPS + CONTROL * right
    found |= {"leak": control["same"]}
    for name in WORTH if right else ("same", "others", "more"):
        error = mean(abs(a - b) for a, b in zip(split.read[name], found[name], strict=True))
        score += WORTH[name] * ramp(error, FAR, CLOSE)
        lines.append(Line(f"“{name}” is right to {CLOSE} on average", error <= CLOSE))
        if error > CLOSE:
            found.pop(name)  # a figure of it would be the measurement that is asked for
    return Findings(score, tuple(lines), _figure(split.read, found), sure=right, facts=facts)


def _control_lines(facts: dict[str, float]) -> list[Line]:
    n_states = len(pool().states.unique())
    return [
        Line(
            f"the control has {facts['kinds']} kinds (wanted: {n_states})",
            facts["kinds"] == n_states,
        ),
        Line(
            f"without a leak {facts['fair']:.2f} of the control are read (wanted: {READ_FAIRLY} at most)",
            facts["fair"] <= READ_FAIRLY,
        ),
        Line(
            "with the leak the control is read as well as the leak allows",
            facts["leak"] >= WHOLE_LEAK,
        ),
    ]


def mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def _share_read(x: Tensor, states: Tensor, known: Tensor, read: Tensor) -> float:
    if not read.any():
        return 0.0
    numbers, classes = states[known].unique(return_inverse=True)
    means = class_means(x[known], classes, len(numbers))
    return (numbers[nearest_mean(x[read], means)] == states[read]).float().mean().item()


def _shared(names: Sequence[str], known: Tensor, read: Tensor) -> float:
    """The share of the questions read whose name is a known question's, too."""
    seen = {name for name, is_known in zip(names, known.tolist(), strict=True) if is_known}
    asked = [name for name, is_read in zip(names, read.tolist(), strict=True) if is_read]
    return sum(name in seen for name in asked) / max(1, len(asked))


def _figure(
    predicted: dict[str, tuple[float, ...]], found: dict[str, list[float]]
) -> Callable[[], Any] | None:
    """Of the shares that came true; the others are for the learner to measure."""
    from mi_tutor.show import predictions

    names = [name for name in WORTH if name in found]
    if not names:
        return None
    return lambda: predictions(
        [f"{name}, {row}" for name in names for row in ROWS],
        [each for name in names for each in predicted[name]],
        [each for name in names for each in found[name]],
        title="What is read at the name's end",
        value_title="share of questions read right",
    )
