"""Chapter 01: the investigation `switch-a-neuron-off`, on absolute-value networks trained for the check.

Four findings with two explanations each; what is handed in is which one holds, the control for which the two say
different things, and its number. And a prediction in which the mechanism and a fit that adds up differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, number
from mi_tutor.teach.exercises.superposition.switching import CONTROLS, PAIRS, measure
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)

FINDINGS = {
    "A": "rises left",
    "B": "share of what was held back that shows",
    "C": "share of what was pushed into others' outputs that shows",
    "D": "rises per density, crowded over as trained",
}
EXPLANATIONS = ("x", "y")
PARTS = ("because", "control", "number")
# Which explanation holds, and the controls for which the two say different things.
HOLDS = {"A": "y", "B": "x", "C": "y", "D": "x"}
DECIDES = {
    "A": ("own off", "others off"),
    "B": ("others don't hold",),
    "C": ("others don't hold", "no bias"),
    "D": ("no relu", "others don't hold"),
}
NEAR = 0.05  # of a control's number
PAIR_NEAR, PAIR_FAR = 0.06, 0.14  # of a pair's number: counts wholly, and not at all
FOR_WHY, FOR_THE_CONTROL, FOR_THE_NUMBER = 0.06, 0.08, 0.06  # of each finding; a pair has 0.1
FEWEST = 3  # findings that need a deciding control


class Answer(NamedTuple):
    """What is said of one finding."""

    because: str
    control: str
    number: float


class Said(NamedTuple):
    """A hypothesis as read."""

    answers: dict[str, Answer]
    pairs: dict[str, float]


def _read(value: Any) -> Said:
    if not isinstance(value, Mapping):
        raise Unreadable("This is no dict.")
    parts = entries({str(k).strip().lower(): v for k, v in value.items()}, [*"abcd", "pairs"])
    pairs = entries(parts["pairs"], list(PAIRS))
    return Said(
        {name: _answer(name, parts[name.lower()]) for name in FINDINGS},
        {name: number(pairs[name], name) for name in PAIRS},
    )


def _answer(name: str, value: Any) -> Answer:
    said = entries(value, list(PARTS))
    because = str(said["because"]).strip().lower()
    if because not in EXPLANATIONS:
        raise Unreadable(f"In {name}, “because” is 'x' or 'y'; this is {because[:20]!r}.")
    control = " ".join(str(said["control"]).replace("’", "'").lower().split())
    if control not in CONTROLS:
        raise Unreadable(f"In {name}, “control” is one of {', '.join(map(repr, CONTROLS))}.")
    return Answer(because, control, number(said["number"], f"number of {name}"))


def _experiment(said: Said, draw: int) -> Findings:
    lines, score, rows = [], 0.0, []
    right = decided = 0
    for name, answer in said.answers.items():
        found = measure(name, answer.control, draw)
        holds, decides = answer.because == HOLDS[name], answer.control in DECIDES[name]
        near = abs(answer.number - found) <= NEAR
        if near:
            rows.append((f"{name}, {answer.control}", answer.number, found))
        right, decided = right + holds, decided + (holds and decides)
        score += holds * (FOR_WHY + decides * (FOR_THE_CONTROL + near * FOR_THE_NUMBER))
        lines.append(_line(name, answer, found, near))
    for name, guess in said.pairs.items():
        found = measure("A", name, draw)
        near = abs(guess - found) <= PAIR_NEAR
        if near:
            rows.append((f"without the {name}, too", guess, found))
        score += 0.1 * ramp(abs(guess - found), PAIR_FAR, PAIR_NEAR)
        text = f"what is left of the rises beside the missing {name}: {told(guess, found, near)}"
        lines.append(Line(text, near))
    sure = right == len(FINDINGS) and decided >= FEWEST
    facts = {"right": right, "decided": decided}
    figure = (lambda: _figure(rows)) if rows else None
    return Findings(score, tuple(lines), figure, sure=sure, facts=facts)


def _line(name: str, answer: Answer, found: float, near: bool) -> Line:
    """What the control came to. Only one that decides says whether the explanation held."""
    said = told(answer.number, found, near)
    text = f"{name}, {FINDINGS[name]}, under “{answer.control}”: {said}"
    if answer.control not in DECIDES[name]:
        return Line(f"{text}. Would the other explanation have said another number?", False)
    if answer.because != HOLDS[name]:
        return Line(f"{text}. If {answer.because.upper()} were so, what would it be?", False)
    return Line(f"{text}, and it decides", near)


def told(said: float, found: float, near: bool) -> str:
    """The number where it came true; otherwise which way it is off, so that it still has to be measured.

    >>> told(0.93, 0.96, True), told(0.5, 0.96, False)
    ('0.96, and you said 0.93', 'you said 0.50, which is too little')
    """
    if near:
        return f"{found:.2f}, and you said {said:.2f}"
    return f"you said {said:.2f}, which is too {'much' if said > found else 'little'}"


def _figure(rows: list[tuple[str, float, float]]) -> Any:
    from mi_tutor.show.predicted import predictions

    names, predicted, found = zip(*rows, strict=True)
    return predictions(
        names,
        predicted,
        found,
        title="A neuron less: what the controls say",
        value_title="number of the finding",
    )


def _said(**changed: tuple[str, str, float] | dict[str, float]) -> dict[str, Any]:
    """Our answer, or a part of it changed."""
    ours = {
        "A": ("y", "own off", 0.96),
        "B": ("x", "others don't hold", 0.475),
        "C": ("y", "others don't hold", 0.895),
        "D": ("x", "no relu", 0.545),
        "pairs": {"pusher": 0.35, "holder": 1.17},
    } | changed
    pairs = ours.pop("pairs")
    return {k: dict(zip(PARTS, each, strict=True)) for k, each in ours.items()} | {"pairs": pairs}


READ_OFF_A_FIT = {"A": ("x", "others off", 0.9), "pairs": {"pusher": 1.0, "holder": 1.0}}


SWITCH_A_NEURON_OFF = Investigation(
    slug="switch-a-neuron-off",
    title="Switch a neuron off",
    chapter="01",
    points=8,
    minutes=40,
    difficulty=4,
    objective="Explain what the outputs do when a neuron is removed, by controls for which the explanations say different "
    "things, and predict what a fit of single removals cannot.",
    question="Why do outputs rise and stay as they do when a neuron of the absolute-value network is switched off?",
    form="a dict with 'A', 'B', 'C' and 'D', each a dict with 'because', 'control' and 'number', and with 'pairs', a dict with "
    "'pusher' and 'holder'",
    read=_read,
    experiment=_experiment,
    levels=Levels(0.7, 0.85, 0.95),
    mistakes=(
        WrongHypothesis(
            name="read off a least-squares fit",
            example=lambda: _said(**READ_OFF_A_FIT),
            fits=lambda said, findings: (
                said.answers["A"].because == "x"
                and all(abs(guess - 1) <= 0.05 for guess in said.pairs.values())
            ),
            sentence="You read the mechanism off the fit: own paths have the larger numbers, so the own feature does it, and "
            "what two neurons do adds up. A fit that explains most of the squares can do so with terms that only go along "
            "with the cause. Switch the cause itself off, and take out two neurons at once.",
        ),
        WrongHypothesis(
            name="the output's ReLU hides more in a crowd",
            example=lambda: _said(D=("y", "positive inputs", 1.0)),
            fits=lambda said, findings: said.answers["D"].because == "y",
            sentence="You let the output's ReLU explain the crowd. An effect passes two places on its way: what the neuron writes, "
            "and what of it shows. Look at D at each of them by itself.",
        ),
        WrongHypothesis(
            name="others hold it down as well",
            example=lambda: _said(B=("y", "others don't push", 0.0)),
            fits=lambda said, findings: said.answers["B"].because == "y",
            sentence="You say that what does not show is hidden by others, who hold the output down as well. Then without them all "
            "of it should show. How far below zero does the neuron alone push an output, and how much was there to hold back?",
        ),
        WrongHypothesis(
            name="controls that both explanations survive",
            example=lambda: _said(
                A=("y", "others don't push", 0.01), D=("x", "positive inputs", 0.55)
            ),
            fits=lambda said, findings: findings.facts["right"] == 4
            and findings.facts["decided"] < FEWEST,
            sentence="Your explanations may be right, but your controls would have come out like this under the other ones, too. "
            "Write down for each control what X says, and what Y says, before you run it.",
        ),
    ),
    styles=(
        Worked(name="each control on a dozen networks", hypothesis=_said, level="excellent"),
        Worked(
            name="the other deciding controls, in capitals",
            hypothesis=lambda: _said(
                A=("Y", "OTHERS OFF", 0.04), C=("y ", "no bias", 0.1), D=("x", "others don’t hold", 0.615)
            ),
            level="excellent",
        ),
        Worked(
            name="as if pairs added up",
            hypothesis=lambda: _said(pairs={"pusher": 1.0, "holder": 1.0}),
            level="passed",
        ),
    ),
    hints=(
        "Write one function that returns all rises under a control, as [neuron output sample], beside what the neuron wrote, "
        "and look at A without any control. Then write down for each finding and control what X says, and what Y says.",
        "Controls that switch a cause off are the strongest: if X names the own feature, what is left of the rises when it is never on? "
        "And a path has several places: the neuron's own activity, what it writes, what the output's ReLU lets through.",
        "For B and C ask who else writes to the output at that moment. For D measure the rises before the output's ReLU, and "
        "the mean activity of neurons per density. For the pairs change the network first, then switch the neuron off in what is left.",
    ),
)  # fmt: skip
