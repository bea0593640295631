"""How good a dictionary is: sparsity against fidelity, and how often its latents are on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import torch

from mi_tutor.lab.dictionaries import DensityHistogram, pareto_front
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, plain, same_length
from mi_tutor.show.drawing.marks import log_ticks
from mi_tutor.show.drawing.panels import Margins, finish, panels
from mi_tutor.show.drawing.words import number, span


class Measured(Protocol):
    """A dictionary that was measured; `label` may be missing."""

    @property
    def kind(self) -> str:
        """Its family: all of one kind share a line."""

    @property
    def l0(self) -> float:
        """Latents on per sample."""

    @property
    def fvu(self) -> float:
        """Fraction of variance unexplained."""


def pareto_figure(
    points: Sequence[Measured],
    *,
    target_l0: float | None = None,
    title: str = "Sparsity against fidelity",
) -> Figure:
    """FVU over L0, one line per kind of dictionary. Down and to the left is better.

    A filled symbol is on the front: no other dictionary here is at least as sparse and as good. An open one is
    beaten.

    Args:
        points: each with `.kind`, `.l0` and `.fvu`, and perhaps a `.label` that is shown when pointed at.
        target_l0: an L0 to compare at; drawn as a line, with each kind's FVU there (on the lines as drawn).
        title: what it shows.

    Raises:
        ValueError: if there are no points, or an L0 is not above 0 (the axis is logarithmic).

    >>> from collections import namedtuple
    >>> Point = namedtuple("Point", "kind l0 fvu")
    >>> figure = pareto_figure([Point("TopK", 4, 0.4), Point("TopK", 16, 0.2), Point("L1", 16, 0.3)])
    >>> figure.data_table()["front"].tolist()
    [True, True, False]
    """
    if not points:
        raise ValueError("pareto_figure needs at least one point with .kind, .l0 and .fvu.")
    kinds = np.array([str(point.kind) for point in points])
    l0 = array("l0", [point.l0 for point in points], "point")
    fvu = array("fvu", [point.fvu for point in points], "point")
    labels = np.array([str(getattr(point, "label", "") or "") for point in points])
    if l0.min() <= 0:
        raise ValueError(
            f"The axis of L0 is logarithmic, so each should be above 0; saw {number(l0.min())}. "
            "A dictionary with L0 = 0 is dead: leave it out and say so."
        )
    front = pareto_front(torch.as_tensor(l0), torch.as_tensor(fvu)).numpy()
    names = list(dict.fromkeys(kinds.tolist()))
    right = 60 + min(8 * max(map(len, names)), 190)
    figure = panels(1, 1, (500, 330), margins=Margins(right=right, top=26 if target_l0 else 10))
    for index, name in enumerate(names):
        mine = np.flatnonzero(kinds == name)
        mine = mine[np.argsort(l0[mine], kind="stable")]
        _line(figure, index, name, (l0[mine], fvu[mine], front[mine], labels[mine]))
    ends = np.append(l0, target_l0) if target_l0 else l0
    room = (ends.max() / ends.min()) ** 0.05 * 1.05
    low, high = ends.min() / room, ends.max() * room
    figure.update_xaxes(title_text="L0 (latents on per sample, logarithmic)", type="log")
    figure.update_xaxes(range=plain([np.log10(low), np.log10(high)]), **log_ticks(low, high))
    figure.update_yaxes(title_text="FVU (share of variance not explained)", rangemode="tozero")
    figure.update_layout(showlegend=True, legend={"x": 1.02, "y": 1, "yanchor": "top"})
    if target_l0:
        figure.add_vline(x=target_l0, line={"color": theme.INK, "dash": "dot", "width": 1.8})
        figure.add_annotation(  # on a logarithmic axis annotations count in log10, shapes do not
            x=float(np.log10(target_l0)), y=1, yref="y domain", yanchor="bottom", showarrow=False,
            text=f"target {number(target_l0)}", font={"size": theme.TICK_SIZE},
        )  # fmt: skip
    columns = {"kind": kinds, "l0": l0, "fvu": fvu, "front": front, "label": labels}
    alt = _pareto_words(names, columns) + _at_target(names, columns, target_l0)
    subtitle = "filled: on the front; open: another is at least as sparse and as good"
    return finish(figure, title, subtitle, alt, columns)


def _line(figure: Figure, index: int, name: str, points: tuple[np.ndarray, ...]) -> None:
    l0, fvu, front, labels = points
    color, symbol, dash = theme.series_style(index)
    symbols = [symbol if best else f"{symbol}-open" for best in front]
    texts = [f"{name} {label}".strip() for label in labels]
    figure.add_scatter(
        x=plain(l0), y=plain(fvu), text=texts, mode="lines+markers", showlegend=False,
        line={"color": color, "dash": dash, "width": 2},
        marker={"color": color, "symbol": symbols, "size": 10, "line": {"width": 2, "color": color}},
        hovertemplate="%{text}: L0 %{x:.3g}, FVU %{y:.3g}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(  # for the legend: always the filled symbol
        x=[None], y=[None], name=name, mode="lines+markers",
        line={"color": color, "dash": dash, "width": 2}, marker={"symbol": symbol, "size": 10},
    )  # fmt: skip


def _pareto_words(names: Sequence[str], columns: dict[str, np.ndarray]) -> str:
    parts = []
    for name in names:
        mine = columns["kind"] == name
        l0, fvu = columns["l0"][mine], columns["fvu"][mine]
        parts.append(
            f"{name}: L0 {span(l0)}, FVU {span(fvu)}, {columns['front'][mine].sum()} on the front"
        )
    n = len(columns["l0"])
    return f"{n} dictionar{'y' if n == 1 else 'ies'} by L0 and FVU. {'; '.join(parts)}."


def _at_target(names: Sequence[str], columns: dict[str, np.ndarray], target: float | None) -> str:
    """Each kind's FVU where its line crosses the target (linear in log L0, as it is drawn)."""
    if not target:
        return ""
    parts = []
    for name in names:
        mine = np.flatnonzero(columns["kind"] == name)
        mine = mine[np.argsort(columns["l0"][mine], kind="stable")]
        l0, fvu = columns["l0"][mine], columns["fvu"][mine]
        if l0[0] <= target <= l0[-1]:
            value = float(np.interp(np.log(target), np.log(l0), fvu))
            parts.append(f"{name} {number(value, 2)}")
        else:
            parts.append(f"{name} was not measured there")
    return f" At the target L0 of {number(target)}, on the lines, FVU is: {', '.join(parts)}."


def density_figure(
    histogram: DensityHistogram, *, title: str = "How often are the latents on?"
) -> Figure:
    """How many latents are on how often, on a logarithmic axis. Those that never were have a bar of their own.

    >>> from mi_tutor.lab.dictionaries import density_histogram
    >>> import torch
    >>> figure = density_figure(density_histogram(torch.tensor([0.0, 0.01, 0.02, 1.0]), n_bins=2))
    >>> print(figure.alt)
    Histogram of 4 latents by how often they are on. Never: 1 (25 %). The fullest bar has 2, on in a share of \
0.01 to 0.1 of samples. The rarest that is on at all lies in the bar from 0.01, the most frequent in the one up \
to 1.
    """
    counts = array("counts", histogram.counts, "bin")
    edges = array("edges", histogram.edges, "edge")
    same_length("edges", edges, "bins, and one more", len(counts) + 1)
    width = float(edges[1] - edges[0])
    # The dead ones have no logarithm: their bar stands apart, left of the others.
    gap = 0.06 * (edges[-1] - edges[0])
    dead_at, dead_width = float(edges[0] - 1.5 * gap), float(gap)
    figure = panels(1, 1, (600, 280), margins=Margins(right=30, bottom=64))
    ranges = [f"{_share(a)} to {_share(b)}" for a, b in pairwise(edges)]
    figure.add_bar(
        x=plain((edges[:-1] + edges[1:]) / 2), y=plain(counts), width=width, text=ranges,
        textposition="none", marker={"color": theme.CATEGORICAL[0], "line": {"color": theme.PAPER, "width": 1}},
        hovertemplate="%{y} latents, on in %{text} of samples<extra></extra>",
    )  # fmt: skip
    figure.add_bar(
        x=[dead_at], y=[histogram.n_dead], width=dead_width, text=[f"{histogram.n_dead}"],
        textposition="outside", textfont={"size": theme.TICK_SIZE}, cliponaxis=False,
        marker={
            "color": theme.CATEGORICAL[1],
            "pattern": {"shape": "/", "fgcolor": theme.PAPER, "fillmode": "overlay"},
        },
        hovertemplate="%{y} latents, never on<extra></extra>",
    )  # fmt: skip
    decades = np.arange(np.ceil(edges[0] - 1e-9), 1)
    figure.update_xaxes(
        title_text="share of samples in which a latent is on (logarithmic)", tickmode="array",
        range=plain([dead_at - dead_width, width / 2]), tickvals=[dead_at, *plain(decades)],
        ticktext=["never", *(_share(decade) for decade in decades)],
    )  # fmt: skip
    figure.update_yaxes(title_text="latents (count)", rangemode="tozero")
    figure.update_layout(showlegend=False)
    table = {
        "from": np.array([0.0, *10.0 ** edges[:-1]]),
        "to": np.array([0.0, *10.0 ** edges[1:]]),
        "latents": np.array([histogram.n_dead, *counts], dtype=int),
    }
    return finish(figure, title, "", _density_words(counts, edges, histogram.n_dead), table)


def _density_words(counts: np.ndarray, edges: np.ndarray, n_dead: int) -> str:
    total = int(counts.sum()) + n_dead
    text = f"Histogram of {total} latents by how often they are on. "
    text += f"Never: {n_dead} ({number(100 * n_dead / max(1, total), 2)} %). "
    if not counts.any():
        return text + "None is ever on."
    fullest, used = int(counts.argmax()), np.flatnonzero(counts)
    return text + (
        f"The fullest bar has {counts[fullest]:.0f}, on in a share of {_share(edges[fullest])} to "
        f"{_share(edges[fullest + 1])} of samples. The rarest that is on at all lies in the bar from "
        f"{_share(edges[used[0]])}, the most frequent in the one up to {_share(edges[used[-1] + 1])}."
    )


def _share(log10: Any) -> str:
    return number(float(10.0**log10), 2)
