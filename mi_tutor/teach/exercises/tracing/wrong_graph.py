"""Chapter 06: `a-wrong-graph`, an investigation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mi_tutor.teach.exercises.tracing.measuring import (
    KINDS,
    MEASURES,
    Rule,
    drawn,
    experiment,
    read_rule,
)
from mi_tutor.teach.investigation import Findings, Investigation, Levels, Worked, WrongHypothesis

SEEN = 900  # a draw of prompts that no check has


def _means(draw: int) -> dict[str, dict[str, float]]:
    tables = drawn(draw)
    return {
        kind: {name: sum(table[kind][name] for table in tables) / len(tables) for name in MEASURES}
        for kind in KINDS
    }


def rule(
    unfrozen: tuple[str, str] = ("row sums", "largest"),
    exchanged: tuple[str, str] = ("direct", "smallest"),
    values: Mapping[str, Mapping[str, float]] | None = None,
) -> dict[str, Any]:
    return {"unfrozen": unfrozen, "exchanged": exchanged, "values": values or _means(SEEN)}


def as_expected() -> dict[str, dict[str, float]]:
    """What one would say who has measured nothing."""
    right = {"completeness": 0.97, "replacement": 0.9, "row sums": 0, "ablation": 0.9, "direct": 1}
    wrong = {
        "completeness": 0.75,
        "replacement": 0.4,
        "row sums": 0.5,
        "ablation": 0.2,
        "direct": 0.3,
    }
    return {"right": right, "unfrozen": wrong, "exchanged": wrong}


def _by(kind: str, *measures: str) -> Any:
    def fits(hypothesis: Rule, findings: Findings) -> bool:
        return hypothesis.by[kind][0] in measures and findings.facts[kind] < 1

    return fits


A_WRONG_GRAPH = Investigation(
    slug="a-wrong-graph",
    optional=True,
    title="Which graph is right?",
    chapter="06",
    points=8,
    minutes=40,
    difficulty=5,
    objective="Choose, out of several measurements on a graph and its model, the ones that a given fault cannot pass.",
    question="By which measurement is each of two faulty graphs told from a right one, and what does each measurement say "
    "of each?",
    form="a dict with “unfrozen” and “exchanged” (each a measurement, and “largest” or “smallest”) and “values” (for "
    "“right”, “unfrozen” and “exchanged” a dict of the five measurements)",
    read=read_rule,
    experiment=experiment,
    levels=Levels(0.78, 0.88, 0.94),
    mistakes=(
        WrongHypothesis(
            name="the scores tell",
            example=lambda: rule(("replacement", "smallest"), ("completeness", "smallest")),
            fits=_by("exchanged", "completeness", "replacement"),
            sentence="You look for a bad score. The scores ask which share of the inputs is error, and not whether an input "
            "comes from the node whose name is on it. What would have to be run in the model to know that?",
        ),
        WrongHypothesis(
            name="row sums tell everything",
            example=lambda: rule(exchanged=("row sums", "largest")),
            fits=_by("exchanged", "row sums"),
            sentence="A sum stays the same when what is added up changes places. Rows that add up show that nothing is missing, "
            "and not which entry is whose.",
        ),
        WrongHypothesis(
            name="a wrong graph predicts worse",
            example=lambda: rule(unfrozen=("direct", "smallest")),
            fits=_by("unfrozen", "direct", "ablation", "completeness", "replacement"),
            sentence="You expect the graph with unfrozen denominators to do badly here, and it does not. A plain gradient can say "
            "well what a change does and yet be no sum of what is there. Which measurement asks for the sum?",
        ),
        WrongHypothesis(
            name="values by thinking",
            example=lambda: rule(values=as_expected()),
            fits=lambda hypothesis, findings: findings.facts["told"] < 0.8,
            sentence="Your rule holds, and the values are not what is measured. In the model itself denominators do answer, and "
            "so do later MLPs: measure all five on each graph, on several prompts.",
        ),
    ),
    styles=(Worked(name="sums, and direct effects", hypothesis=rule, level="excellent"),),
    hints=(
        "Of three graphs you can find out which is which: make the right one yourself. But a rule has to hold on "
        "prompts that you have not seen, so ask of each measurement what it would notice.",
        "What a row's entries have to add up to is known from the model alone. And what one entry says can be tried: "
        "switch that latent off, and let nothing in between answer.",
        "`suspect_graphs(plain, per_layer, draw)` gives other prompts for other draws. Five of them give means that hold.",
    ),
)
