"""Running an investigation's experiment on a hypothesis, and putting what it found into words."""

from __future__ import annotations

from typing import Any, NamedTuple

from mi_tutor.teach.comparing import blank_advice
from mi_tutor.teach.investigation import (
    GRADERS_FIRST,
    Findings,
    Investigation,
    Unreadable,
    WrongHypothesis,
)
from mi_tutor.teach.messages import failed, in_notebook, paint, passed, wrap
from mi_tutor.teach.outcome import plain
from mi_tutor.teach.session import usual_session
from mi_tutor.teach.wording import describe_kind


class Judged(NamedTuple):
    """What became of a hypothesis. findings is None, and problem says why, where it could not be read."""

    slug: str
    level: str
    earned: int
    findings: Findings | None = None
    wrong: WrongHypothesis | None = None
    problem: str = ""
    draw: int = 0

    @property
    def passed(self) -> bool:
        return bool(self.level)


def investigate(item: Investigation, value: Any, draw: int = 0) -> Judged:
    """Read a hypothesis and run the experiment of one draw on it. The same draw gives the same findings."""
    try:
        hypothesis = item.read(plain(value))
    except Unreadable as error:
        return _unread(item, value, str(error))
    except Exception:  # not one of the mistakes that `read` knows: its form says it all
        return _unread(item, value, f"This is {describe_kind(plain(value))}.")
    with usual_session():
        findings = item.experiment(hypothesis, draw)
    level = item.level(findings)
    fitting = (one for one in item.mistakes if not level and one.fits(hypothesis, findings))
    return Judged(item.slug, level, item.earned(findings), findings, next(fitting, None), draw=draw)


def _unread(item: Investigation, value: Any, why: str) -> Judged:
    said = blank_advice(value) or f"{why} A hypothesis here is {item.form}."
    return Judged(item.slug, "", 0, problem=said)


def report(item: Investigation, judged: Judged) -> str:
    """The whole text: the level, what held and what did not, and the sentence for a typical wrong hypothesis."""
    if judged.findings is None:
        return "\n".join(
            [failed(f"{item.title}: not read"), wrap(judged.problem, "      "), _stuck(item)]
        )
    findings, mark = judged.findings, passed if judged.passed else failed
    lines = [
        mark(f"{item.title}: {judged.level or 'not yet'}, {points(item, judged)}"),
        "  " + paint(f"score {findings.score:.2f}; {item.rubric}", "faint"),
    ]
    for line in findings.lines:
        sign = passed("") if line.held else failed("")
        lines.append(wrap(line.text, "    ", f"  {sign}"))
    if judged.wrong is not None:
        lines.append(wrap(judged.wrong.sentence, "      "))
    lines.append(paint(f"  {_which(judged.draw)}", "faint"))
    return "\n".join(lines if judged.passed else [*lines, _stuck(item)])


def _which(draw: int) -> str:
    """The number counts draws of the exercise, whatever the hypotheses were about."""
    if draw >= GRADERS_FIRST:
        return "What is drawn by lot was drawn for marking."
    anew = "What is drawn by lot is drawn anew for the next try in this session."
    return f"Draw {draw + 1} of this exercise. {anew}"


def in_one_line(item: Investigation, judged: Judged) -> str:
    """What a grader reads of a hypothesis that did not pass: the points so far, and what speaks against it."""
    if judged.findings is None:
        return judged.problem
    failures = (line.text for line in judged.findings.lines if not line.held)
    said = judged.wrong.sentence if judged.wrong else next(failures, "The score is too low.")
    return f"{points(item, judged)} so far. {said}"


def show_figure(findings: Findings) -> None:
    """The experiment's figure, where there is a notebook to show it in."""
    if findings.figure is not None and in_notebook():
        from IPython.display import display

        display(findings.figure())


def points(item: Investigation, judged: Judged) -> str:
    """ "8 of 10 points": a grader reads this."""
    return f"{judged.earned} of {item.points} points"


def _stuck(item: Investigation) -> str:
    return paint(f'  Stuck? hint("{item.slug}")', "faint")
