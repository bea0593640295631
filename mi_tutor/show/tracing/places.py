"""Where each node of a pruned graph stands, what it is called, and which of its edges are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from mi_tutor.lab.tracing import (
    ATTENTION,
    EMBEDDING,
    ERROR,
    LATENT,
    LOGIT,
    PrunedGraph,
    edge_influence,
)
from mi_tutor.show.drawing.inputs import same_length
from mi_tutor.show.drawing.words import number

WIDTH, SLOT, LINE, GAP = 650, 15, 15, 16  # pixels: of all columns, a node's place, and between rows
MOST_LINES = 12

# What a node is, as the legend says it, and how it looks: symbol, colour of theme.CATEGORICAL.
LOOKS = {
    "MLP latent": ("circle", 0),
    "attention latent": ("diamond", 2),
    "error": ("x-thin-open", 1),
    "embedding": ("square", 4),
    "logit": ("triangle-up", 5),
}


class Drawn(NamedTuple):
    """A pruned graph, ready to be drawn.

    Attributes:
        x, y: pixels from the left and from the bottom.
        row: which row each node is in, 0 at the bottom.
        kind: of each node, one of LOOKS.
        name: of each node: its label, or what it is.
        rows: the rows' names, and where their middles are.
        columns: the tokens, and where their middles are.
        size: width and height in pixels.
        lines: heights of lines between rows.
    """

    x: np.ndarray
    y: np.ndarray
    row: np.ndarray
    kind: list[str]
    name: list[str]
    rows: list[tuple[str, float]]
    columns: list[tuple[str, float]]
    size: tuple[float, float]
    lines: list[float]


def arranged(
    pruned: PrunedGraph,
    words: Sequence[str],
    labels: Mapping[int, str] | None = None,
    answers: Sequence[str] | None = None,
) -> Drawn:
    """Rows are components, from the embedding up to the logits; columns are positions, as wide as they need to be.

    Raises ValueError if the words are not as many as embeddings, or the answers not as many as logits.
    """
    nodes = pruned.nodes
    kinds = [kind_of(nodes, i) for i in range(len(pruned.kept))]
    same_length("words", words, "tokens of the graph", kinds.count("embedding"))
    names = node_names(pruned, words, labels or {}, answers)
    keys = [row_key(nodes, i) for i in range(len(kinds))]
    layers = range(max((key[0] for key in keys), default=0))
    every = sorted({*keys, *((layer, 1) for layer in layers)})
    row = np.array([every.index(key) for key in keys])
    column = nodes.position.cpu().numpy()
    order = np.lexsort((-pruned.influence.cpu().numpy(), np.array(kinds) == "error"))
    cells = {}
    for i in order:
        cells.setdefault((row[i], column[i]), []).append(i)
    widths = column_widths(cells, len(words))
    heights = np.ones(len(every))
    for (r, c), members in cells.items():
        heights[r] = max(heights[r], -(-len(members) // widths[c]))
    left = SLOT * np.concatenate([[0], np.cumsum(widths)])
    scale = WIDTH / left[-1]
    left = left * scale
    bottom = np.concatenate([[0], np.cumsum(LINE * heights + GAP)])
    x, y = np.zeros(len(kinds)), np.zeros(len(kinds))
    for (r, c), members in cells.items():
        n_lines = -(-len(members) // widths[c])
        for place, i in enumerate(members):
            line, slot = divmod(place, widths[c])
            in_line = min(widths[c], len(members) - line * widths[c])
            x[i] = (left[c] + left[c + 1]) / 2 + SLOT * scale * (slot - (in_line - 1) / 2)
            y[i] = (bottom[r] + bottom[r + 1]) / 2 + LINE * ((n_lines - 1) / 2 - line)
    rows = [(row_name(key, every), (bottom[r] + bottom[r + 1]) / 2) for r, key in enumerate(every)]
    columns = [(f"{c}: {shown(word)}", (left[c] + left[c + 1]) / 2) for c, word in enumerate(words)]
    return Drawn(
        x, y, row, kinds, names, rows, columns, (WIDTH, float(bottom[-1])), bottom[1:-1].tolist()
    )


def column_widths(cells: Mapping[tuple[int, int], Sequence[int]], n_columns: int) -> list[int]:
    """How many nodes stand side by side in each column: as many as there is room for."""
    most = [
        max((len(m) for (_, c), m in cells.items() if c == i), default=1) for i in range(n_columns)
    ]
    for lines in range(1, MOST_LINES):
        widths = [max(2, -(-n // lines)) for n in most]
        if SLOT * sum(widths) <= WIDTH:
            break
    return widths


def row_key(nodes, i: int) -> tuple[int, int]:
    """Layer and component, in the order in which they add to the stream."""
    layer, component = int(nodes.layer[i]), int(nodes.component[i])
    return (layer, component if int(nodes.kind[i]) in (LATENT, ERROR) else 0)


def row_name(key: tuple[int, int], every: Sequence[tuple[int, int]]) -> str:
    """What stands beside a row."""
    if key == every[-1]:
        return "logits"
    if key[0] < 0:
        return "embedding"
    return f"{'attention' if key[1] == ATTENTION else 'MLP'} {key[0]}"


def kind_of(nodes, i: int) -> str:
    """One of LOOKS."""
    kind = int(nodes.kind[i])
    if kind == LATENT:
        return "attention latent" if int(nodes.component[i]) == ATTENTION else "MLP latent"
    return {ERROR: "error", EMBEDDING: "embedding", LOGIT: "logit"}[kind]


def node_names(
    pruned: PrunedGraph,
    words: Sequence[str],
    labels: Mapping[int, str],
    answers: Sequence[str] | None,
) -> list[str]:
    """Of each node: its label, or what it is."""
    nodes, found = pruned.nodes, []
    n_logits = int((nodes.kind == LOGIT).sum())
    if answers is not None:
        same_length("answers", answers, "logits of the graph", n_logits)
    given = iter(answers or [])
    for i, kept in enumerate(pruned.kept.tolist()):
        kind, layer, index = kind_of(nodes, i), int(nodes.layer[i]), int(nodes.index[i])
        if kind == "logit":
            name = f"“{next(given).strip()}”" if answers else f"token {index}"
        elif kind == "embedding":
            name = f"“{shown(words[int(nodes.position[i])])}”"
        else:
            part = "attention" if int(nodes.component[i]) == ATTENTION else "MLP"
            name = f"error of {part} {layer}" if kind == "error" else f"{part} {layer} / {index}"
        found.append(labels.get(kept, name))
    return found


def hover_texts(pruned: PrunedGraph, drawn: Drawn, words: Sequence[str]) -> list[str]:
    """What is said of each node that is pointed at."""
    nodes, found = pruned.nodes, []
    for i, kind in enumerate(drawn.kind):
        lines = [f"<b>{drawn.name[i]}</b>"]
        layer, index = int(nodes.layer[i]), int(nodes.index[i])
        where = f"{int(nodes.position[i])}: {shown(words[int(nodes.position[i])])}"
        if kind.endswith("latent"):
            lines.append(
                f"{kind}, layer {layer}, number {index}, on at {number(float(nodes.value[i]))}"
            )
        elif kind == "logit":
            lines.append(f"logit, probability {number(float(nodes.value[i]))}")
        else:
            lines.append(kind)
        lines.append(f"position {where}")
        if kind != "logit":
            lines.append(f"influence {number(float(pruned.influence[i]))}")
        found.append("<br>".join(lines))
    return found


def strongest_edges(pruned: PrunedGraph, n_edges: int) -> list[tuple[int, int, float, float]]:
    """(target, source, influence, weight) of the edges that count most, the strongest last."""
    weights = pruned.influence.new_zeros(len(pruned.kept))
    logits = pruned.nodes.kind == LOGIT
    weights[logits] = pruned.nodes.value[logits]
    counts: Tensor = edge_influence(pruned.adjacency, weights)
    edges = pruned.edges
    strength = counts[edges[:, 0], edges[:, 1]]
    chosen = strength.argsort(descending=True)[:n_edges].flip(0)
    return [
        (int(t), int(s), float(counts[t, s]), float(pruned.adjacency[t, s]))
        for t, s in edges[chosen].tolist()
    ]


def shown(token: str) -> str:
    """A token as it is written in a figure."""
    return token.replace("<|endoftext|>", "BOS").strip() or "␣"
