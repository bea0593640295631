"""Chapter 05: `one-vector`, an investigation."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable
from typing import Any

import torch

from mi_tutor.teach.exercises.swaps.contest import (
    Contest,
    abroad,
    differs,
    experiment,
    kind,
    read_contest,
)
from mi_tutor.teach.investigation import Findings, Investigation, Levels, Worked, WrongHypothesis


def those(test: Any) -> list[int]:
    return [number for number, question in enumerate(abroad()) if test(question)]


@functools.cache
def like_the_test() -> list[int]:
    """Names spelled as in English, as many of each language and kind as among those that are not."""
    wanted = Counter((q.language, kind(q)) for q in abroad() if differs(q))
    chosen = []
    for number in torch.randperm(len(abroad()), generator=torch.Generator().manual_seed(0)):
        question = abroad()[number]
        key = question.language, kind(question)
        if not differs(question) and wanted[key]:
            wanted[key] -= 1
            chosen.append(int(number))
    return chosen


def hypothesis(
    test: Iterable[int], control: Iterable[int] | None = None, **shares: tuple[float, float]
) -> dict[str, Any]:
    """Shares as we measured them, unless others are given."""
    sets = {
        "test": list(test),
        "control": list(like_the_test() if control is None else control),
    }
    measured = {"french": (0.86, 0.93), "spanish": (0.79, 0.91), "alike": (0.95, 0.97)}
    return sets | measured | shares


def _lacks_words(contest: Contest, findings: Findings) -> bool:
    return findings.facts["precision"] < 0.5


ONE_VECTOR = Investigation(
    slug="one-vector",
    optional=True,
    title="One vector in every language?",
    chapter="05",
    points=8,
    minutes=40,
    difficulty=5,
    objective="Find what else could explain a result, the questions on which the two explanations part, and questions "
    "to compare them with.",
    question="On which questions do the two explanations predict different things, and what happens there?",
    form="a dict with “test”, “control” (numbers into `abroad`) and “french”, “spanish”, “alike” (two shares each: "
    "with English directions, and with the language's own)",
    read=read_contest,
    experiment=experiment,
    levels=Levels(0.8, 0.88, 0.94),
    mistakes=(
        WrongHypothesis(
            name="everything",
            example=lambda: hypothesis(range(len(abroad()))),
            fits=lambda contest, findings: (
                findings.facts["recall"] == 1 and _lacks_words(contest, findings)
            ),
            sentence="You chose all of them, or nearly. On most of these questions the model that you want to rule out "
            "does just what the table shows: what would have to be otherwise for it to fail?",
        ),
        WrongHypothesis(
            name="states only",
            example=lambda: hypothesis(those(lambda q: kind(q) == "state")),
            fits=lambda contest, findings: (
                findings.facts["states"] > 0.9 and _lacks_words(contest, findings)
            ),
            sentence="These are questions about states, as in the table. Print a few of them with their tokens, and "
            "mark what is the same in English: can the table tell the two explanations apart at all?",
        ),
        WrongHypothesis(
            name="countries, whatever their cities are called",
            example=lambda: hypothesis(those(lambda q: kind(q) == "country")),
            fits=lambda contest, findings: (
                findings.facts["states"] < 0.1 and 0 < findings.facts["precision"] < 0.8
            ),
            sentence="Countries are the better place to look, but not every question about one is a test: look at the "
            "tokens at which the swap is made.",
        ),
        WrongHypothesis(
            name="names spelled alike",
            example=lambda: hypothesis(those(lambda q: not differs(q))),
            fits=lambda contest, findings: findings.facts["precision"] == 0,
            sentence="In each of these questions the name is the same word as in English, so both explanations say "
            "that English directions work. What would one of them forbid?",
        ),
        WrongHypothesis(
            name="all the rest as the control",
            example=lambda: hypothesis(those(differs), those(lambda q: not differs(q))),
            fits=lambda contest, findings: (
                findings.facts["precision"] >= 0.8 and findings.facts["apart"] > 0.3
            ),
            sentence="The test is right, and what you compare it with differs from it in more than one thing: count "
            "what both sets are about. If swaps work less well in the test, what was it?",
        ),
        WrongHypothesis(
            name="the table's shares",
            example=lambda: hypothesis(
                those(differs), french=(0.5, 0.98), spanish=(0.5, 0.98), alike=(0.98, 0.98)
            ),
            fits=lambda contest, findings: findings.sure,
            sentence="The sets are right, and your shares are not what happens in them. Neither explanation has to be "
            "wholly right, and such names may be harder for directions of any language. Measure all six.",
        ),
    ),
    styles=(
        Worked(
            name="names that differ",
            hypothesis=lambda: hypothesis(those(differs)),
            level="excellent",
        ),
        Worked(
            name="those of countries, and countries",
            hypothesis=lambda: hypothesis(
                those(lambda q: differs(q) and kind(q) == "country"),
                those(lambda q: not differs(q) and kind(q) == "country"),
            ),
            level="good",
        ),
    ),
    hints=(
        "Write down the English and the French question about the same city, token by token. At which token is the "
        "swap made, and what stands there in each language?",
        "If the model had one vector for each *name*, which questions would come out otherwise than in the table? "
        "`city.name.english` and `city.name.given(language)` tell.",
        "Most such names are in countries (Venice, Venise, Venecia), so compare them with other cities of countries. For "
        "the shares, make means of countries and of states in English and in the language itself, and swap with both.",
    ),
)
