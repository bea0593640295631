"""Chapter 02, an investigation: `ablate-a-latent`, what breaks when something is taken out, and what stands in for it.

And what will, in dictionaries that are trained only when the forecast is in (`planted`).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.teach.exercises import forecasts
from mi_tutor.teach.exercises.dictionaries import planted
from mi_tutor.teach.exercises.dictionaries.atlas import DENSE, shipped
from mi_tutor.teach.exercises.dictionaries.taking_out import (
    ANOTHER,
    CASES,
    QUESTIONS,
    SEEDS,
    Sets,
    best_of,
    measured,
    rows_of_states,
    without_sets,
)
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import listed, share, whole
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)

SETS, FORECASTS = "sets", "forecasts"
UNTRAINED = tuple(planted.SETTINGS)
WEIGHTS = {"shares": 0.2, SETS: 0.3, FORECASTS: 0.5}
MOST = 8  # latents of a state's set
NEAR, FAR = 0.1, 0.25  # of a prediction that counts wholly, and not at all
# Between what stays right without another set and without the own one: what eight latents have, what counts wholly.
GAP = (0.38, 0.55)
# Of each part, below which nothing passes. Forecasts: what bold ones get with one of eight wrong.
LEAST = {"shares": 0.7, SETS: 1 / 3, FORECASTS: 0.55}


class Said(NamedTuple):
    """A hypothesis as read: shares by case, for each state its latents of `dense`, and forecasts [setting word]."""

    shares: dict[str, float]
    sets: Sets
    forecasts: Tensor


def read(value: Any) -> Said:
    """A dict of nine shares, the sets, and the forecasts."""
    if not isinstance(value, Mapping):
        raise Unreadable("This is no dict.")
    said = {
        " ".join(str(key).replace("’", "'").split()).casefold(): each for key, each in value.items()
    }
    if missing := [name for name in (*QUESTIONS, SETS, FORECASTS) if name not in said]:
        raise Unreadable(f"It says nothing of {missing[0]!r}.")
    expected = forecasts.read_forecasts(said[FORECASTS], UNTRAINED, planted.LEFT)
    return Said({name: share(said[name], name) for name in QUESTIONS}, _sets(said[SETS]), expected)


def _sets(value: Any) -> Sets:
    rows = value.tolist() if isinstance(value, Tensor) else value
    n = len(shipped(DENSE).W_dec)
    return tuple(
        _latents(row, f"{SETS}: state {state}", n)
        for state, row in enumerate(listed(rows, SETS, 50))
    )


def _latents(row: Any, name: str, n: int) -> tuple[int, ...]:
    latents = listed(row, name)
    if not 1 <= len(latents) <= MOST:
        raise Unreadable(f"“{name}” has {len(latents)} latents; 1 to {MOST} are asked for.")
    return tuple(sorted({whole(each, name, n) for each in latents}))


def experiment(said: Said, draw: int) -> Findings:
    """Everything is taken out in turn, on the questions of one draw; then from dictionaries that are trained now."""
    found = measured(draw)
    off = {name: abs(said.shares[name] - found[name]) for name in QUESTIONS}
    predicted = sum(ramp(each, FAR, NEAR) for each in off.values()) / len(off)
    own, other = without_sets(said.sets, draw)
    told_apart = ramp(other - own, *GAP)
    what = CASES | {ANOTHER: "in “own”, answers that are another state's"}
    lines = [
        Line(
            f"{name} ({what[name]}): {found[name]:.2f}, and you said {said.shares[name]:.2f}",
            off[name] <= NEAR,
        )
        for name in QUESTIONS
    ]
    lines.append(
        Line(
            f"sets of `dense`: without the own state's {own:.2f} stay right, without another state's {other:.2f} "
            f"(wanted: {GAP[1]} more)",
            told_apart == 1,
        )
    )
    figure = functools.partial(_figure, said, found, tuple(lines))
    left = planted.left_in(draw)
    lines += forecasts.lines(said.forecasts, left, UNTRAINED, planted.LEFT, LEAST[FORECASTS])
    skill = forecasts.mark(said.forecasts, left).skill
    parts = {"shares": predicted, SETS: told_apart, FORECASTS: skill}
    score = sum(WEIGHTS[name] * part for name, part in parts.items())
    sure = all(part >= LEAST[name] for name, part in parts.items())
    return Findings(score, tuple(lines), figure, sure=sure, facts=parts)


def _figure(said: Said, found: Mapping[str, float], lines: tuple[Line, ...]) -> Any:
    from mi_tutor.show.dictionaries import marks_figure

    names = [f"{name} (you said {said.shares[name]:.2f})" for name in QUESTIONS]
    held = [line.held for line in lines[:-1]]
    axis = "share of answers that stay right (last bar: another state's)"
    return marks_figure(
        names, [found[name] for name in QUESTIONS], held, axis=axis, title="What breaks"
    )


# --- answers --------------------------------------------------------------------------------------


@functools.cache
def contributions() -> Tensor:
    """By how much each latent of `dense` is larger where a state is asked for than elsewhere: [state latent]."""
    rows, labels = (torch.cat(part) for part in zip(*map(rows_of_states, SEEDS), strict=True))
    with torch.no_grad():
        f = shipped(DENSE).encode(rows)
    is_state = labels.float()
    there = is_state.T @ f / is_state.sum(dim=0)[:, None]
    elsewhere = (1 - is_state).T @ f / (1 - is_state).sum(dim=0)[:, None]
    return there - elsewhere


def _most(n: int) -> list[list[int]]:
    return contributions().topk(n, dim=1).indices.tolist()


# What we expect of the dictionaries that are not yet trained, and why: see the chapter's solution.
OURS = {
    "alone": {"gone": 0.9, "part": 0.1},
    "without its own": {"gone": 0.9, "part": 0.1},
    "with its own": {"there": 0.85, "gone": 0.15},
    "with a rare one": {"there": 0.85, "gone": 0.15},
    "with its own, enough for each": {"there": 0.75, "gone": 0.25},
    "the twin": {"gone": 0.95, "there": 0.05},
    "in three forms": {"part": 0.95, "there": 0.05},
    "five times as many": {"part": 0.8, "gone": 0.2},
}
# Each feature has a latent of its own: it is gone with it, and nothing else is.
ONE_EACH = ["gone", "gone", "gone", "gone", "gone", "there", "gone", "gone"]


def _ours() -> dict[str, Any]:
    return measured(1_000_000) | {SETS: _most(2), FORECASTS: OURS}


def _expecting(words: list[str], chance: float = 0.9) -> dict[str, Any]:
    """All measured, and one word for each of the dictionaries that are not yet trained."""
    others = (1 - chance) / (len(planted.LEFT) - 1)
    rows = ([chance if left == word else others for left in planted.LEFT] for word in words)
    return _ours() | {FORECASTS: dict(zip(UNTRAINED, rows, strict=True))}


def _rounded() -> dict[str, Any]:
    """In round numbers, and sets of three as a tensor."""
    rounded = {name: round(each, 1) for name, each in measured(1_000_000).items()}
    return rounded | {SETS: torch.tensor(_most(3)), FORECASTS: OURS}


def _single() -> dict[str, Any]:
    return _ours() | {SETS: best_of(DENSE)[:, None].tolist()}


COMMON_SENSE = {
    "own": 0.1,
    "half": 0.5,
    "alone": 0.2,
    "longest": 0.3,
    "dense": 0.3,
    "dense alone": 0.2,
    "other": 1.0,
    "random": 0.9,
    ANOTHER: 0.4,
}
NOT_MISSED = dict.fromkeys(CASES, 0.9) | {ANOTHER: 0.05}


def _size(said: Said) -> float:
    return sum(map(len, said.sets)) / len(said.sets)


ABLATE_A_LATENT = Investigation(
    slug="ablate-a-latent",
    optional=True,
    title="Take it out",
    chapter="02",
    points=8,
    minutes=55,
    difficulty=5,
    objective="Predict what breaks when a latent is taken out, measure it with controls, and find what stands in for it in another dictionary.",
    question="What breaks when a state's latent is taken out, what does not, and what will stand in for a feature's latent?",
    form=f"a dict with a share between 0 and 1 for each of {', '.join(map(repr, QUESTIONS))}, and {SETS!r}: a list of 50 lists of latents, "
    f"and {FORECASTS!r}: a dict from each setting's name to three probabilities, in the order {', '.join(planted.LEFT)} (or by these "
    "words); they add up to 1",
    read=read,
    experiment=experiment,
    levels=Levels(passed=0.7, good=0.8, excellent=0.88),
    mistakes=(
        WrongHypothesis(
            name="a latent is not missed",
            example=lambda: NOT_MISSED | {SETS: _most(2), FORECASTS: OURS},
            fits=lambda said, findings: said.shares["own"] > 0.5,
            sentence="You expect that most answers survive without their state's latent. It is one of three that are on: how much of what "
            "attention writes there is it? Take it out and look.",
        ),
        WrongHypothesis(
            name="in proportion",
            example=lambda: COMMON_SENSE | {SETS: _most(2), FORECASTS: OURS},
            fits=lambda said, findings: 0.2 < said.shares["half"] < 0.75 or said.shares["alone"] < 0.6,
            sentence="You expect answers to break in proportion to what is taken out. An answer is a word that wins: it stays until another one "
            "passes it. Take out a part, then all but a part, and read the answers.",
        ),
        WrongHypothesis(
            name="one latent each, in every dictionary",
            example=_single,
            fits=lambda said, findings: _size(said) <= 1.2,
            sentence="You give each state one latent of `dense`. Most answers survive without it, so something else says the state there too. "
            "What else is larger where this state is asked for?",
        ),
        WrongHypothesis(
            name="the more, the surer",
            example=lambda: _ours() | {SETS: _most(8)},
            fits=lambda said, findings: _size(said) >= 4,
            sentence="Without your sets the answers break, and without another state's sets they break nearly as often. What you took out is "
            "not one state's alone: where does each of these latents say something for others?",
        ),
        WrongHypothesis(
            name="the same for all",
            example=lambda: _expecting(["gone"] * len(UNTRAINED), chance=0.45),
            fits=lambda said, findings: bool((said.forecasts - said.forecasts[0]).abs().max() < 0.1),
            sentence="You expect nearly the same of every dictionary that is not yet trained, and that is worth nothing here. In what do they "
            "differ, and where would a dictionary save a latent?",
        ),
        WrongHypothesis(
            name="each feature has its latent",
            example=lambda: _expecting(ONE_EACH),
            fits=lambda said, findings: forecasts.says(
                said.forecasts, planted.LEFT, ONE_EACH, least=7
            ),
            sentence="You expect of dictionaries that are not yet trained that each feature has a latent of its own, and goes with it. A latent costs, "
            "whatever it says: for each setting ask which set of rows says all samples with the fewest of them on.",
        ),
        WrongHypothesis(
            name="all measured, and little foreseen",
            example=lambda: _expecting(["gone", "gone", "part", "gone", "part", "part", "there", "there"]),
            fits=lambda said, findings: findings.facts[FORECASTS] < LEAST[FORECASTS],
            sentence="What can be measured is right, or nearly. Your forecasts of the dictionaries that are not yet trained are not: write down, for "
            "those without a tick, the rows that a dictionary would have, and which of them are on.",
        ),
    ),
    styles=(
        Worked(name="measured on other questions", hypothesis=_ours, level="excellent"),
        Worked(name="in round numbers, sets of three", hypothesis=_rounded, level="passed"),
    ),
    hints=(
        "`swap_one_latent` is nearly what you need: leave the new state's value as it is, and set the own one's to 0, or to half. For “alone” "
        "put `made.b_dec` and what the one latent writes in the place of all that attention writes.",
        "Which latents of `dense` say a state? Not whether they are on, but how much larger they are where it is asked for than elsewhere: "
        "`x_here` and `labels_here` have both.",
        "For each state the latents whose mean rises most, and then how many: with 1, 2, 3, 5 and 8 of them, count the answers that stay right "
        "without the own set, and without another state's. The difference is what is marked.",
        "Forecasts: a latent that is on costs one, whatever it says. Where one feature never comes without another, one row can say both. Which "
        "row is A's best then, and is it on there? And with latents to spare a feature can be said by several.",
    ),
)  # fmt: skip
