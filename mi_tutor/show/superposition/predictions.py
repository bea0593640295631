"""A prediction beside what was found: two tables of the same shape, on one scale."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, same_length
from mi_tutor.show.drawing.marks import cells, color_axis, ticks
from mi_tutor.show.drawing.panels import Margins, finish, panels, place
from mi_tutor.show.drawing.words import listing, number


def predicted_and_found(
    predicted: Float[Tensor, "row column"] | ArrayLike,
    found: Float[Tensor, "row column"] | ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str,
    x_title: str,
    y_title: str,
    value_title: str,
) -> Figure:
    """Two heat maps side by side, with the numbers in their cells.

    Args:
        predicted: [row column].
        found: [row column].
        rows: a name per row.
        columns: a name per column.
        title: what it shows.
        x_title: name of the columns' axis, with its unit.
        y_title: name of the rows' axis, with its unit.
        value_title: name of the colour bar, with its unit.

    Raises:
        ValueError: if the two differ in shape, or a list of names in length.

    >>> figure = predicted_and_found(
    ...     [[0.5, 0.5]], [[1.0, 0.0]], ["a"], ["up", "down"],
    ...     title="T", x_title="x", y_title="y", value_title="v")
    >>> figure.data_table()["found"]
    array([1., 0.])
    """
    predicted = array("predicted", predicted, "row column")
    found = array("found", found, "row column")
    if predicted.shape != found.shape:
        raise ValueError(f"one shape for both; saw {predicted.shape} and {found.shape}.")
    same_length("rows", rows, "rows of found", len(found))
    same_length("columns", columns, "columns of found", found.shape[1])
    pixels = int(np.clip(250 / found.shape[1], 28, 46))
    height = int(np.clip(400 / len(found), 28, 44))
    size = (pixels * found.shape[1], max(height * len(found), 60))
    left = 40 + int(7.2 * max(len(name) for name in rows))
    upright = 7 * max(len(name) for name in columns) > pixels
    figure = panels(
        2, 2, size, ["predicted", "found"], gap=(18, 0),
        margins=Margins(left=left, right=130, bottom=104 if upright else 64),
    )  # fmt: skip
    for panel, values in enumerate((predicted, found)):
        figure.add_trace(
            cells(values, min(pixels, height), name=("predicted", "found")[panel]),
            **place(figure, panel),
        )
    both = np.concatenate([predicted.ravel(), found.ravel()])
    figure.update_layout(coloraxis=color_axis(both, value_title))
    names = {"tickmode": "array", "tickvals": list(range(len(rows))), "ticktext": list(rows)}
    figure.update_yaxes(range=[len(rows) - 0.5, -0.5], showgrid=False, **names)
    figure.update_yaxes(title_text=y_title, **place(figure, 0))
    figure.update_yaxes(showticklabels=False, **place(figure, 1))
    figure.update_xaxes(title_text=x_title, showgrid=False, **ticks(columns, size[0]))
    figure.update_xaxes(tickangle=-45 if upright else 0)
    table = {
        "row": np.repeat(list(rows), len(columns)),
        "column": np.tile(list(columns), len(rows)),
        "predicted": predicted.ravel(),
        "found": found.ravel(),
    }
    return finish(figure, title, "", _words(predicted, found, rows, columns, value_title), table)


def _words(
    predicted: np.ndarray, found: np.ndarray, rows: Sequence[str], columns: Sequence[str], what: str
) -> str:
    text = f"Two heat maps of {what}, {len(rows)} rows by {len(columns)} columns: predicted, and found. "
    text += f"The mean difference is {number(np.abs(predicted - found).mean(), 2)}. Largest found in each row: "
    largest = []
    for name, said, seen in zip(rows, predicted, found, strict=True):
        at = int(seen.argmax())
        largest.append(
            f"{name}: {columns[at]} {number(seen[at], 2)} (predicted {number(said[at], 2)})"
        )
    return f"{text}{listing(largest, limit=12)}."
