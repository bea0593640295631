"""Chapter 06: `read-dallas`, an investigation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mi_tutor.lab.tracing import MLP
from mi_tutor.teach.exercises.tracing.reading import (
    MOST_OFF,
    Supernode,
    experiment,
    read_supernodes,
)
from mi_tutor.teach.investigation import Findings, Investigation, Levels, Worked, WrongHypothesis


def group(
    site: str,
    layers: list[int],
    places: str | list[str],
    without: float,
    state: float,
    relation: float,
) -> dict[str, Any]:
    return {
        "site": site,
        "layers": layers,
        "places": places,
        "without": without,
        "state": state,
        "relation": relation,
    }


def ours() -> dict[str, Any]:
    """As measured over several draws; what is left without some of them varies from draw to draw."""
    return {
        "the state": group("attention", [2], "end", 0.03, 0.97, 0.0),
        "the name": group("mlp", [0, 1], "name", 0.22, 0.38, 0.0),
        "what is asked": group("mlp", [0, 1], "elsewhere", 0.35, 0.0, 0.99),
        "the end itself": group("mlp", [0, 1], "end", 0.1, 0.0, 0.0),
        "the answer": group("mlp", [2, 3, 4], "end", 0.27, 0.76, 0.97),
    }


def finer() -> dict[str, Any]:
    """The last one in two."""
    found = ours()
    found["the answer"] = group("mlp", [3, 4], "end", 0.45, 0.55, 0.75)
    return found | {"MLP 2": group("mlp", [2], "end", 0.9, 0.1, 0.3)}


def _said(found: dict[str, Any], name: str, **expected: float) -> dict[str, Any]:
    return found | {name: found[name] | expected}


def _far_off(site: int, places: str, layers: set[int], effects: tuple[str, ...]) -> Any:
    """Whether a supernode there is expected to do what it does not, or the other way round."""

    def fits(supernodes: Mapping[str, Supernode], findings: Findings) -> bool:
        return any(
            abs(off) >= MOST_OFF
            and effect in effects
            and supernodes[name].site == site
            and places in supernodes[name].places
            and set(supernodes[name].layers) <= layers
            for (name, effect), off in findings.facts["far"].items()
        )

    return fits


READ_DALLAS = Investigation(
    slug="read-dallas",
    title="Read a graph, for prompts that you have not seen",
    chapter="06",
    points=10,
    minutes=45,
    difficulty=5,
    objective="Make supernodes of a pruned graph by a rule, and predict what the model does without each of them and with "
    "each exchanged.",
    question="Which supernodes carry the state and what is asked, and what happens when they go off or are exchanged?",
    form="a dict of four to eight supernodes by name, each a dict with “site”, “layers”, “places”, “without”, “state” and "
    "“relation”",
    read=read_supernodes,
    experiment=experiment,
    levels=Levels(0.75, 0.84, 0.9),
    mistakes=(
        WrongHypothesis(
            name="without what attention brings",
            example=lambda: {name: each for name, each in ours().items() if name != "the state"},
            fits=lambda supernodes, findings: not findings.facts["state"],
            sentence="None of your supernodes changes the state and leaves what is asked as it was. The MLPs at the end have "
            "both in them by then. Where in the graph is one of the two still by itself?",
        ),
        WrongHypothesis(
            name="needed, so it carries it",
            example=lambda: _said(ours(), "the end itself", relation=0.95),
            fits=_far_off(MLP, "end", {0, 1}, ("state", "relation")),
            sentence="You expect the early MLP latents at the end to carry what is asked, or the state. The answer needs them. But "
            "exchange them, and count whose answer it becomes: needed is one thing, and different from case to case another.",
        ),
        WrongHypothesis(
            name="carries nothing, so it is not needed",
            example=lambda: _said(ours(), "the end itself", without=0.95),
            fits=_far_off(MLP, "end", {0, 1}, ("without",)),
            sentence="Some latents are alike in every prompt of this kind, so that an exchange changes nothing. That does not make "
            "them idle. Switch the early ones at the end off.",
        ),
        WrongHypothesis(
            name="only the end and the name matter",
            example=lambda: _said(ours(), "what is asked", without=0.95, relation=0.05),
            fits=_far_off(MLP, "elsewhere", {0, 1}, ("without", "relation")),
            sentence="You expect little of what is neither at the name nor at the end. Which words of the prompt say what is asked, "
            "and where are they read?",
        ),
    ),
    styles=(
        Worked(name="five supernodes", hypothesis=ours, level="excellent"),
        Worked(name="six", hypothesis=finer, level="good"),
    ),
    hints=(
        "Begin with a table: for each site, layer and place, how many latents are left on average, and which part of "
        "the influence they hold.",
        "`pairs_by_lot`, `exchange` and `trace` of the cells above are all that the experiment needs; take the nodes from "
        "the pruned graphs. Twenty prompts tell .6 from .9.",
        "A supernode can hold much of what the graph shows, and little of what the model uses. Predict nothing that you "
        "have not switched off.",
    ),
)
