"""Chapter 08: `where-is-the-plan`, an investigation."""

from __future__ import annotations

from typing import Any

from mi_tutor.teach.exercises.biology.deciding import BLANKS, BREAK, MODELS
from mi_tutor.teach.exercises.biology.plan_reports import FoundSet, Report, experiment, read_report
from mi_tutor.teach.investigation import Findings, Investigation, Levels, Worked, WrongHypothesis

# As measured with wordings that no draw has alone: places before layer 2, with what follows each alone.
OURS = {
    "planner": {
        "verb": {9: 0.18, 11: 0.19},
        "adjective": {9: 0.13, 13: 0.25},
        "end": {9: 0.16, 14: 0.32},
    },
    "planner-twin": {
        "verb": {6: 0.05, 11: 0.6},
        "adjective": {6: 0.0, 11: 0.0, 13: 0.84},
        "end": {11: 0.0, 14: 0.92},
    },
    "kept": {"adjective": 0.68, "end": 0.78},
    "quarrel": {"verb": (0.17, 0.19), "adjective": (0.13, 0.27), "end": (0.15, 0.39)},
}


def ours(**given: Any) -> dict[str, Any]:
    return OURS | given


def everywhere(*places: int | str, alone: float = 0.2) -> dict[str, dict[str, dict[int, float]]]:
    """The same tokens for every blank of both models; "said" is the one at which the word is said."""
    return {
        model: {
            blank: {said if each == "said" else int(each): alone for each in places}
            for blank, said in BLANKS.items()
        }
        for model in MODELS
    }


def nearly() -> dict[str, Any]:
    """The twin's tokens without those that matter to few lines."""
    twin = {"verb": {6: 0.05, 11: 0.6}, "adjective": {13: 0.84}, "end": {14: 0.92}}
    return ours(**{"planner-twin": twin})


def _sets(findings: Findings, model: str) -> list[FoundSet]:
    return [each for (which, _), each in findings.facts["sets"].items() if which == model]


def _places(report: Report, model: str) -> list[set[int]]:
    return [set(places) for (which, _), places in report.sets.items() if which == model]


def _poor(findings: Findings, kind: str) -> bool:
    return findings.facts["right"] and findings.facts["quality"][kind] < 0.4


WHERE_IS_THE_PLAN = Investigation(
    slug="where-is-the-plan",
    optional=True,
    title="Where is the plan when nobody seems to have it?",
    chapter="08",
    points=8,
    minutes=45,
    difficulty=5,
    objective="Find where something is kept when no single exchange moves it, and predict what happens when its copies disagree.",
    question="Before layer 2, at which tokens together does each model keep what it is going to say?",
    form="a dict with “planner” and “planner-twin” (each a dict from “verb”, “adjective”, “end” to a dict from a token's place to "
    "the share that follows it alone), “kept” (shares for “adjective” and “end”) and “quarrel” (two shares for each blank)",
    read=read_report,
    experiment=experiment,
    levels=Levels(0.75, 0.88, 0.95),
    mistakes=(
        WrongHypothesis(
            name="where it is read",
            example=lambda: ours(**everywhere(BREAK, alone=0.95)),
            fits=lambda report, findings: all(
                each == {BREAK} for each in _places(report, "planner")
            ),
            sentence="At the break the plan can be read, and before layer 1 it was taken from there. Before layer 2 hardly a word "
            "follows it. Something else has the old plan by then: what would you have to exchange besides?",
        ),
        WrongHypothesis(
            name="where the word is said",
            example=lambda: ours(**everywhere("said")),
            fits=lambda report, findings: all(
                len(each) == 1 for each in _places(report, "planner")
            ),
            sentence="One token for each blank, and in `planner` most words do not follow it. If no single token moves them, that does "
            "not yet mean that the plan is at none of them: each may speak for the old plan when another is exchanged.",
        ),
        WrongHypothesis(
            name="the twin like the planner",
            example=lambda: ours(**{"planner-twin": OURS["planner"]}),
            fits=lambda report, findings: (
                not findings.facts["right"]
                and all(each.right for each in _sets(findings, "planner"))
                and any(BREAK in each.passengers for each in _sets(findings, "planner-twin"))
            ),
            sentence="`planner` is right. In its twin you name the break, and as many words follow without it, though the plan is read there: "
            "ask each token what it adds to the others. Where does the twin have its first line from?",
        ),
        WrongHypothesis(
            name="everything",
            example=lambda: ours(
                **{
                    model: {
                        blank: dict.fromkeys(range(1, said + 1), 0.1)
                        for blank, said in BLANKS.items()
                    }
                    for model in MODELS
                }
            ),
            fits=lambda report, findings: any(
                len(each.passengers) > 2 for each in _sets(findings, "planner")
            ),
            sentence="Exchanged at all of these tokens every word follows, as it must: all that is known of the plan is there. Take "
            "tokens away as long as as many follow.",
        ),
        WrongHypothesis(
            name="one of the two wins",
            example=lambda: ours(quarrel=dict.fromkeys(BLANKS, (0.9, 0.05))),
            fits=lambda report, findings: _poor(findings, "quarrel"),
            sentence="The tokens are right. With two plans put in you expect one of them to win, or the two to share all lines. Put them in "
            "and count both, and then look at what is said in the other lines.",
        ),
        WrongHypothesis(
            name="as when it writes freely",
            example=lambda: ours(kept={"adjective": 0.98, "end": 0.99}),
            fits=lambda report, findings: _poor(findings, "kept"),
            sentence="The tokens are right. Your shares for the words that are kept are those of lines that the model wrote freely after the "
            "exchange: there the words before had followed, too. Here they still speak for the old plan.",
        ),
    ),
    styles=(
        Worked(name="measured", hypothesis=ours, level="excellent"),
        Worked(name="the twin by its strongest tokens", hypothesis=nearly, level="good"),
    ),
    hints=(
        "A sweep over single tokens is the first thing to do, and it finds hardly anything in `planner` before layer 2. Sweep before layers "
        "1 and 3 as well: what has moved between them?",
        "Begin with an exchange at all tokens at once, which must move everything. Then leave out one token after another.",
        "Keep the words that the model wrote by itself, and ask for the next one only: `biology.swap_plans` writes all three anew.",
    ),
)
