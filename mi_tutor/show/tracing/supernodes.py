"""Supernodes and what they give each other, as boxes and arrows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from mi_tutor.lab.tracing import GroupedGraph
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import plain
from mi_tutor.show.drawing.panels import Margins, finish, panels
from mi_tutor.show.drawing.words import listing, number

STEP, SIDE, LETTER = 92, 620, 7.6  # pixels: between rows, of the width, of a letter
BOX = 19  # half of a box's height
SHIFTS = (0, -130, 130)  # of a row, sideways
MOST_SHIFTED = 6  # rows whose shifts are all tried
ALONG = (0.4, 0.6, 0.25, 0.75)  # of an arrow: where its share may stand, better nearer to its tail

Point = tuple[float, float]


def supernode_figure(
    groups: GroupedGraph,
    *,
    rows: Sequence[Sequence[str]] | None = None,
    title: str = "Supernodes",
    smallest: float = 0.02,
    subtitle: str = "",
) -> Figure:
    """A box for each supernode, and an arrow for each share of its input that another one gives.

    Args:
        groups: from `grouped`.
        rows: the names, from the lowest row to the highest (default: each one above all that gives to it).
        smallest: shares below it are left out.

    Raises ValueError if there are no groups, or `rows` has not each name once.

    >>> import torch
    >>> inputs = torch.tensor([[0.0, 0.0], [0.75, 0.0]])
    >>> groups = GroupedGraph(("Texas", "Austin"), inputs, torch.tensor([1.0, 0.25]), torch.tensor([0.5, 0.0]))
    >>> print(supernode_figure(groups).alt)
    2 supernodes with 1 arrow, from 0.02 on: 0.75 of the input of “Austin” from “Texas”. From elsewhere: 1 of the \
input of “Texas” and 0.25 of that of “Austin”.
    """
    if not groups.names:
        raise ValueError("There are no supernodes to draw.")
    inputs = groups.inputs.cpu().double().numpy()
    if rows is None:
        rows = _rows(groups.names, inputs, smallest)
    if sorted(name for row in rows for name in row) != sorted(groups.names):
        raise ValueError(f"rows should have each supernode once: {listing(groups.names)}.")
    arrows = [
        (groups.names[t], groups.names[s], inputs[t, s])
        for t, s in zip(*np.nonzero(inputs >= smallest), strict=True)
    ]
    at = _places(rows, arrows)
    size = (SIDE, STEP * len(rows))
    figure = panels(1, 1, size, margins=Margins(left=56, right=40, top=0, bottom=16))
    figure.update_xaxes(range=[0, size[0]], visible=False)
    figure.update_yaxes(
        title_text="from the prompt to the answer", range=[0, size[1]], showticklabels=False,
        ticks="", showgrid=False, showline=False,
    )  # fmt: skip
    shares: list[Point] = []
    for target, source, share in sorted(arrows, key=lambda arrow: arrow[2]):
        aside = 22.0 if (source, target) in {arrow[:2] for arrow in arrows} else 0.0
        aside = aside if at[source] < at[target] else -aside
        tail, tip = _ends(at[source], at[target], aside)
        _add_arrow(figure, tail, tip, share)
        shares.append(_free(tail, tip, shares))
        _add_share(figure, shares[-1], share)
    _add_boxes(figure, groups, at)
    table = {
        "target": np.array([arrow[0] for arrow in arrows], dtype=str),
        "source": np.array([arrow[1] for arrow in arrows], dtype=str),
        "share": np.array([arrow[2] for arrow in arrows]),
    }
    subtitle = subtitle or (
        f"on an arrow: the share of a supernode's input that another gives, from {number(smallest)} on"
    )
    return finish(figure, title, subtitle, _words(groups, arrows, smallest), table)


def _rows(names: Sequence[str], inputs: np.ndarray, smallest: float) -> list[list[str]]:
    """Each supernode above all that give to it more than they get from it."""
    gives = (inputs >= smallest) & (inputs >= inputs.T)
    np.fill_diagonal(gives, False)
    depth = np.zeros(len(names), dtype=int)
    for _ in names:  # the longest path is shorter than their number
        depth = np.maximum(depth, np.where(gives, depth[None] + 1, 0).max(axis=1))
    depth = np.minimum(depth, len(names) - 1)
    levels = sorted(set(depth.tolist()))
    return [[name for name, d in zip(names, depth, strict=True) if d == level] for level in levels]


def _places(
    rows: Sequence[Sequence[str]], arrows: Sequence[tuple[str, str, float]]
) -> dict[str, tuple[float, float]]:
    """The middle of each box. Rows are moved sideways so that as few arrows as possible run across a box."""
    best, lowest = {}, float("inf")
    every = [SHIFTS if len(row) < 3 else (0,) for row in rows]
    if len(rows) > MOST_SHIFTED:
        every = [(SHIFTS[level % 2],) for level in range(len(rows))]
    for shifts in product(*every):
        at = {
            name: (SIDE * (place + 0.5) / len(row) + shift, STEP * (level + 0.5))
            for level, (row, shift) in enumerate(zip(rows, shifts, strict=True))
            for place, name in enumerate(row)
        }
        cost = sum(_crosses(at, name, *arrow[:2]) for arrow in arrows for name in at)
        cost += 1e-4 * sum(map(abs, shifts))
        if cost < lowest:
            best, lowest = at, cost
    return best


def _crosses(at: Mapping[str, tuple[float, float]], name: str, target: str, source: str) -> bool:
    """Whether an arrow runs across a box that it has nothing to do with."""
    (x, y), (x0, y0), (x1, y1) = at[name], at[source], at[target]
    if name in (target, source) or y0 == y1 or not min(y0, y1) < y < max(y0, y1):
        return False
    return abs(x0 + (x1 - x0) * (y - y0) / (y1 - y0) - x) < half_width(name) + 8


def half_width(name: str) -> float:
    """Of a box, in pixels."""
    return max(56.0, LETTER * len(name) / 2 + 12)


def _ends(start: Point, end: Point, aside: float) -> tuple[Point, Point]:
    """Where an arrow begins and ends: at the edges of two boxes, of which the middles are given."""
    up = int(np.sign(end[1] - start[1]))
    side = int(np.sign(end[0] - start[0])) if not up else 0
    tail = (start[0] + aside + side * 60, start[1] + up * BOX)
    return tail, (end[0] + aside - side * 60, end[1] - up * BOX)


def _free(tail: Point, tip: Point, taken: Sequence[Point]) -> Point:
    """Where an arrow's share stands: the first place that no other share is near to."""
    places = [
        (tail[0] + part * (tip[0] - tail[0]), tail[1] + part * (tip[1] - tail[1])) for part in ALONG
    ]
    free = (p for p in places if all(abs(p[0] - x) > 34 or abs(p[1] - y) > 17 for x, y in taken))
    return next(free, places[0])


def _add_arrow(figure: Figure, tail: Point, tip: Point, share: float) -> None:
    width = float(1 + 5 * share)
    figure.add_annotation(
        x=tip[0], y=tip[1], ax=tail[0], ay=tail[1], xref="x", yref="y", axref="x", ayref="y",
        text="", showarrow=True, arrowhead=2, arrowcolor=theme.MUTED, arrowwidth=width,
        arrowsize=0.3 + 1.5 / width,  # in widths: a thick arrow's head would reach its share
    )  # fmt: skip


def _add_share(figure: Figure, where: Point, share: float) -> None:
    figure.add_annotation(
        x=where[0], y=where[1], text=f"{share:.2f}", showarrow=False, font={"size": 12},
        bgcolor=theme.PAPER, borderpad=1,
    )  # fmt: skip


def _add_boxes(figure: Figure, groups: GroupedGraph, at: dict[str, tuple[float, float]]) -> None:
    counts = groups.influence.cpu().double().numpy()
    hover = [
        f"<b>{name}</b><br>influence {number(counts[i])}<br>"
        f"{number(float(groups.others[i]))} of its input from elsewhere"
        for i, name in enumerate(groups.names)
    ]
    places = np.array([at[name] for name in groups.names])
    figure.add_scatter(
        x=plain(places[:, 0]), y=plain(places[:, 1]), mode="markers", text=hover, showlegend=False,
        hovertemplate="%{text}<extra></extra>", marker={"size": 30, "opacity": 0},
    )  # fmt: skip
    for name, count in zip(groups.names, counts, strict=True):
        x, y = at[name]
        half = half_width(name)
        figure.add_shape(
            type="rect", x0=x - half, x1=x + half, y0=y - BOX, y1=y + BOX, fillcolor=theme.PAPER,
            line={"color": theme.INK, "width": 1.5},
        )  # fmt: skip
        words = f"<b>{name}</b>" + (f"<br>influence {number(count, 2)}" if count > 0 else "")
        figure.add_annotation(x=x, y=y, text=words, showarrow=False, font={"size": 12})


def _words(groups: GroupedGraph, arrows: Sequence[tuple[str, str, float]], smallest: float) -> str:
    strong = sorted(arrows, key=lambda arrow: -arrow[2])
    said = [
        f"{number(share, 2)} of {'the input' if i == 0 else 'that'} of “{target}” from “{source}”"
        for i, (target, source, share) in enumerate(strong)
    ]
    others = [
        f"{number(float(share), 2)} of {'the input' if i == 0 else 'that'} of “{name}”"
        for i, (name, share) in enumerate(zip(groups.names, groups.others, strict=True))
    ]
    plural = "" if len(arrows) == 1 else "s"
    return (
        f"{len(groups.names)} supernodes with {len(arrows)} arrow{plural}, from {number(smallest)} on: "
        f"{listing(said)}. From elsewhere: {listing(others)}."
    )
