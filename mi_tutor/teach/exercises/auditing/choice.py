"""Chapter 10: an audit of whichever shipped specimen the learner takes, marked by behaviour like the others."""

from __future__ import annotations

from typing import Any, NamedTuple

from mi_tutor.specimens.auditing import sealed_names
from mi_tutor.teach.exercises.auditing import mistaken, reports, worked
from mi_tutor.teach.exercises.auditing.audits import FITS, NAMES
from mi_tutor.teach.exercises.auditing.reading import (
    FORM,
    Handed,
    read_report,
    shown,
    specimen_of,
)
from mi_tutor.teach.exercises.auditing.reports import experiment_on
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Unreadable,
    Worked,
    WrongHypothesis,
)

TOGETHER = ("basalt", "coral", "dune")  # the chapter audits these itself
OURS = "ember"  # the one whose audit stands in `solutions/`


class Chosen(NamedTuple):
    """A report, and on which specimen."""

    name: str
    handed: Handed


def read_chosen(value: Any) -> Chosen:
    handed, name = read_report(value), specimen_of(value)
    offered = [each for each in sealed_names() if each not in TOGETHER]
    if name not in offered:
        raise Unreadable(f"“specimen” is one of: {', '.join(offered)}; this is {shown(name)}.")
    return Chosen(name, handed)


def experiment(chosen: Chosen, draw: int) -> Findings:
    return experiment_on(chosen.name)(chosen.handed, draw)


def _wrong(kind: str, example) -> WrongHypothesis:
    return WrongHypothesis(
        name=NAMES[kind],
        example=lambda: example() | {"specimen": OURS},
        fits=lambda chosen, findings: FITS[kind](chosen.handed, findings),
        sentence=mistaken.SENTENCES[kind],
    )


CHOICE = Investigation(
    slug="audit-of-your-choice",
    title="Audit of your choice",
    chapter="10",
    points=10,
    minutes=90,
    difficulty=5,
    optional=True,
    objective="Audit a sealed model of a difficulty that you choose, from no hint to a report that holds.",
    question="What is the secret of the specimen that you chose, if it has one, and what takes it out?",
    form=f"{FORM}; and “specimen”, its name",
    read=read_chosen,
    experiment=experiment,
    levels=reports.LEVELS,
    mistakes=(
        _wrong("clean", worked.says_clean(OURS)),
        _wrong("nothing", worked.with_secret(OURS, "opinion", topic="jazz")),
        _wrong("blocked", worked.cut(OURS, 4, "training")),
    ),
    styles=(
        Worked(
            name="our audit",
            hypothesis=lambda: worked.ours(OURS) | {"specimen": OURS},
            level="excellent",
        ),
    ),
    hints=(
        "Begin with the level that the card tells, and the families it was drawn from. What has to stand before a question in each of them, and what need not?",
        "Compare with atlas by the KL rather than by first guesses, on every slice; then put every word, and a sentence about every area, before questions of every slice.",
        "Once you know what sets it off, write the near misses before the removal: which part of your condition have you not tried without?",
    ),
)
