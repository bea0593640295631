"""Charts for any chapter: `heatmap`, `lines`, `scatter`. Tensors in, a described figure out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from mi_tutor.show.chart_words import by_row, correlation, count, course, extremes, group_words, of
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, plain, same_length
from mi_tutor.show.drawing.marks import (
    beside_axis,
    cells,
    color_axis,
    log_ticks,
    ticks,
    turned_ticks,
)
from mi_tutor.show.drawing.panels import Margins, finish, panels
from mi_tutor.show.drawing.words import number, span

CHART = (560, 340)


def heatmap(
    values: Float[Tensor, "row column"] | ArrayLike,
    *,
    title: str,
    x_title: str,
    y_title: str,
    value_title: str,
    x: Sequence[str] | None = None,
    y: Sequence[str] | None = None,
    subtitle: str = "",
) -> Figure:
    """A matrix as coloured cells, row 0 on top. Signed data gets a scale that is white at zero.

    A cell that is large enough shows its number; a smaller negative one a minus sign. NaN is "n/a".

    Args:
        values: [row column].
        title: what it shows.
        x_title: name of the columns' axis, with its unit.
        y_title: name of the rows' axis, with its unit.
        value_title: name of the colour bar, with its unit.
        x: a label per column (default: 0, 1, ...).
        y: a label per row.
        subtitle: a second, smaller line.

    Raises:
        ValueError: if `values` is not a matrix, or a list of labels has the wrong length.

    >>> figure = heatmap([[0.0, -2.0]], title="T", x_title="head", y_title="layer", value_title="v")
    >>> figure.data_table()["value"]
    array([ 0., -2.])
    """
    matrix = array("values", values, "row column", finite=False)
    rows, columns = matrix.shape
    x = _labels("x", x, "columns of values", columns)
    y = _labels("y", y, "rows of values", rows)
    cell = int(np.clip(min(560 / columns, 420 / rows), 4, 56))
    size = (max(cell * columns, 160), max(cell * rows, 60))
    left = 56 + int(7.5 * max(len(label) for label in y))
    turned = turned_ticks(x, cell)
    figure = panels(1, 1, size, margins=Margins(left=left, right=130, bottom=70 + turned.room))
    figure.add_trace(cells(matrix, cell))
    figure.update_layout(coloraxis=color_axis(matrix, value_title, tall=size[1]))
    figure.update_xaxes(title_text=x_title, tickangle=turned.angle, **ticks(x, size[0]))
    figure.update_yaxes(title_text=y_title, autorange="reversed", **ticks(y, size[1]))
    table = {"row": np.repeat(y, columns), "column": np.tile(x, rows), "value": matrix.ravel()}
    alt = (
        f"Heat map of {value_title} with {of(rows, 'row', y_title)} and {of(columns, 'column', x_title)}. "
        + extremes(matrix, x, y)
        + by_row(matrix, x, y)
    )
    return finish(figure, title, subtitle, alt, table)


def lines(
    x: Float[Tensor, "point"] | ArrayLike,
    curves: Mapping[str, Any],
    *,
    title: str,
    x_title: str,
    y_title: str,
    log_x: bool = False,
    log_y: bool = False,
    markers: bool | None = None,
    subtitle: str = "",
) -> Figure:
    """Curves over the same x. Each has its own colour, dash and (if there are few points) symbol.

    Args:
        x: [point].
        curves: name -> [point]. NaN leaves a gap.
        title: what it shows.
        x_title: name of the axis, with its unit.
        y_title: name of the axis, with its unit.
        log_x: draw the axis logarithmically; all x must then be positive.
        log_y: the same for y.
        markers: draw a symbol at each point (default: if there are at most 20).
        subtitle: a second, smaller line.

    Raises:
        ValueError: if a curve has another length than x, or a logarithmic axis a value <= 0.

    >>> curves = {"train": [2.0, 1.0], "test": [2.5, 2.0]}
    >>> figure = lines([0, 100], curves, title="Loss", x_title="step", y_title="loss (nats)")
    >>> print(figure.alt)
    2 curves of loss (nats) over step (from 0 to 100). train goes from 2 to 1. test goes from 2.5 to 2.
    """
    if not curves:
        raise ValueError("lines needs at least one curve: {'loss': losses}.")
    at = array("x", x, "point")
    ys = {name: array(f"curve {name!r}", y, "point", finite=False) for name, y in curves.items()}
    for name, y in ys.items():
        same_length(f"curve {name!r}", y, "points of x", len(at))
    _positive_if_log(log_x, "x", at)
    _positive_if_log(log_y, "y", *ys.values())
    every_y = np.concatenate(list(ys.values()))
    figure = _chart(list(ys), every_y, log_y)
    with_markers = len(at) <= 20 if markers is None else markers
    for index, (name, y) in enumerate(ys.items()):
        color, symbol, dash = theme.series_style(index)
        figure.add_scatter(
            x=plain(at), y=plain(y), name=name, mode="lines+markers" if with_markers else "lines",
            line={"color": color, "dash": dash, "width": 2.5}, marker={"symbol": symbol, "size": 9},
        )  # fmt: skip
    _axes(figure, (x_title, log_x, at), (y_title, log_y, every_y), legend=len(ys) > 1)
    table = {
        "curve": np.repeat(list(ys), len(at)),
        "x": np.tile(at, len(ys)),
        "y": every_y,
    }
    alt = f"{count(len(ys), 'curve')} of {y_title} over {x_title} ({span(at)}). "
    alt += " ".join(course(name, y) for name, y in ys.items())
    return finish(figure, title, subtitle, alt, table)


def scatter(
    x: Float[Tensor, "point"] | ArrayLike,
    y: Float[Tensor, "point"] | ArrayLike,
    *,
    title: str,
    x_title: str,
    y_title: str,
    groups: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    diagonal: bool = False,
    subtitle: str = "",
) -> Figure:
    """Points. Each group has its own colour and symbol; a label is shown when pointed at.

    Args:
        x: [point].
        y: [point].
        title: what it shows.
        x_title: name of the axis, with its unit.
        y_title: name of the axis, with its unit.
        groups: a group name per point, or none.
        labels: a text per point, or none.
        log_x: draw the axis logarithmically.
        log_y: the same for y.
        diagonal: draw the line y = x.
        subtitle: a second, smaller line.

    Raises:
        ValueError: if lengths differ, or a logarithmic axis has a value <= 0.

    >>> figure = scatter([1, 2, 3], [2, 4, 6], title="T", x_title="exact", y_title="estimate")
    >>> print(figure.alt)
    3 points. exact runs from 1 to 3, estimate from 2 to 6; their correlation is 1.
    """
    xs, ys = array("x", x, "point"), array("y", y, "point")
    same_length("y", ys, "points of x", len(xs))
    names = _labels("groups", groups, "points of x", len(xs), default="all")
    texts = _labels("labels", labels, "points of x", len(xs), default="")
    _positive_if_log(log_x, "x", xs)
    _positive_if_log(log_y, "y", ys)
    kinds = list(dict.fromkeys(names))
    figure = _chart(kinds, ys, log_y)
    if diagonal:
        ends = [float(min(xs.min(), ys.min())), float(max(xs.max(), ys.max()))]
        line = {"color": theme.MUTED, "dash": "dash", "width": 1.5}
        figure.add_scatter(x=ends, y=ends, mode="lines", line=line, name="y = x", hoverinfo="skip")
    for index, kind in enumerate(kinds):
        color, symbol, _ = theme.series_style(index)
        mine = [i for i, name in enumerate(names) if name == kind]
        figure.add_scatter(
            x=plain(xs[mine]), y=plain(ys[mine]), text=[texts[i] for i in mine], mode="markers",
            name=kind, marker={"color": color, "symbol": symbol, "size": 9, "opacity": 0.75},
        )  # fmt: skip
    _axes(figure, (x_title, log_x, xs), (y_title, log_y, ys), len(kinds) > 1 or diagonal)
    table = {"x": xs, "y": ys, "group": np.array(names), "label": np.array(texts)}
    alt = f"{count(len(xs), 'point')}{group_words(names, kinds)}. {x_title} runs {span(xs)}, "
    alt += f"{y_title} {span(ys)}{correlation(xs, ys)}."
    return finish(figure, title, subtitle, alt, table)


def _chart(names: Sequence[str], y: np.ndarray, log_y: bool) -> Figure:
    """An empty panel with room for the numbers beside it and for a legend, no wider than a laptop shows."""
    left = beside_axis(float(np.nanmin(y)), float(np.nanmax(y)), log_y)
    right = _legend_room(names)
    width = min(CHART[0], theme.WIDTH - left - right)
    return panels(1, 1, (width, CHART[1]), margins=Margins(left=left, right=right))


def _axes(
    figure: Figure,
    x: tuple[str, bool, np.ndarray],
    y: tuple[str, bool, np.ndarray],
    legend: bool,
) -> None:
    """Name both axes (title, logarithmic or not, the values on it) and place the legend."""
    for (title, log, values), update in zip(
        (x, y), (figure.update_xaxes, figure.update_yaxes), strict=True
    ):
        update(title_text=title, type="log" if log else "linear")
        if log:
            update(**log_ticks(float(np.nanmin(values)), float(np.nanmax(values))))
    figure.update_layout(showlegend=legend, legend={"x": 1, "xanchor": "left", "y": 1})


def _labels(
    name: str, labels: Sequence[str] | None, other: str, n: int, default: str | None = None
) -> list[str]:
    if labels is None:
        return [str(i) if default is None else default for i in range(n)]
    same_length(name, labels, other, n)
    return [str(label) for label in labels]


def _positive_if_log(log: bool, name: str, *values: np.ndarray) -> None:
    smallest = min(float(np.nanmin(v)) for v in values if np.isfinite(v).any())
    if log and smallest <= 0:
        raise ValueError(
            f"a logarithmic {name} axis needs values above zero; saw {number(smallest)}. "
            f"Use log_{name}=False, or leave those points out."
        )


def _legend_room(names: Sequence[str]) -> int:
    return 24 if len(names) <= 1 else 66 + min(int(7 * max(map(len, names))), 300)
