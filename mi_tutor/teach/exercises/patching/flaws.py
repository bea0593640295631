"""Chapter 04, investigation `what-is-wrong-with-this-experiment`: name a flaw, or none, by the control that shows it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from mi_tutor.teach.exercises.patching.flawed import SETTINGS, measure, where_it_stays
from mi_tutor.teach.exercises.patching.flaws_comments import COMMENTS, Comment
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)

# What is so, and the controls that show it.
VERDICTS = {"A": "flawed", "B": "flawed", "C": "flawed", "D": "sound"}
SHOW = {
    "A": (("split", "pair"), ("label", "lot")),
    "B": (("metric", "logit difference"),),
    "C": (("control", "lot"),),
    "D": (("split", "pair"),),
}
IN_PART = (
    ("metric", "probability"),
    ("metric", "accuracy"),
)  # of B: they show that something is wrong
MEASURED = "B"  # without whose number nothing passes
NEAR = {"A": 0.15, "B": 0.05, "C": 0.04, "D": 0.08}
# The shares of an experiment's quarter of the score.
FOR_THE_VERDICT, FOR_THE_CONTROL, FOR_A_PART, FOR_THE_NUMBER = 0.2, 0.48, 0.1, 0.32


class Control(NamedTuple):
    """A verdict, one setting of the experiment changed, and the number that is predicted."""

    verdict: str
    setting: str
    option: str
    number: float

    @property
    def choice(self) -> tuple[str, str]:
        return self.setting, self.option


Hypothesis = dict[str, Control]


def read(value: Any) -> Hypothesis:
    """{"A": {"verdict": ..., setting: option, "number": x}, ...} -> the controls."""
    if not isinstance(value, dict) or {str(key).strip().upper() for key in value} != set(SETTINGS):
        raise Unreadable("This is not a dict with the four keys A, B, C and D.")
    return {str(key).strip().upper(): _control(str(key), each) for key, each in value.items()}


def _control(key: str, value: Any) -> Control:
    key = key.strip().upper()
    if not isinstance(value, dict) or len(value) != 3 or not {"verdict", "number"} <= set(value):
        raise Unreadable(f'{key} is not a dict of "verdict", one setting and "number".')
    setting, option = next(pair for pair in value.items() if pair[0] not in ("verdict", "number"))
    setting, option = str(setting).strip().lower(), str(option).strip().lower()
    verdict = str(value["verdict"]).strip().lower()
    if verdict not in ("sound", "flawed"):
        raise Unreadable(f"The verdict on {key} is 'sound' or 'flawed'; this is {verdict!r}.")
    if setting not in SETTINGS[key]:
        raise Unreadable(f"{key} has the settings {', '.join(SETTINGS[key])}, and no {setting!r}.")
    if option not in SETTINGS[key][setting]:
        options = ", ".join(repr(each) for each in SETTINGS[key][setting])
        raise Unreadable(f"The {setting} of {key} is one of {options}; this is {option!r}.")
    number = float(value["number"])
    if not math.isfinite(number):
        raise Unreadable(f"The number of {key} is {number}.")
    return Control(verdict, setting, option, number)


def experiment(hypothesis: Hypothesis, draw: int) -> Findings:
    lines, score, numbers, said = [_verdicts_line(hypothesis)], 0.0, {}, False
    for key in sorted(hypothesis):
        control = hypothesis[key]
        before, after = measure(key, *_as_made(key), draw), measure(key, *control.choice, draw)
        near = abs(after - control.number) <= NEAR[key]
        score += _mark(key, control, near) / len(SETTINGS)
        if near:
            numbers[key] = before, control.number, after
        lines += _lines(key, control, before, after, near)
        if key == "B" and control.choice in IN_PART:
            lines.append(_stays_line(draw))
        comment = comment_on(key, control)
        if comment and said:  # the first is the hypothesis' name, and comes last
            lines.append(Line(comment.sentence, False))
        said = said or comment is not None
    # Of A, C and D a good thinker can say the number. B's has to be measured.
    return Findings(
        score,
        tuple(lines),
        figure=_figure(numbers) if numbers else None,
        sure=MEASURED in numbers,
    )


def _verdicts_line(hypothesis: Hypothesis) -> Line:
    """How many, and not which: four verdicts are soon tried out."""
    right = sum(hypothesis[key].verdict == verdict for key, verdict in VERDICTS.items())
    return Line(f"{right} of {len(VERDICTS)} verdicts are right", right == len(VERDICTS))


def _as_made(key: str) -> tuple[str, str]:
    setting, options = next(iter(SETTINGS[key].items()))
    return setting, options[0]


def _mark(key: str, control: Control, near: bool) -> float:
    """The share of one experiment's points."""
    if control.verdict != VERDICTS[key]:
        return 0.0
    if control.choice in SHOW[key]:
        return FOR_THE_VERDICT + FOR_THE_CONTROL + FOR_THE_NUMBER * near
    return FOR_THE_VERDICT + FOR_A_PART * (key == "B" and control.choice in IN_PART)


def comment_on(key: str, control: Control) -> Comment | None:
    """What to say of one experiment's part of a hypothesis, if it is not right."""
    if control.verdict == VERDICTS[key] and control.choice in SHOW[key]:
        return None
    return next(
        (each for each in COMMENTS if each.fits(key, control.verdict, control.choice)), None
    )


def first_comment(hypothesis: Hypothesis) -> Comment | None:
    found = (comment_on(key, hypothesis[key]) for key in sorted(hypothesis))
    return next((each for each in found if each), None)


def _lines(key: str, control: Control, before: float, after: float, near: bool) -> list[Line]:
    shows = control.choice in SHOW[key]
    # What the control finds is for the learner to measure: it is told where it came true.
    found = f"{after:.3f}, and " if near else ""
    what = f"{key}, {control.setting} = {control.option}: {found}{before:.3f} as it was made"
    would = "this control could have shown a flaw" if VERDICTS[key] == "sound" else "this shows it"
    told = "this does not decide"
    if control.verdict == VERDICTS[key] and shows:
        told = would
    lines = [Line(f"{what}; {told}", told == would)]
    if told == would:
        lines.append(
            Line(f"{key}, your prediction {control.number:.3f} (wanted: within {NEAR[key]})", near)
        )
    return lines


def _stays_line(draw: int) -> Line:
    stays, lost = where_it_stays(draw)
    return Line(
        f"B: in {stays:.0%} of the stories the answer's probability stays above .9 without the head, and in these "
        f"{lost:.2f} of the logit difference's way is lost: your metric sees the others only",
        False,
    )


def _figure(numbers: dict[str, tuple[float, float, float]]) -> Callable[[], Any]:
    def draw() -> Any:
        from mi_tutor.show.patching import parts_bars

        bars = {
            f"{key} {name}": value
            for key, values in numbers.items()
            for name, value in zip(("as made", "predicted", "found"), values, strict=True)
        }
        title = "Four experiments, as they were made and with your control"
        return parts_bars(
            bars, title=title, x_title="experiment", y_title="the experiment's number"
        )

    return draw


def ours(**changed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Our answer, with some of the four changed."""
    return {
        "A": {"verdict": "flawed", "split": "pair", "number": 0.58},
        "B": {"verdict": "flawed", "metric": "logit difference", "number": 0.28},
        "C": {"verdict": "flawed", "control": "lot", "number": 0.065},
        "D": {"verdict": "sound", "split": "pair", "number": 0.95},
    } | changed


def _named(comment: Comment) -> WrongHypothesis:
    key, part = comment.example
    return WrongHypothesis(
        name=comment.name,
        example=lambda: ours(**{key: part}),
        fits=lambda hypothesis, findings: first_comment(hypothesis) is comment,
        sentence=comment.sentence,
    )


WHAT_IS_WRONG = Investigation(
    slug="what-is-wrong-with-this-experiment",
    optional=True,
    title="What is wrong with this experiment?",
    chapter="04",
    points=8,
    minutes=50,
    difficulty=5,
    objective="Tell a flawed experiment from one that only looks so, and find the one control that decides.",
    question="Which of four experiments are flawed, which control shows it, and what does that control find?",
    form='a dict {"A": {"verdict": "flawed", setting: option, "number": x}, "B": ..., "C": ..., "D": ...}',
    read=read,
    experiment=experiment,
    levels=Levels(0.91, 0.92, 0.99),
    styles=(
        Worked(name="pairs kept apart", hypothesis=ours, level="excellent"),
        Worked(
            name="labels by lot in A",
            hypothesis=lambda: ours(A={"verdict": "flawed", "label": "lot", "number": 0.8}),
            level="excellent",
        ),
    ),
    mistakes=(
        *map(_named, COMMENTS),
        WrongHypothesis(
            name="numbers by thought",
            example=lambda: ours(
                B={"verdict": "flawed", "metric": "logit difference", "number": 0.5}
            ),
            fits=lambda hypothesis, findings: (
                first_comment(hypothesis) is None and findings.score > 0.9
            ),
            sentence="Verdicts and controls are right. What a flaw brings a number to, a coin or as much as the claim itself, can "
            "be said without an experiment; how much B's head does cannot. Measure it.",
        ),
        WrongHypothesis(
            name="controls without numbers",
            example=lambda: ours(
                A={"verdict": "flawed", "split": "pair", "number": 0.9},
                B={"verdict": "flawed", "metric": "logit difference", "number": 0.04},
                C={"verdict": "flawed", "control": "lot", "number": 0.0},
            ),
            fits=lambda hypothesis, findings: first_comment(hypothesis) is None,
            sentence="Verdicts and controls are right, and your numbers are not what they find. A control is an experiment: "
            "run it before you say what it shows.",
        ),
    ),
    hints=(
        "Ask of each experiment: what would its number be if the claim were false? If it would be the same, something is "
        "wrong. If it would not, it may be sound, however it looks.",
        "A and D: what do the stories for fitting and those of the test share, and does it tell the label? B: how much "
        "could the metric have fallen, from where it stands? C: how much of the difference between two givers does a "
        "random direction hold?",
        "Make each with one line changed: the cells above have what you need. Fit on some pairs of people and test on "
        "others, in A and in D; read your logit difference; fit the control's direction to names drawn by lot.",
    ),
)
