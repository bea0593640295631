"""How many almost-orthogonal directions fit?"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from mi_tutor.show.charts import lines
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, same_length
from mi_tutor.show.drawing.words import number


def cosine_packing(
    d: int,
    n: Float[Tensor, "count"] | ArrayLike,
    random: Float[Tensor, "count"] | ArrayLike,
    optimised: Float[Tensor, "count"] | ArrayLike,
    welch: Float[Tensor, "count"] | ArrayLike,
    *,
    title: str | None = None,
) -> Figure:
    """The worst overlap of n directions in d dimensions: random, optimised, and the Welch bound.

    Args:
        d: dimensions.
        n: [count], how many directions, increasing.
        random: [count], max |cos| of random directions.
        optimised: [count], max |cos| after spreading them.
        welch: [count], the bound of Welch 1974, which nothing beats.
        title: what it shows (default: names d).

    Raises:
        ValueError: if lengths differ, n is not increasing, or a cosine lies outside [0, 1].

    >>> figure = cosine_packing(2, [2, 3], [0.9, 0.99], [0.0, 0.5], [0.0, 0.5])
    >>> sorted(set(figure.data_table()["curve"].tolist()))
    ['Welch bound', 'optimised', 'random']
    """
    counts = array("n", n, "count")
    if (np.diff(counts) <= 0).any() or counts[0] < 2:
        raise ValueError("n should increase and start at 2 or more.")
    curves = {}
    for name, values in (("random", random), ("optimised", optimised), ("Welch bound", welch)):
        curves[name] = array(name, values, "count")
        same_length(name, curves[name], "entries of n", len(counts))
        if not ((curves[name] >= 0) & (curves[name] <= 1 + 1e-6)).all():
            raise ValueError(
                f"{name} should hold |cos| values in [0, 1]; saw {number(curves[name].min())} to "
                f"{number(curves[name].max())}."
            )
    figure = lines(
        counts, curves, title=title or f"How nearly orthogonal can n directions in {d} dimensions be?",
        x_title="number of directions n (log scale)", y_title="largest |cos| (dimensionless)",
        log_x=True, markers=True,
    )  # fmt: skip
    figure.update_yaxes(range=[-0.02, 1.04])
    if counts[0] <= d <= counts[-1]:
        line = {"color": "#8a93a3", "dash": "dot", "width": 1.5}
        figure.add_shape(type="line", x0=d, x1=d, yref="y domain", y0=0, y1=1, line=line)
        figure.add_annotation(
            text=f"n = d = {d}", x=float(np.log10(d)), y=1, yref="y domain", xanchor="right",
            yanchor="top", xshift=-4, showarrow=False, font={"size": 13},
        )  # fmt: skip
    return figure
