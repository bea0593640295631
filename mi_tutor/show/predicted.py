"""What was predicted beside what was found: the figure of most investigations."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, plain, same_length
from mi_tutor.show.drawing.panels import Margins, finish, panels
from mi_tutor.show.drawing.words import number


def predictions(
    names: Sequence[str],
    predicted: ArrayLike,
    found: ArrayLike,
    *,
    title: str,
    value_title: str,
    subtitle: str = "",
) -> Figure:
    """One row per prediction: an open circle where it was, a filled diamond where the result is, a line between.

    Args:
        names: what was predicted, row by row from the top.
        predicted: [prediction]. NaN where nothing was predicted.
        found: [prediction].
        title: what it shows.
        value_title: name of the axis, with its unit.
        subtitle: a second, smaller line.

    >>> figure = predictions(["follows"], [0.9], [0.7], title="T", value_title="share")
    >>> print(figure.alt)
    1 prediction of share. follows: predicted 0.9, found 0.7.
    """
    guesses = array("predicted", predicted, "prediction", finite=False)
    results = array("found", found, "prediction", finite=False)
    same_length("predicted", guesses, "names", len(names))
    same_length("found", results, "names", len(names))
    labels = [str(name) for name in names]
    left = 52 + int(7.0 * max(map(len, labels)))
    figure = panels(1, 1, (380, 60 + 34 * len(labels)), margins=Margins(left=left, right=130))
    for label, guess, result in zip(labels, guesses, results, strict=True):
        figure.add_scatter(
            x=plain(np.array([guess, result])), y=[label, label], mode="lines", hoverinfo="skip",
            line={"color": theme.MUTED, "width": 2}, showlegend=False,
        )  # fmt: skip
    # The ring is the larger one: where both are the same, the diamond stands in it.
    for index, (name, values, symbol, size) in enumerate(
        (("predicted", guesses, "circle-open", 17), ("found", results, "diamond", 9))
    ):
        color = theme.series_style(index)[0]
        figure.add_scatter(
            x=plain(values), y=labels, mode="markers", name=name,
            marker={"color": color, "symbol": symbol, "size": size, "line": {"width": 2}},
        )  # fmt: skip
    figure.update_xaxes(title_text=value_title)
    figure.update_yaxes(
        title_text="prediction",
        autorange="reversed",
        type="category",
        categoryorder="array",
        categoryarray=labels,
    )
    figure.update_layout(showlegend=True, legend={"x": 1, "xanchor": "left", "y": 1})
    table = {"name": np.array(labels), "predicted": guesses, "found": results}
    rows = [
        f"{label}: predicted {number(guess)}, found {number(result)}"
        for label, guess, result in zip(labels, guesses, results, strict=True)
    ]
    plural = "" if len(labels) == 1 else "s"
    alt = f"{len(labels)} prediction{plural} of {value_title}. {'; '.join(rows)}."
    return finish(figure, title, subtitle, alt, table)
