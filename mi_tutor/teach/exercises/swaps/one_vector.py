"""Chapter 05: `one-vector`, an investigation."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable
from typing import Any

import torch

from mi_tutor.teach.exercises.swaps.contest import (
    SAYS,
    Contest,
    abroad,
    differs,
    experiment,
    kind,
    known_by_a_part,
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
    test: Iterable[int], control: Iterable[int] | None = None, **given: Any
) -> dict[str, Any]:
    """Shares as we measured them, and what follows, unless others are given."""
    test = list(test)
    strict = [n for n in test if differs(abroad()[n]) and not known_by_a_part(abroad()[n])]
    sets = {
        "test": test,
        "control": list(like_the_test() if control is None else control),
        "strict": strict or test,
        "says": SAYS,
    }
    measured = {"french": (0.86, 0.93), "spanish": (0.81, 0.92), "alike": (0.95, 0.97)}
    return sets | measured | {"there": (0.77, 0.86)} | given


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
    form="a dict with “test”, “control”, “strict” (numbers into `abroad`), “french”, “spanish”, “alike”, “there” (two "
    "shares each: with English directions, and with the language's own) and “says” (a word for each of “a” to “f”)",
    read=read_contest,
    experiment=experiment,
    levels=Levels(0.84, 0.9, 0.95),
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
            name="words that are alike in part",
            example=lambda: hypothesis(those(differs), strict=those(differs)),
            fits=lambda contest, findings: (
                findings.facts["precision"] >= 0.8 and findings.facts["strict"] < 0.8
            ),
            sentence="“strict” is not yet strict, or too much so. The model never sees words, it sees tokens: print those of "
            "a few names beside their English ones, with the space before them.",
        ),
        WrongHypothesis(
            name="more than the numbers say",
            example=lambda: hypothesis(
                those(differs), says=SAYS | {"d": "shown", "e": "shown", "f": "shown"}
            ),
            fits=lambda contest, findings: (
                findings.facts["sets"]
                and findings.facts["said"] < 5
                and list(contest.says.values()).count("open") < 2
            ),
            sentence="You take for settled what your swaps do not ask. For each claim name the number that would have come "
            "out otherwise if it were false; where there is none, it is open.",
        ),
        WrongHypothesis(
            name="less than the numbers say",
            example=lambda: hypothesis(those(differs), says=dict.fromkeys(SAYS, "open")),
            fits=lambda contest, findings: findings.facts["sets"] and findings.facts["said"] < 5,
            sentence="Some of these claims predict a number that you have measured, and it came out otherwise. Compare the "
            "four pairs of shares with what each claim would make of them.",
        ),
        WrongHypothesis(
            name="the table's shares",
            example=lambda: hypothesis(
                those(differs),
                french=(0.5, 0.98),
                spanish=(0.5, 0.98),
                there=(0.2, 0.98),
                alike=(0.8, 0.8),
            ),
            fits=lambda contest, findings: findings.sure,
            sentence="The sets are right, and your shares are not what happens in them. Neither explanation has to be "
            "wholly right, and such names may be harder for directions of any language. Measure all eight.",
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
