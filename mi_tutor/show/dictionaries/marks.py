"""Marks as bars, one below the other: what each got, and whether that was enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, plain, same_length
from mi_tutor.show.drawing.panels import Margins, finish, panels
from mi_tutor.show.drawing.words import number

LONGEST = 46  # characters of a name that stand beside the bars; all of it when pointed at


def marks_figure(
    names: Sequence[str],
    marks: Sequence[float],
    held: Sequence[bool],
    *,
    axis: str = "F1 (0 to 1)",
    title: str = "What was marked",
) -> Figure:
    """A bar for each mark, with ✓ or ✗ and its number behind it; those that did not hold are hatched.

    Args:
        names: what was marked, from top to bottom.
        marks: from 0 to 1.
        held: whether it came out as it should.
        axis: of the marks.
        title: what it shows.

    >>> figure = marks_figure(["latent 3: French", "latent 7: no name"], [0.5, 1.0], [False, True])
    >>> print(figure.alt)
    2 bars, F1 (0 to 1). As it should be: 1 of 2. latent 3: French 0.5 (not so); latent 7: no name 1.
    """
    values = array("marks", marks, "name")
    same_length("marks", marks, "names", len(names))
    same_length("held", held, "names", len(names))
    shown = [n if len(n) <= LONGEST else n[: LONGEST - 2].rstrip(" ,") + " …" for n in names]
    left = 24 + 7 * max(map(len, shown))
    figure = panels(1, 1, (780 - left, 26 * len(names) + 14), margins=Margins(left=left, right=72))
    hatched = ["" if ok else "/" for ok in held]
    figure.add_bar(
        x=plain(values), y=list(range(len(names))), orientation="h", width=0.7, customdata=list(names),
        text=[f"{'✓' if ok else '✗'} {value:.2f}" for value, ok in zip(values, held, strict=True)],
        textposition="outside", cliponaxis=False, textfont={"size": theme.TICK_SIZE},
        marker={
            "color": [theme.CATEGORICAL[0 if ok else 1] for ok in held],
            "pattern": {"shape": hatched, "fgcolor": theme.PAPER, "fillmode": "overlay"},
        },
        hovertemplate="%{customdata}: %{x:.2f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text=axis, range=[0, 1.0])
    figure.update_yaxes(
        tickmode="array", tickvals=list(range(len(names))), ticktext=shown, showgrid=False,
        range=[len(names) - 0.5, -0.5],
    )  # fmt: skip
    figure.update_layout(showlegend=False)
    said = [
        f"{name} {number(float(value), 2)}{'' if ok else ' (not so)'}"
        for name, value, ok in zip(names, values, held, strict=True)
    ]
    alt = f"{len(names)} bars, {axis}. As it should be: {sum(held)} of {len(names)}. {'; '.join(said)}."
    table = {"name": np.array(names), "mark": values, "held": np.array(held)}
    return finish(figure, title, "hatched: not as it should be", alt, table)
