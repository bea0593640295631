"""A pruned attribution graph as a picture: components by positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mi_tutor.lab.tracing import PrunedGraph
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import plain
from mi_tutor.show.drawing.panels import Margins, finish, panels
from mi_tutor.show.drawing.words import listing, number
from mi_tutor.show.tracing.places import (
    LOOKS,
    Drawn,
    arranged,
    hover_texts,
    strongest_edges,
)

N_EDGES, N_NAMED = 120, 6
SMALLEST, LARGEST = 6, 17  # of a node, in pixels
EDGE_WIDTHS = (0.6, 1.4, 3.0)
ABOVE = 15  # a label's distance from its node, in pixels
# Signs of edges differ in colour and dash.
SIGNS = (("adds", theme.CATEGORICAL[0], "solid"), ("subtracts", theme.CATEGORICAL[1], "dot"))


def graph_figure(
    pruned: PrunedGraph,
    words: Sequence[str],
    labels: Mapping[int, str] | None = None,
    answers: Sequence[str] | None = None,
    *,
    title: str = "The graph of a prompt",
    n_edges: int = N_EDGES,
    n_named: int = N_NAMED,
    subtitle: str = "",
) -> Figure:
    """Components in rows from the embedding up to the logits, positions in columns, a mark for each node.

    The larger a mark, the more its node counts for the logits; the thicker an edge, the more it counts. Pointing
    at a node tells its label, place, value and influence.

    Args:
        pruned: from `prune`.
        words: the prompt's tokens as text.
        labels: of nodes, by their number in the whole graph (`pruned.kept` has these).
        answers: the logits' tokens as text.
        n_edges: how many edges are drawn, the strongest.
        n_named: how many of the labelled nodes have their label beside them, the strongest.

    Raises ValueError unless there is a word for each token, and an answer for each logit.
    """
    drawn = arranged(pruned, words, labels, answers)
    figure = empty_graph(drawn)
    edges = strongest_edges(pruned, n_edges)
    _add_edges(figure, drawn, edges)
    _add_nodes(figure, pruned, drawn, hover_texts(pruned, drawn, words))
    _add_names(figure, pruned, drawn, labels or {}, n_named)
    n = len(pruned.edges)
    subtitle = subtitle or (
        f"{len(drawn.kind)} nodes; the strongest {len(edges)} of {n} edges"
        if len(edges) < n
        else f"{len(drawn.kind)} nodes, {n} edges"
    )
    nodes = pruned.nodes
    table = {
        "node": pruned.kept.cpu().numpy(),
        "kind": np.array(drawn.kind),
        "layer": nodes.layer.cpu().numpy(),
        "position": nodes.position.cpu().numpy(),
        "name": np.array(drawn.name),
        "influence": pruned.influence.cpu().numpy(),
    }
    return finish(figure, title, subtitle, graph_words(pruned, drawn, len(edges)), table)


def empty_graph(drawn: Drawn) -> Figure:
    """Rows and columns with their names."""
    width, height = drawn.size
    margins = Margins(left=116, right=24, top=58, bottom=112)
    figure = panels(1, 1, (int(width), int(height)), margins=margins)
    rows, columns = drawn.rows, drawn.columns
    figure.update_xaxes(
        title_text="token", range=[0, width], tickmode="array", tickangle=-45, showgrid=False,
        tickvals=plain(np.array([x for _, x in columns])), ticktext=[name for name, _ in columns],
    )  # fmt: skip
    figure.update_yaxes(
        title_text="component", range=[0, height], tickmode="array", showgrid=False,
        tickvals=plain(np.array([y for _, y in rows])), ticktext=[name for name, _ in rows],
    )  # fmt: skip
    for y in drawn.lines:
        figure.add_hline(y=y, line={"color": theme.GRID, "width": 1}, layer="below")
    legend = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom"}
    return figure.update_layout(legend=legend | {"itemsizing": "constant"}, hovermode="closest")


def _add_edges(
    figure: Figure, drawn: Drawn, edges: Sequence[tuple[int, int, float, float]]
) -> None:
    """Edges in three widths, positive and negative ones: few traces, whatever their number."""
    largest = max((edge[2] for edge in edges), default=1.0)
    groups: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for target, source, counts, weight in edges:
        share = counts / largest
        width = 2 if share > 0.4 else 1 if share > 0.1 else 0
        groups.setdefault((width, int(weight < 0)), []).append((target, source))
    for sign, (name, color, dash) in enumerate(SIGNS):
        widths = [width for width in range(3) if (width, sign) in groups]
        for width in widths:
            x, y = [], []
            for target, source in groups[width, sign]:
                x += [*plain(drawn.x[[source, target]]), None]
                y += [*plain(drawn.y[[source, target]]), None]
            figure.add_scatter(
                x=x, y=y, mode="lines", hoverinfo="skip", name=name, legendgroup=name,
                showlegend=width == widths[-1], opacity=(0.3, 0.5, 0.75)[width],
                line={"color": color, "dash": dash, "width": EDGE_WIDTHS[width]},
            )  # fmt: skip


def node_sizes(influence: np.ndarray) -> np.ndarray:
    """Diameters in pixels: areas in proportion to influence, and none too small to be hit."""
    share = influence / max(float(influence.max()), 1e-12)
    return SMALLEST + (LARGEST - SMALLEST) * np.sqrt(share)


def _add_nodes(figure: Figure, pruned: PrunedGraph, drawn: Drawn, hover: Sequence[str]) -> None:
    kinds = np.array(drawn.kind)
    counts = pruned.influence.cpu().numpy().copy()
    logit = kinds == "logit"
    counts[logit] = pruned.nodes.value.cpu().numpy()[logit]
    sizes = node_sizes(counts)
    for kind, (symbol, color) in LOOKS.items():
        mine = np.flatnonzero(kinds == kind)
        if not len(mine):
            continue
        color, is_line = theme.CATEGORICAL[color], symbol.endswith("open")
        figure.add_scatter(
            x=plain(drawn.x[mine]), y=plain(drawn.y[mine]), mode="markers", name=kind,
            customdata=pruned.kept[mine].tolist(), text=[hover[i] for i in mine],
            hovertemplate="%{text}<extra></extra>",
            marker={
                "symbol": symbol, "color": color, "size": plain(sizes[mine]), "opacity": 1,
                "line": {"width": 2 if is_line else 1, "color": color if is_line else theme.PAPER},
            },
        )  # fmt: skip


def _add_names(
    figure: Figure, pruned: PrunedGraph, drawn: Drawn, labels: Mapping[int, str], n_named: int
) -> None:
    """Labels at the strongest nodes that have one: above, or below where another node stands above."""
    taken: list[tuple[float, float, float]] = []
    logits = [i for i, kind in enumerate(drawn.kind) if kind == "logit"]
    known = [i for i, kept in enumerate(pruned.kept.tolist()) if kept in labels and i not in logits]
    known.sort(key=lambda i: -float(pruned.influence[i]))
    for i in [*logits[:2], *known]:
        if len(taken) >= n_named + len(logits[:2]):
            return
        name = drawn.name[i] if len(drawn.name[i]) <= 26 else f"{drawn.name[i][:25]}…"
        half, x, y = 3.6 * len(name) + 4, float(drawn.x[i]), float(drawn.y[i])
        x = min(max(x, half), drawn.size[0] - half)
        shift = next((s for s in (ABOVE, -ABOVE) if is_free(drawn, i, x, y + s, half)), ABOVE)
        if any(abs(x - a) < half + b and abs(y + shift - c) < 16 for a, b, c in taken):
            continue
        taken.append((x, half, y + shift))
        figure.add_annotation(
            x=x, y=y, yshift=shift, text=name, showarrow=False, font={"size": 12},
            bgcolor="rgba(255,255,255,0.8)", borderpad=0,
        )  # fmt: skip


def is_free(drawn: Drawn, own: int, x: float, y: float, half: float) -> bool:
    """Whether a label there would cover no other node."""
    covered = (np.abs(drawn.x - x) < half) & (np.abs(drawn.y - y) < ABOVE / 2)
    covered[own] = False
    return not covered.any()


def graph_words(pruned: PrunedGraph, drawn: Drawn, n_drawn: int) -> str:
    """The picture in words."""
    counts = [
        f"{n} {kind}{'' if n == 1 else 's'}" for kind in LOOKS if (n := drawn.kind.count(kind))
    ]
    order = pruned.influence.argsort(descending=True).tolist()
    inner = [i for i in order if drawn.kind[i] not in ("logit", "embedding")][:5]
    nodes = pruned.nodes
    most = [
        f"{drawn.name[i]} at position {int(nodes.position[i])} ({number(float(pruned.influence[i]), 2)})"
        for i in inner
    ]
    logits = [
        f"{drawn.name[i]} {number(float(nodes.value[i]), 2)}"
        for i, kind in enumerate(drawn.kind)
        if kind == "logit"
    ]
    return (
        f"A graph of {len(drawn.kind)} nodes ({listing(counts)}) and {len(pruned.edges)} edges, of which the "
        f"strongest {n_drawn} are drawn, over {len(drawn.columns)} tokens. Outputs with their probability: "
        f"{listing(logits, 5)}. Most influence: {listing(most)}."
    )
