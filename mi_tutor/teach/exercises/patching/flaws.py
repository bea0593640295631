"""Chapter 04, investigation `what-is-wrong-with-this-experiment`: name a flaw by the control that shows it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from mi_tutor.teach.exercises.patching.flawed import SETTINGS, measure
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)

# The controls that show the flaw of each experiment, and how near a prediction has to come.
SHOW = {
    "A": (("split", "pair"), ("label", "lot")),
    "B": (("metric", "logit difference"),),
    "C": (("control", "lot"),),
}
NEAR = {"A": 0.15, "B": 0.05, "C": 0.04}
FOR_THE_CONTROL = 0.7  # of an experiment's share of the score; the rest is for the number


class Control(NamedTuple):
    """One setting of an experiment changed, and the number that is predicted."""

    setting: str
    option: str
    number: float

    @property
    def choice(self) -> tuple[str, str]:
        return self.setting, self.option


Hypothesis = dict[str, Control]


def read(value: Any) -> Hypothesis:
    """{"A": {setting: option, "number": x}, ...} -> the controls."""
    if not isinstance(value, dict) or {str(key).strip().upper() for key in value} != set(SETTINGS):
        raise Unreadable("This is not a dict with the three keys A, B and C.")
    return {str(key).strip().upper(): _control(str(key), each) for key, each in value.items()}


def _control(key: str, value: Any) -> Control:
    key = key.strip().upper()
    if not isinstance(value, dict) or len(value) != 2 or "number" not in value:
        raise Unreadable(f'{key} is not a dict of one setting and "number".')
    setting, option = next(pair for pair in value.items() if pair[0] != "number")
    setting, option = str(setting).strip().lower(), str(option).strip().lower()
    if setting not in SETTINGS[key]:
        raise Unreadable(f"{key} has the settings {', '.join(SETTINGS[key])}, and no {setting!r}.")
    if option not in SETTINGS[key][setting]:
        options = ", ".join(repr(each) for each in SETTINGS[key][setting])
        raise Unreadable(f"The {setting} of {key} is one of {options}; this is {option!r}.")
    number = float(value["number"])
    if not math.isfinite(number):
        raise Unreadable(f"The number of {key} is {number}.")
    return Control(setting, option, number)


def experiment(hypothesis: Hypothesis, draw: int) -> Findings:
    lines, score, numbers = [], 0.0, {}
    for key in sorted(hypothesis):
        control = hypothesis[key]
        before = measure(key, *_as_made(key), draw)
        after = measure(key, *control.choice, draw)
        shows = control.choice in SHOW[key]
        near = abs(after - control.number) <= NEAR[key]
        score += (FOR_THE_CONTROL + (1 - FOR_THE_CONTROL) * near) / 3 if shows else 0.0
        numbers[key] = before, control.number, after
        lines += _lines(key, control, before, after, near)
    return Findings(score, tuple(lines), figure=_figure(numbers))


def _as_made(key: str) -> tuple[str, str]:
    setting, options = next(iter(SETTINGS[key].items()))
    return setting, options[0]


def _lines(key: str, control: Control, before: float, after: float, near: bool) -> list[Line]:
    shows = control.choice in SHOW[key]
    said = (
        f"{key}, {control.setting} = {control.option}: {after:.3f}, and {before:.3f} as it was made"
    )
    verdict = "this shows the flaw" if shows else "this does not show the flaw"
    lines = [Line(f"{said}; {verdict}", shows)]
    if shows:
        lines.append(
            Line(f"{key}, your prediction {control.number:.3f} (wanted: within {NEAR[key]})", near)
        )
    return lines


def _figure(numbers: dict[str, tuple[float, float, float]]) -> Callable[[], Any]:
    def draw() -> Any:
        from mi_tutor.show.patching import parts_bars

        bars = {
            f"{key} {name}": value
            for key, values in numbers.items()
            for name, value in zip(("as made", "predicted", "found"), values, strict=True)
        }
        title = "Three experiments, as they were made and with your control"
        return parts_bars(bars, title=title, y_title="the experiment's number")

    return draw


def _ours(**changed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Our answer, with some of the three changed."""
    return {
        "A": {"split": "pair", "number": 0.5},
        "B": {"metric": "logit difference", "number": 0.28},
        "C": {"control": "lot", "number": 0.065},
    } | changed


def _chose(key: str, *choices: tuple[str, str]) -> Callable[[Hypothesis, Findings], bool]:
    return lambda hypothesis, findings: hypothesis[key].choice in choices


WHAT_IS_WRONG = Investigation(
    slug="what-is-wrong-with-this-experiment",
    optional=True,
    title="What is wrong with this experiment?",
    chapter="04",
    points=6,
    minutes=40,
    difficulty=5,
    objective="Find the flaw of an experiment, and the one control that shows it.",
    question="Which control shows what is wrong with each of three experiments, and what does it find?",
    form='a dict {"A": {setting: option, "number": x}, "B": ..., "C": ...}',
    read=read,
    experiment=experiment,
    levels=Levels(0.79, 0.89, 0.99),
    styles=(
        Worked(name="people kept apart", hypothesis=_ours, level="excellent"),
        Worked(
            name="labels by lot in A",
            hypothesis=lambda: _ours(A={"label": "lot", "number": 0.9}),
            level="excellent",
        ),
    ),
    mistakes=(
        WrongHypothesis(
            name="labels shuffled",
            example=lambda: _ours(C={"control": "shuffled", "number": 0.0}),
            fits=_chose("C", ("control", "shuffled")),
            sentence="Labels that are shuffled story by story tell nothing about who gives, so a probe for them finds no direction in which givers differ. This "
            "control cannot fail either. Which direction would move the answer as well, without meaning anything?",
        ),
        WrongHypothesis(
            name="more of what cannot fail",
            example=lambda: _ours(C={"directions": "8", "number": 0.006}),
            fits=_chose("C", ("control", "random"), ("directions", "4"), ("directions", "8")),
            sentence="More random directions in 128 dimensions: each holds a hundredth of what differs between two givers, whatever is true of men. Could this "
            "control ever have come out otherwise?",
        ),
        WrongHypothesis(
            name="another layer",
            example=lambda: _ours(C={"layer": "2", "number": 0.006}),
            fits=_chose("C", ("layer", "0"), ("layer", "1"), ("layer", "2")),
            sentence="Another layer repeats experiment C and its control together. What is compared with what stays as it was.",
        ),
        WrongHypothesis(
            name="other words, the same people",
            example=lambda: _ours(A={"split": "opening", "number": 0.88}),
            fits=_chose("A", ("split", "story"), ("split", "opening"), ("label", "met")),
            sentence="In A the test has other words now, and the same pairs of people as the stories that the probe was fitted on. What can it have learned about a pair "
            "by heart?",
        ),
        WrongHypothesis(
            name="another place",
            example=lambda: _ours(A={"place": "end", "number": 0.8}),
            fits=_chose("A", ("place", "second"), ("place", "giver"), ("place", "end")),
            sentence="In A the probe reads somewhere else now. Lower or higher, fitting and test still share what they shared. Where does what it reads come from?",
        ),
        WrongHypothesis(
            name="a metric that saturates, too",
            example=lambda: _ours(B={"metric": "probability", "number": 0.17}),
            fits=_chose(
                "B",
                ("metric", "log probability"),
                ("metric", "probability"),
                ("metric", "accuracy"),
            ),
            sentence="In B this metric is at its upper end as well: where the right answer is nearly sure, it cannot show that it has become less so. Which of "
            "them has no upper end?",
        ),
        WrongHypothesis(
            name="another value in the head's place",
            example=lambda: _ours(B={"instead": "zero", "number": 0.04}),
            fits=_chose(
                "B",
                *(("instead", each) for each in SETTINGS["B"]["instead"]),
                *(("stories", each) for each in SETTINGS["B"]["stories"]),
            ),
            sentence="In B you change what is put in the head's place, or how many stories there are. The loss is read with the same ruler. Look at the ruler.",
        ),
        WrongHypothesis(
            name="controls without numbers",
            example=lambda: _ours(
                A={"split": "pair", "number": 0.9},
                B={"metric": "logit difference", "number": 0.04},
                C={"control": "lot", "number": 0.0},
            ),
            fits=lambda hypothesis, findings: all(
                control.choice in SHOW[key] for key, control in hypothesis.items()
            ),
            sentence="The three controls are right, and your numbers are not what they find. A control is an experiment: run it before you say what it shows.",
        ),
    ),
    hints=(
        "Ask of each experiment: what would its number be if the claim were false? If it would be the same, something is wrong.",
        "A: what do the stories for fitting and those of the test share? B: how much could the metric have fallen, from where it stands? C: how much of the difference between two "
        "givers does a random direction hold?",
        "Make each with one line changed: the cells above have what you need. Fit on some pairs of people and test on others; read your logit difference; fit the control's "
        "direction to names drawn by lot.",
    ),
)
