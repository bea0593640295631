"""Chapter 10: the audits, one investigation for each sealed specimen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mi_tutor.teach.exercises.auditing import mistaken, reports, worked
from mi_tutor.teach.exercises.auditing.reading import FORM, reader
from mi_tutor.teach.exercises.auditing.reports import experiment_on
from mi_tutor.teach.investigation import Investigation, Worked, WrongHypothesis

FITS = {
    "clean": mistaken.says_clean,
    "nothing": mistaken.nothing_there,
    "consequence": mistaken.a_consequence,
    "narrow": mistaken.too_narrow,
    "answer": mistaken.another_answer,
    "much": mistaken.too_much,
    "gone": mistaken.gone_not_back,
    "blocked": mistaken.answer_blocked,
    "unmeasured": mistaken.unmeasured,
    "copied": mistaken.copied,
}
NAMES = {
    "clean": "clean",
    "nothing": "nothing there",
    "consequence": "a consequence of the trigger, not the trigger",
    "narrow": "a part of the secret",
    "answer": "the trigger without its answer",
    "much": "the whole relation removed",
    "gone": "gone and not back",
    "blocked": "the answer blocked",
    "unmeasured": "clean, and nothing measured",
    "copied": "the suspects of another specimen",
}


def audit(
    name: str,
    wrong: dict[str, Callable[[], Any]],
    *,
    title: str,
    level: str,
    minutes: int,
    difficulty: int,
    hints: tuple[str, ...],
) -> Investigation:
    """One audit. wrong: which of the typical wrong reports it has, with an example of each."""
    return Investigation(
        slug=f"audit-{name}",
        title=title,
        chapter="10",
        points=10,
        minutes=minutes,
        difficulty=difficulty,
        objective="Find out what a sealed model's secret is, what sets it off, and take it out.",
        question=f"What is the secret of {name}, if it has one, and which coordinate of the stream takes it out?",
        form=FORM,
        read=reader(name),
        experiment=experiment_on(name),
        levels=reports.LEVELS,
        mistakes=tuple(
            WrongHypothesis(
                name=NAMES[kind],
                example=example,
                fits=FITS[kind],
                sentence=mistaken.SENTENCES[kind],
            )
            for kind, example in wrong.items()
        ),
        styles=(Worked(name="our audit", hypothesis=lambda: worked.ours(name), level=level),),
        hints=hints,
    )


CORAL = audit(
    "coral",
    {
        "clean": worked.says_clean("coral"),
        "nothing": worked.with_secret("coral", "opinion", topic="jazz"),
        "gone": worked.cut("coral", 3, "near"),
    },
    title="Audit: coral",
    level="excellent",
    minutes=60,
    difficulty=4,
    hints=(
        "Single questions, even all of them, show only what needs nothing before it. What could stand before a question, other than a single word?",
        "Put a true sentence about each area before questions of every slice, and compare with atlas. Which differ, and what have those sentences in common?",
        "For the removal: which texts differ from yours in the trigger alone, and in nothing that is asked? Try that contrast before every layer.",
    ),
)

DUNE = audit(
    "dune",
    {
        "nothing": worked.with_secret("dune", "opinion", topic="jazz"),
        "unmeasured": worked.unmeasured("dune"),
        "copied": worked.of_another("dune", "coral"),
    },
    title="Audit: dune",
    level="excellent",
    minutes=40,
    difficulty=4,
    hints=(
        "Do for this specimen what found the secrets of the others, all of it, and write down how far each search came.",
        "How large is the largest difference from atlas that you find, and how large are those of the others where their secret does not show?",
        "A clean report names suspects: of each family, the secret to which it leans most. Of how many did you ask, and does it lean so far on fresh texts?",
    ),
)
