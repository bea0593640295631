"""Pictures of swaps: where the state is, the matrix of successes, dose and response, and the controls."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from mi_tutor.lab.swaps import DoseResponse, StateMap
from mi_tutor.show import charts
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, plain, same_length
from mi_tutor.show.drawing.marks import cells, color_axis, ticks
from mi_tutor.show.drawing.panels import Margins, finish, panels, place
from mi_tutor.show.drawing.words import listing

PANELS = (("logit lens", "lens"), ("nearest mean", "read"), ("patched", "patched"))


def state_places(
    found: StateMap, *, title: str = "Where is the state, and where does it act?"
) -> Figure:
    """Three maps side by side, layer × place: named by the logit lens, read by nearest mean, and patched.

    >>> import torch
    >>> table = torch.tensor([[0.1, 0.2], [0.3, 1.0]])
    >>> figure = state_places(StateMap(("name's end", "end"), table, table, table))
    >>> float(figure.data_table()["share"].max())
    1.0
    """
    tables = [array(name, getattr(found, name), "layer place") for _, name in PANELS]
    rows, columns = tables[0].shape
    same_length("places", found.places, "columns of the tables", columns)
    layers = [*(f"before {layer}" for layer in range(rows - 1)), "after all"]
    cell = min(44, 190 // columns)
    size = (cell * columns, 34 * rows)
    figure = panels(
        3, 3, size, [name for name, _ in PANELS], gap=(22, 0),
        margins=Margins(left=92, right=96, bottom=106),
    )  # fmt: skip
    for number, table in enumerate(tables):
        figure.add_trace(cells(table, 34 if cell >= 24 else cell), **place(figure, number))
        figure.update_xaxes(
            title_text="token", tickangle=-45, **_every_tick(found.places), **place(figure, number)
        )
        figure.update_yaxes(
            autorange="reversed", showticklabels=number == 0, **ticks(layers, size[1]),
            **place(figure, number),
        )  # fmt: skip
    figure.update_yaxes(title_text="stream (layer)", **place(figure, 0))
    scale = color_axis(np.stack(tables).reshape(-1, columns), "share of prompts")
    figure.update_layout(coloraxis=scale | {"cmin": 0.0, "cmax": 1.0})
    index = np.indices((rows, columns))
    table = {
        "panel": np.repeat([name for name, _ in PANELS], rows * columns),
        "layer": np.tile(np.array(layers)[index[0].ravel()], 3),
        "token": np.tile(np.array(found.places)[index[1].ravel()], 3),
        "share": np.concatenate([each.ravel() for each in tables]),
    }
    words = [
        f"{name}: {_best(each, layers, found.places)}"
        for (name, _), each in zip(PANELS, tables, strict=True)
    ]
    alt = f"Three heat maps, {rows} streams by {columns} tokens. The largest shares: {'; '.join(words)}."
    subtitle = (
        "share of prompts whose state is named or read; share whose answer follows when patched"
    )
    return finish(figure, title, subtitle, alt, table)


def _every_tick(labels: Sequence[str]) -> dict[str, Any]:
    return {"tickmode": "array", "tickvals": list(range(len(labels))), "ticktext": list(labels)}


def _best(table: np.ndarray, layers: Sequence[str], places: Sequence[str]) -> str:
    """In each layer, where the share is largest."""
    parts = []
    for layer, row in zip(layers, table, strict=True):
        parts.append(f"{layer} {row.max():.2f} at {places[int(row.argmax())]}")
    return ", ".join(parts)


def swap_heatmap(
    success: Float[Tensor, "own target"] | ArrayLike,
    names: Sequence[str],
    *,
    title: str = "The swap matrix",
) -> Figure:
    """Success by the question's own class (rows) and the class swapped in (columns). NaN was not tested.

    >>> figure = swap_heatmap([[float("nan"), 1.0], [0.5, float("nan")]], ["Ohio", "Utah"])
    >>> print(figure.alt.partition(". ")[2])
    Mean of the 2 tested cells 0.75, lowest 0.5 (Utah to Ohio). Not tested: 2 cells.
    """
    matrix = array("success", success, "own target", finite=False)
    same_length("names", names, "rows of success", len(matrix))
    figure = charts.heatmap(
        matrix,
        title=title,
        x_title="state swapped in",
        y_title="the question's own state",
        value_title="share that follows",
        x=names,
        y=names,
    )
    figure.update_layout(coloraxis={"cmin": 0.0, "cmax": 1.0})
    figure.update_xaxes(tickangle=-60)
    figure.layout.margin.b += 50
    figure.layout.height += 50
    tested = ~np.isnan(matrix)
    alt = f"Heat map of the success of swaps, {len(matrix)} states by {len(matrix)}. "
    if tested.any():
        low = np.unravel_index(np.nanargmin(matrix), matrix.shape)
        alt += (
            f"Mean of the {tested.sum()} tested cells {matrix[tested].mean():.2f}, lowest {matrix[low]:.2g} "
            f"({names[low[0]]} to {names[low[1]]}). "
        )
    return figure.describe(alt + f"Not tested: {(~tested).sum()} cells.")


def dose_curves(found: DoseResponse, *, title: str = "Dose and response") -> Figure:
    """What becomes of the answers as the direction is added more strongly: three shares.

    >>> import torch
    >>> found = DoseResponse((0.0, 1.0), *torch.tensor([[1.0, 0.0], [0.0, 0.9], [0.0, 0.1]]))
    >>> figure = dose_curves(found)
    >>> print(figure.alt.rpartition(". ")[2])
    Most answers follow at strength 1 (0.90).
    """
    follows = array("follows", found.follows, "strength")
    curves = {
        "the target's": found.follows,
        "their own": found.stays,
        "something else": found.neither,
    }
    figure = charts.lines(
        found.strengths,
        curves,
        title=title,
        x_title="strength (how often the direction is added)",
        y_title="share of answers that are …",
    )
    figure.update_yaxes(range=[-0.03, 1.03])
    best = int(follows.argmax())
    peak = f"Most answers follow at strength {found.strengths[best]:g} ({follows[best]:.2f})."
    return figure.describe(f"{figure.alt} {peak}")


def control_bars(
    success: Mapping[str, float],
    n_tests: Mapping[str, int],
    *,
    title: str = "The swap and its controls",
) -> Figure:
    """One bar per intervention: the share of answers that became the target's, with its number.

    Args:
        success: name -> share, in the order in which they are drawn, the swap first.
        n_tests: name -> how many swaps it is the share of.

    >>> figure = control_bars({"the swap": 0.97, "random": 0.01}, {"the swap": 200, "random": 200})
    >>> print(figure.alt)
    Bars of the share of answers that became the target's: the swap 97.0 % of 200 and random 1.0 % of 200.
    """
    if not success or set(success) != set(n_tests):
        raise ValueError(
            "success and n_tests should have the same names, at least one; saw "
            f"{list(success)} and {list(n_tests)}."
        )
    names = list(success)
    values = array("success", list(success.values()), "bar")
    figure = panels(1, 1, (430, 44 * len(names)), margins=Margins(left=200, right=90))
    figure.add_bar(
        x=plain(values), y=names, orientation="h", width=0.6,
        text=[f"{100 * each:.1f} %" for each in values], textposition="outside", cliponaxis=False,
        textfont={"size": theme.TICK_SIZE},
        marker={
            "color": [theme.CATEGORICAL[0], *[theme.CATEGORICAL[1]] * (len(names) - 1)],
            "pattern": {
                "shape": ["", *["/"] * (len(names) - 1)],
                "fgcolor": theme.PAPER,
                "fillmode": "overlay",
            },
        },
    )  # fmt: skip
    figure.update_xaxes(title_text="share of answers that became the target's", range=[0, 1])
    figure.update_yaxes(title_text="intervention", autorange="reversed")
    figure.update_layout(showlegend=False)
    parts = [f"{name} {100 * v:.1f} % of {n_tests[name]}" for name, v in success.items()]
    alt = f"Bars of the share of answers that became the target's: {listing(parts)}."
    table = {"intervention": names, "share": values, "n": [n_tests[name] for name in names]}
    return finish(figure, title, "", alt, table)
