"""Small multiples: equal panels of a fixed size in pixels, with room for all that stands around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure, require, set_title
from mi_tutor.show.drawing.marks import ink_cells

subplots = require("plotly.subplots", "drawing figures")


class Margins(NamedTuple):
    """Pixels around the panels; the room for title and subtitle is added to `top`."""

    left: int = 72
    right: int = 24
    top: int = 10
    bottom: int = 60


def panels(
    n_panels: int,
    columns: int,
    size: tuple[int, int],
    titles: Sequence[str] = (),
    gap: tuple[int, int] = (24, 24),
    margins: Margins | None = None,
    widths: Sequence[int] | None = None,
) -> Figure:
    """An empty figure of `n_panels` panels in reading order, `columns` to a row.

    Args:
        n_panels: how many.
        columns: at most so many next to each other.
        size: width and height of one panel's plotting area, in pixels.
        titles: one line above each panel, or none.
        gap: pixels between panels, sideways and downwards (the titles' room is added).
        margins: pixels around all of them.
        widths: pixels per column where they differ; the first number of `size` is then unused.

    >>> figure = panels(3, 2, (200, 150), titles=["a", "b", "c"])
    >>> figure.layout.width, len(list(figure.select_xaxes()))
    (520, 3)
    """
    margins = margins or Margins()
    columns = min(columns, n_panels)
    rows = -(-n_panels // columns)
    widths = list(widths or [size[0]] * columns)
    down = gap[1] + (26 if titles else 0)
    inner_width = sum(widths) + gap[0] * (columns - 1)
    inner_height = size[1] * rows + down * (rows - 1)
    grid = [
        [{} if row * columns + column < n_panels else None for column in range(columns)]
        for row in range(rows)
    ]
    figure = subplots.make_subplots(
        rows, columns,
        specs=grid,
        subplot_titles=[f"<b>{title}</b>" if title else " " for title in titles] or None,
        column_widths=widths,
        horizontal_spacing=gap[0] / inner_width if columns > 1 else 0,
        vertical_spacing=down / inner_height if rows > 1 else 0,
        figure=Figure(layout={"template": theme.template()}),
    )  # fmt: skip
    figure.update_annotations(font_size=theme.PANEL_SIZE)
    top = margins.top + (26 if titles else 0)
    figure.update_layout(
        width=margins.left + inner_width + margins.right,
        height=top + inner_height + margins.bottom,
        margin={"l": margins.left, "r": margins.right, "t": top, "b": margins.bottom, "pad": 0},
    )
    return figure


def place(figure: Figure, panel: int) -> dict[str, int]:
    """Row and column of panel number `panel`, as `add_trace` and `update_xaxes` want them.

    >>> place(panels(3, 2, (200, 150)), 2)
    {'row': 2, 'col': 1}
    """
    columns = len(figure._grid_ref[0])
    return {"row": panel // columns + 1, "col": panel % columns + 1}


def finish(figure: Figure, title: str, subtitle: str, alt: str, table: dict[str, Any]) -> Figure:
    """Give a figure its title, making room above the panels, its description and its data."""
    ink_cells(figure)
    room = set_title(figure, title, subtitle)
    figure.layout.height += room
    figure.layout.margin.t += room
    return figure.describe(alt, table)
