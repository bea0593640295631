"""Pieces that several figures share: heat map cells, colour axes, tick labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure, go
from mi_tutor.show.drawing.inputs import plain


def cells(matrix: np.ndarray, cell: float, **extra: Any) -> Any:
    """The heat map trace of a matrix, with numbers or minus signs where `cell` pixels allow them."""
    texts = cell_texts(matrix, cell)
    if any(any(row) for row in texts):
        extra |= {"text": texts, "texttemplate": "%{text}"}
    return go.Heatmap(
        z=plain(matrix),
        coloraxis="coloraxis",
        textfont={"size": theme.TICK_SIZE if cell >= 44 else 11},
        hovertemplate="%{y}, %{x}: %{z:.3g}<extra></extra>",
        xgap=1 if cell >= 12 else 0,
        ygap=1 if cell >= 12 else 0,
        **extra,
    )


def cell_texts(matrix: np.ndarray, cell: float) -> list[list[str]]:
    """What stands in each cell: the number (from 28 pixels), "−" on a clearly negative one, or "".

    The minus sign tells the two halves of the diverging scale apart without colour.

    >>> cell_texts(np.array([[0.256, -1.0, np.nan, -0.001]]), cell=50)
    [['0.26', '−1.0', 'n/a', '0']]
    >>> cell_texts(np.array([[0.256, -1.0, -0.01]]), cell=30)
    [['0.3', '−1.0', '0']]
    >>> cell_texts(np.array([[0.256, -1.0, -0.01]]), cell=14)
    [['', '−', '']]
    """
    if cell >= 28:
        decimals = 2 if cell >= 44 else 1
        return [[_cell_number(value, decimals) for value in row] for row in matrix]
    if cell < 12 or not (matrix < 0).any():
        return [["" for _ in row] for row in matrix]
    floor = -0.08 * float(np.nanmax(np.abs(matrix)))
    return [["−" if value < floor else "" for value in row] for row in matrix]


def ink_cells(figure: Figure) -> None:
    """Write what stands in coloured cells in black or white, whichever is easier to read there.

    Plotly's own choice, dark grey or white, comes down to a contrast of 2.5:1 in the middle of our scales.
    """
    axis = figure.layout.coloraxis
    for trace in figure.select_traces({"type": "heatmap"}):
        if trace.text is None or axis.colorscale is None:
            continue
        colors = [color for _, color in axis.colorscale]
        at = (np.array(trace.z, dtype=float) - axis.cmin) / (axis.cmax - axis.cmin)
        trace.text = [
            [_inked(str(word), place, colors) for word, place in zip(words, places, strict=True)]
            for words, places in zip(trace.text, at, strict=True)
        ]


def _inked(word: str, place: float, colors: Sequence[str]) -> str:
    if not word:
        return ""
    background = theme.PAPER if np.isnan(place) else theme.color_at(tuple(colors), place)
    return f'<span style="color:{theme.text_on(background)}">{word}</span>'


def color_axis(
    matrix: np.ndarray, value_title: str, size: int | None = None, tall: float = 180
) -> dict[str, Any]:
    """Colours for `matrix`: white at zero if it is signed, else one hue from light to dark.

    The bar is `size` pixels high, or as high as the panel; `tall` is what it has room for numbers in.
    """
    signed = bool((matrix < 0).any())
    largest = float(np.nanmax(np.abs(matrix))) if np.isfinite(matrix).any() else 1.0
    largest = largest or 1.0
    bar = {
        "title": {"text": _broken(value_title), "side": "top", "font": {"size": theme.TICK_SIZE}},
        "thickness": 14,
        "outlinewidth": 0,
        "tickfont": {"size": theme.TICK_SIZE},
        "nticks": int(np.clip(tall / 30, 2, 6)),
        "x": 1,
        "xpad": 12,
    }
    if size:
        bar |= {"len": size, "lenmode": "pixels"}
    scale = theme.DIVERGING if signed else theme.SEQUENTIAL
    low = -largest if signed else 0.0
    return {
        "colorscale": theme.colorscale(scale),
        "cmin": float(f"{low:.6g}"),
        "cmax": float(f"{largest:.6g}"),
        "colorbar": bar,
    }


def ticks(labels: Sequence[str], pixels: float) -> dict[str, Any]:
    """Tick positions 0, 1, ... with as many of the labels as fit side by side."""
    widest = max(len(str(label)) for label in labels) * 8 + 8
    step = max(1, -(-len(labels) * min(widest, 28) // max(int(pixels), 1)))
    shown = list(range(0, len(labels), step))
    return {"tickmode": "array", "tickvals": shown, "ticktext": [str(labels[i]) for i in shown]}


class Turned(NamedTuple):
    """How far the labels below a figure are turned (degrees), and the pixels that they need for it."""

    angle: int
    room: int


def turned_ticks(labels: Sequence[str], column: float) -> Turned:
    """Labels that are wider than their column are turned, so that none lies on another or on the axis title.

    >>> turned_ticks(["0", "1"], 40), turned_ticks(["at the line break"], 40)
    (Turned(angle=0, room=0), Turned(angle=-40, room=81))
    """
    widest = max(len(str(label)) for label in labels) * 7.5
    if widest <= column:
        return Turned(0, 0)
    return Turned(-40, int(widest * np.sin(np.radians(40))))


def log_ticks(low: float, high: float) -> dict[str, Any]:
    """Ticks at 1, 2, 5 times powers of ten (only powers over more than three decades), as numbers.

    >>> log_ticks(1, 10)["ticktext"], log_ticks(1e-5, 1e-4)["ticktext"]
    (['1', '2', '5', '10'], ['10<sup>−5</sup>', '2·10<sup>−5</sup>', '5·10<sup>−5</sup>', '0.0001'])
    """
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    steps = (1, 2, 5) if np.log10(high / low) <= 3 else (1,)
    marks = [(step * 10.0**decade, step, decade) for decade in decades for step in steps]
    marks = [mark for mark in marks if low * 0.999 <= mark[0] <= high * 1.001]
    return {
        "tickmode": "array",
        "tickvals": [mark for mark, _, _ in marks],
        "ticktext": [_power(*mark) for mark in marks],
    }


def _power(value: float, step: int, decade: int) -> str:
    if -4 <= decade < 6:
        return f"{value:.12g}"
    return f"{step}·" * (step > 1) + f"10<sup>{decade}</sup>".replace("-", "−")


def beside_axis(low: float, high: float, log: bool = False) -> int:
    """Pixels left of a y axis from low to high: its numbers, its title, and a little air.

    >>> beside_axis(0, 1), beside_axis(0, 0.0015), beside_axis(1e-7, 1, log=True)
    (72, 88, 88)
    """
    if log:
        labels = [
            label.replace("<sup>", "").removesuffix("</sup>")
            for label in log_ticks(low, high)["ticktext"]
        ]
    else:
        decimals = max(0, int(np.ceil(-np.log10(max(high - low, 1e-9) / 5))))
        labels = [f"{value:.{decimals}f}" for value in (low, high)]
    return max(72, 40 + 8 * min(max(map(len, labels), default=0), 8))


def _cell_number(value: float, decimals: int) -> str:
    if np.isnan(value):
        return "n/a"
    if abs(value) < 0.5 * 10**-decimals:
        return "0"
    rounded = abs(round(value, decimals))
    decimals = 0 if rounded >= 10 else 1 if rounded >= 1 else decimals
    return f"{value:.{decimals}f}".replace("-", "−")


def _broken(text: str, width: int = 15) -> str:
    lines: list[str] = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)
