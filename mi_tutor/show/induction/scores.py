"""A score for every head, as a grid of layers and heads; several scores side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array
from mi_tutor.show.drawing.marks import cells, color_axis, ticks
from mi_tutor.show.drawing.panels import Margins, finish, panels, place
from mi_tutor.show.drawing.words import number, span


def head_grid(
    scores: Mapping[str, Any],
    *,
    value_title: str,
    title: str,
    subtitle: str = "",
) -> Figure:
    """Scores [layer head] as coloured cells with their numbers, one panel per score, on one scale.

    Args:
        scores: name -> [layer head], all of one shape.
        value_title: name of the colour bar, with its unit.
        title: what it shows.
        subtitle: a second, smaller line.

    Raises:
        ValueError: if there is no score, or their shapes differ.

    >>> figure = head_grid({"induction": [[0.0, 0.1], [0.9, 0.2]]}, value_title="score", title="T")
    >>> figure.data_table()["value"]
    array([0. , 0.1, 0.9, 0.2])
    """
    if not scores:
        raise ValueError("head_grid needs at least one score: {'induction': scores}.")
    grids = {name: array(name, values, "layer head") for name, values in scores.items()}
    shapes = {grid.shape for grid in grids.values()}
    if len(shapes) > 1:
        raise ValueError(f"All scores should have one shape [layer head]; saw {sorted(shapes)}.")
    n_layers, n_heads = shapes.pop()
    columns = min(len(grids), 2)
    cell = int(np.clip(min(540 / columns / n_heads, 420 / n_layers), 12, 56))
    size = (max(cell * n_heads, 140), max(cell * n_layers, 60))
    figure = panels(
        len(grids), columns, size, list(grids), gap=(60, 64), margins=Margins(right=130, bottom=64)
    )
    for panel, grid in enumerate(grids.values()):
        at = place(figure, panel)
        figure.add_trace(cells(grid, cell), **at)
        names = [[str(i) for i in range(n)] for n in (n_heads, n_layers)]
        figure.update_xaxes(title_text="head", **ticks(names[0], size[0]), **at)
        figure.update_yaxes(
            title_text="layer", autorange="reversed", **ticks(names[1], size[1]), **at
        )
    every = np.stack(list(grids.values()))
    figure.update_layout(coloraxis=color_axis(every.reshape(-1, n_heads), value_title))
    if figure.layout.height < 330:  # a short bar beside few layers: fewer numbers, or they touch
        figure.update_coloraxes(colorbar_nticks=3)
    layer, head = (index.ravel() for index in np.indices((n_layers, n_heads)))
    table = {
        "score": np.repeat(list(grids), n_layers * n_heads),
        "layer": np.tile(layer, len(grids)),
        "head": np.tile(head, len(grids)),
        "value": every.ravel(),
    }
    alt = f"{value_title} of {n_layers} layers with {n_heads} heads each. "
    return finish(figure, title, subtitle, alt + _words(grids), table)


def _words(grids: Mapping[str, np.ndarray]) -> str:
    """Each score's highest head, and the range of the others."""
    sentences = []
    for name, grid in grids.items():
        layer, head = np.unravel_index(grid.argmax(), grid.shape)
        text = f"{name}: highest for head {layer}.{head} with {number(grid.max(), 2)}"
        others = np.delete(grid.ravel(), grid.argmax())
        sentences.append(text + (f", the others {span(others)}." if len(others) else "."))
    return " ".join(sentences)
