"""The phase change: losses above, head scores below, over the same steps of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, plain, same_length
from mi_tutor.show.drawing.marks import log_ticks
from mi_tutor.show.drawing.panels import Margins, finish, panels, place
from mi_tutor.show.drawing.words import number, span


def phase_curves(
    steps: Sequence[int],
    above: Mapping[str, Any],
    below: Mapping[str, Any],
    *,
    y_titles: tuple[str, str] = ("loss (nats)", "score (0 to 1)"),
    between: tuple[int, int] | None = None,
    title: str = "The phase change",
) -> Figure:
    """Two panels of curves over training steps, on one logarithmic axis (so step 0 is left out).

    Args:
        steps: the checkpoints' training steps, rising.
        above: name -> [step], drawn in the upper panel.
        below: name -> [step], drawn in the lower panel.
        y_titles: names of the two vertical axes, with units.
        between: two steps; the stretch between them is shaded in both panels.
        title: what it shows.

    Raises:
        ValueError: if a curve has another length than `steps`, or there are fewer than two steps above 0.

    >>> figure = phase_curves([0, 10, 100], {"loss": [5.0, 4.0, 1.0]}, {"score": [0.0, 0.1, 0.9]})
    >>> figure.data_table()["y"]
    array([4. , 1. , 0.1, 0.9])
    """
    at = array("steps", steps, "step")
    curves = [
        {name: array(f"curve {name!r}", y, "step") for name, y in group.items()}
        for group in (above, below)
    ]
    for group in curves:
        for name, y in group.items():
            same_length(f"curve {name!r}", y, "steps", len(at))
    kept = at > 0
    if kept.sum() < 2 or (np.diff(at) <= 0).any():
        raise ValueError(f"steps should rise, with two or more above 0; saw {list(steps)}.")
    x = at[kept]
    figure = panels(2, 1, (470, 190), gap=(0, 26), margins=Margins(right=250, bottom=64))
    columns: dict[str, list[Any]] = {"panel": [], "curve": [], "step": [], "y": []}
    index = 0
    for panel, group in enumerate(curves):
        where = place(figure, panel)
        for name, y in group.items():
            _curve(figure, name, x, y[kept], index, where)
            index += 1
            columns["panel"] += [y_titles[panel]] * len(x)
            columns["curve"] += [name] * len(x)
            columns["step"] += x.tolist()
            columns["y"] += y[kept].tolist()
        figure.update_yaxes(title_text=y_titles[panel], rangemode="tozero", **where)
        figure.update_xaxes(type="log", **log_ticks(x.min(), x.max()), **where)
        if between is not None:
            shade = {"fillcolor": theme.GRID, "opacity": 0.9, "line_width": 0, "layer": "below"}
            figure.add_vrect(x0=between[0], x1=between[1], **shade, **where)
    figure.update_xaxes(showticklabels=False, **place(figure, 0))
    figure.update_xaxes(title_text="training step (logarithmic)", **place(figure, 1))
    figure.update_layout(legend={"x": 1.02, "y": 1, "yanchor": "top"}, showlegend=True)
    table = {name: np.array(column) for name, column in columns.items()}
    return finish(figure, title, "", _words(x, curves, kept, y_titles, between), table)


def _curve(
    figure: Figure, name: str, x: np.ndarray, y: np.ndarray, index: int, where: dict[str, int]
) -> None:
    color, symbol, dash = theme.series_style(index)
    figure.add_scatter(
        x=plain(x), y=plain(y), name=name, mode="lines+markers",
        line={"color": color, "dash": dash, "width": 2.5}, marker={"symbol": symbol, "size": 7},
        hovertemplate="step %{x}: %{y:.3g}", **where,
    )  # fmt: skip


def _words(
    x: np.ndarray,
    curves: list[dict[str, np.ndarray]],
    kept: np.ndarray,
    y_titles: tuple[str, str],
    between: tuple[int, int] | None,
) -> str:
    text = f"Two panels over {len(x)} checkpoints, training steps {span(x, 4)}. "
    for y_title, group in zip(y_titles, curves, strict=True):
        text += f"{y_title}: "
        parts = []
        for name, y in group.items():
            y = y[kept]
            i = int(np.abs(np.diff(y)).argmax())
            parts.append(
                f"{name} from {number(y[0], 2)} to {number(y[-1], 2)}, steepest between steps "
                f"{number(x[i], 4)} and {number(x[i + 1], 4)} ({number(y[i], 2)} to {number(y[i + 1], 2)})"
            )
        text += "; ".join(parts) + ". "
    if between is not None:
        text += f"Shaded: steps {between[0]} to {between[1]}."
    return text.strip()
