"""`bars`: one bar for each of a few named things."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import plain
from mi_tutor.show.drawing.marks import beside_axis
from mi_tutor.show.drawing.panels import Margins, finish, panels
from mi_tutor.show.drawing.words import listing, number


def bars(values: Mapping[str, float], *, title: str, x_title: str, y_title: str) -> Figure:
    """A bar for each name, with its number.

    >>> bars({"0 to 1": 3, "1 to 2": 5}, title="T", x_title="points", y_title="learners").alt
    'A bar for each of 2 values of points; learners: 0 to 1 3 and 1 to 2 5.'
    """
    if not values:
        raise ValueError("bars needs at least one value: {'embed': 0.5}.")
    names, heights = list(values), np.array([float(value) for value in values.values()])
    width, top = int(np.clip(46 * len(names), 340, 640)), float(1.15 * max(heights.max(), 1e-9))
    # A name ends below its bar, and begins as far to the left as it is long.
    slanted = [5.2 * len(name) for name in names]
    begins = [(i + 0.5) * width / len(names) - slant for i, slant in enumerate(slanted)]
    left = max(beside_axis(0, top), 12 - int(min(begins)))
    figure = panels(1, 1, (width, 280), margins=Margins(left=left, bottom=60 + int(max(slanted))))
    figure.add_bar(
        x=names, y=plain(heights), text=[number(height) for height in heights], textposition="outside",
        textfont={"size": theme.TICK_SIZE if width >= 46 * len(names) else 11}, constraintext="none",
        marker={"color": theme.series_style(0)[0]}, cliponaxis=False,
    )  # fmt: skip
    figure.update_yaxes(title_text=y_title, range=[0, top])
    figure.update_xaxes(title_text=x_title, tickangle=-45, type="category")
    said = listing(
        [f"{name} {number(height)}" for name, height in zip(names, heights, strict=True)], limit=30
    )
    alt = f"A bar for each of {len(names)} values of {x_title}; {y_title}: {said}."
    return finish(figure, title, "", alt, {"name": np.array(names), "value": heights})
