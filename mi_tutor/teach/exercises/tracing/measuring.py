"""Chapter 06, `a-wrong-graph`: measurements on graphs of one prompt, and what a rule makes of them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.patching.attribution import pearson
from mi_tutor.lab.tracing import (
    LATENT,
    LOGIT,
    AttributionGraph,
    LocalReplacementModel,
    changes_of,
    graph_scores,
    intervene,
    node_influence,
    validate,
)
from mi_tutor.specimens.atlas.graphs import KINDS, three_graphs
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, number
from mi_tutor.teach.exercises.tracing.atlas import plain_atlas, transcoders
from mi_tutor.teach.investigation import Findings, Line, Unreadable

MEASURES = ("completeness", "replacement", "row sums", "ablation", "direct")
WRONG = ("unfrozen", "exchanged")
SIDES = ("largest", "smallest")
PROMPTS = 5
N_LATENTS = 40  # that are switched off
# Errors of a predicted value that count in full, and not at all.
CLOSE = {
    "completeness": 0.02,
    "replacement": 0.05,
    "row sums": 0.25,
    "ablation": 0.2,
    "direct": 0.2,
}
FAR = {name: 2.5 * value for name, value in CLOSE.items()}


class Rule(NamedTuple):
    """By which measure and side each wrong graph is told from the other two; and what is measured on each kind."""

    by: Mapping[str, tuple[str, str]]
    values: Mapping[str, Mapping[str, float]]


def read_rule(value: Any) -> Rule:
    found = entries(value, [*WRONG, "values"])
    by = {}
    for kind in WRONG:
        given = found[kind]
        pair = list(given) if isinstance(given, list | tuple) else []
        words = [str(word).strip().lower().replace("_", " ") for word in pair]
        if len(words) != 2 or words[0] not in MEASURES or words[1] not in SIDES:
            raise Unreadable(
                f"“{kind}” is a pair: a measurement ({', '.join(MEASURES)}), and “largest” or “smallest”."
            )
        by[kind] = (words[0], words[1])
    if not isinstance(found["values"], dict):
        raise Unreadable("“values” is a dict, from each kind of graph to a dict of measurements.")
    tables = entries(found["values"], KINDS)
    values = {}
    for kind in KINDS:
        if not isinstance(tables[kind], dict):
            raise Unreadable(f"“values” of “{kind}” is a dict from measurements to numbers.")
        spaced = {str(key).replace("_", " "): each for key, each in tables[kind].items()}
        row = entries(spaced, MEASURES)
        values[kind] = {name: number(row[name], f"{kind}, {name}") for name in MEASURES}
    return Rule(by, values)


def read_of(local: LocalReplacementModel, graph: AttributionGraph) -> Tensor:
    """The pre-activation of every latent of a graph that is on, and each logit less the mean one."""
    nodes, found = graph.nodes, torch.zeros_like(graph.constant)
    for layer in range(local.transcoders.n_layers):
        here = (nodes.kind == LATENT) & (nodes.layer == layer)
        W_enc, b_enc = local.transcoders.reads(layer)
        pre = local.recording.mlp_in[layer] @ W_enc + b_enc
        found[here] = pre[nodes.position[here], nodes.index[here]]
    logits = local.recording.logits[-1]
    at = nodes.kind == LOGIT
    found[at] = (logits - logits.mean())[nodes.index[at]]
    return found


@torch.no_grad()
def measured(local: LocalReplacementModel, graph: AttributionGraph) -> dict[str, float]:
    """All of `MEASURES` on one graph."""
    nodes, scores = graph.nodes, graph_scores(graph)
    targets = (nodes.kind == LATENT) | (nodes.kind == LOGIT)
    wanted = read_of(local, graph)[targets]
    sums = (graph.adjacency.sum(dim=1) + graph.constant)[targets]
    counts = torch.where(nodes.kind == LATENT, node_influence(graph), 0.0)
    strong = counts.topk(N_LATENTS).indices.tolist()
    # Straight to the logits: every MLP is held, and heads look where they looked.
    held = range(local.transcoders.n_layers)
    changes = [[change] for change in changes_of(nodes, strong)]
    logits = intervene(local, changes, held, freeze_patterns=True).logits[:, -1]
    logits = torch.cat([local.recording.logits[-1:], logits])
    logits = logits - logits.mean(dim=-1, keepdim=True)
    likeliest = nodes.index[nodes.kind == LOGIT][0]
    lost = logits[0, likeliest] - logits[1:, likeliest]
    said = graph.adjacency[(nodes.kind == LOGIT).nonzero()[0, 0], strong]
    return {
        "completeness": scores.completeness,
        "replacement": scores.replacement,
        # Without the last digits: there only the order in which floats were added is to be seen.
        "row sums": round(((sums - wanted).abs().mean() / wanted.abs().mean()).item(), 4),
        "ablation": validate(local, graph, strong).spearman,
        "direct": pearson(said, lost),
    }


@functools.lru_cache(maxsize=4)
def drawn(draw: int) -> list[dict[str, dict[str, float]]]:
    """For each of some prompts: kind of graph -> measurement -> value."""
    found = []
    for i in range(PROMPTS):
        _, local, graphs = three_graphs(
            plain_atlas(), transcoders("atlas-mlp"), 1000 + PROMPTS * draw + i
        )
        found.append({kind: measured(local, graph) for kind, graph in graphs.items()})
    return found


def named(rule: Rule, table: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    """Which of the three graphs each wrong one is taken for."""
    pick = {"largest": max, "smallest": min}
    return {
        kind: pick[side](KINDS, key=lambda each: table[each][measure])
        for kind, (measure, side) in rule.by.items()
    }


def experiment(rule: Rule, draw: int) -> Findings:
    tables = drawn(draw)
    n = len(tables)
    hits = {kind: sum(named(rule, table)[kind] == kind for table in tables) / n for kind in WRONG}
    lines = [
        Line(
            f"{'the ' + side} {measure} is that of the {kind} graph in {hits[kind]:.0%} of {n} prompts",
            hits[kind] == 1,
        )
        for kind, (measure, side) in rule.by.items()
    ]
    mean = {
        kind: {name: sum(table[kind][name] for table in tables) / n for name in MEASURES}
        for kind in KINDS
    }
    marks = {}
    for kind in KINDS:
        for name in MEASURES:
            guess, value = rule.values[kind][name], mean[kind][name]
            marks[kind, name] = ramp(abs(guess - value), FAR[name], CLOSE[name])
            if marks[kind, name] < 1:
                lines.append(Line(f"{kind}, {name}: {value:.2f}; you said {guess:.2f}", False))
    told = sum(marks.values()) / len(marks)
    least = min(hits.values())
    score = 0.2 * hits["unfrozen"] + 0.3 * hits["exchanged"] + 0.5 * told * (least > 0.5)
    facts = {"told": told, "by": dict(rule.by), "missed": {k for k, v in marks.items() if v == 0}}
    figure = functools.partial(_figure, rule.values, mean)
    return Findings(score, tuple(lines), figure, least == 1, facts | hits)


def _figure(guesses: Mapping[str, Any], found: Mapping[str, Any]) -> Any:
    from mi_tutor.show import predictions

    pairs = [(kind, name) for name in MEASURES for kind in KINDS]
    return predictions(
        [f"{name}, {kind}" for kind, name in pairs],
        [guesses[kind][name] for kind, name in pairs],
        [found[kind][name] for kind, name in pairs],
        title="Five measurements on three graphs of a prompt",
        value_title="value",
    )
