"""Feature dimensionality against sparsity, and the plateaus it settles on."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from mi_tutor.lab.superposition import feature_dimensionality
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, plain, same_length
from mi_tutor.show.drawing.marks import log_ticks
from mi_tutor.show.drawing.panels import Margins, finish, panels
from mi_tutor.show.drawing.words import listing, number


class Plateau(NamedTuple):
    """A value that feature dimensionalities gather at, and the geometry that has it."""

    value: float
    fraction: str
    geometry: str


# Elhage et al. 2022. 1/2 has two geometries, both with pairs of opposite directions.
PLATEAUS = (
    Plateau(1.0, "1", "a dimension of its own"),
    Plateau(3 / 4, "3/4", "tetrahedron"),
    Plateau(2 / 3, "2/3", "triangle"),
    Plateau(1 / 2, "1/2", "antipodal pair, square"),
    Plateau(2 / 5, "2/5", "pentagon"),
    Plateau(3 / 8, "3/8", "square antiprism"),
)
_NEAR = 0.02


def dimensionality_vs_sparsity(
    W: Float[Tensor, "instance hidden feature"] | ArrayLike,
    probability: Float[Tensor, "instance"] | ArrayLike,
    *,
    per_feature: bool = True,
    title: str = "Feature dimensionality settles on a few values",
) -> Figure:
    """D_i of every feature against 1/(1 − S), with the plateaus of Elhage et al. 2022.

    Each dot is one feature of one instance. Dotted lines are the plateaus with their geometry. The
    squares on the dashed line are D* = m/‖W‖²_F, the dimensions per represented feature, averaged
    over the instances with the same sparsity.

    Args:
        W: [instance hidden feature].
        probability: [instance], how often each feature is on: 1 − S, in (0, 1].
        per_feature: draw the dots, not D* alone.
        title: what it shows.

    Raises:
        ValueError: if a shape does not fit, a value is NaN, or a probability is not in (0, 1].

    >>> figure = dimensionality_vs_sparsity([[[1.0, -1.0]], [[1.0, 0.0]]], [0.1, 1.0])
    >>> figure.data_table()["dimensionality"]
    array([0.5, 0.5, 1. , 0. ])
    """
    W = array("W", W, "instance hidden feature")
    probability = array("probability", probability, "instance")
    same_length("probability", probability, "instances of W", len(W))
    if not ((probability > 0) & (probability <= 1)).all():
        raise ValueError(
            f"probability must lie in (0, 1]; saw values from {number(probability.min())} to "
            f"{number(probability.max())}. A sparsity S is the probability 1 − S."
        )
    n_instances, _, n_features = W.shape
    D = feature_dimensionality(torch.as_tensor(W)).numpy()
    x = 1 / probability
    figure = panels(1, 1, (500, 480), margins=Margins(left=72, right=216, bottom=100))
    _plateau_lines(figure)
    if per_feature:
        _dots(figure, np.repeat(x, n_features), D.ravel())
    at, mean_ratio = _dimensions_per_feature(W, x)
    figure.add_scatter(
        x=plain(at), y=plain(mean_ratio), mode="lines+markers", name="D* = m/‖W‖²<sub>F</sub>",
        line={"color": theme.CATEGORICAL[1], "width": 2, "dash": "dash"},
        marker={"symbol": "square-open", "size": 8, "line": {"width": 2}},
    )  # fmt: skip
    _axes(figure, x, highest=float(max(mean_ratio, default=0)))
    table = {
        "instance": np.repeat(np.arange(n_instances), n_features),
        "feature": np.tile(np.arange(n_features), n_instances),
        "probability": np.repeat(probability, n_features),
        "inverse_density": np.repeat(x, n_features),
        "dimensionality": D.ravel(),
    }
    return finish(figure, title, "", _words(D, x, at, mean_ratio), table)


def _dots(figure: Figure, x: np.ndarray, D: np.ndarray) -> None:
    figure.add_scatter(
        x=plain(x), y=plain(D), mode="markers", name="one feature: D<sub>i</sub>",
        marker={"symbol": "circle", "size": 7, "opacity": 0.45, "color": theme.CATEGORICAL[0]},
        hovertemplate="1/(1−S) = %{x:.3g}<br>D = %{y:.3f}<extra></extra>",
    )  # fmt: skip


def _axes(figure: Figure, x: np.ndarray, highest: float) -> None:
    low, high = float(x.min()) * 0.9, float(x.max()) * 1.1
    figure.update_xaxes(
        title_text="1/(1 − S), more sparse → (dimensionless, log scale)", type="log",
        range=[float(np.log10(low)), float(np.log10(high))], **log_ticks(low, high),
    )  # fmt: skip
    figure.update_yaxes(
        title_text="dimensionality D (dimensions per feature)", showgrid=False,
        range=[-0.03, float(np.clip(1.04 * highest, 1.06, 1.6))],
        tickvals=[0, 0.25, 0.5, 0.75, 1, 1.25, 1.5],
    )  # fmt: skip
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": -62 / 480, "yanchor": "top"})


def _plateau_lines(figure: Figure) -> None:
    """Dotted lines with their names on the right; 2/5 and 3/8 move apart to stay readable."""
    shift = {"2/5": 6, "3/8": -6}
    for plateau in PLATEAUS:
        figure.add_shape(
            type="line", xref="x domain", x0=0, x1=1, y0=plain(plateau.value),
            y1=plain(plateau.value), layer="below",
            line={"color": "#8a93a3", "width": 1.2, "dash": "dot"},
        )  # fmt: skip
        figure.add_annotation(
            text=f"{plateau.fraction}  {plateau.geometry}", x=1, xref="paper", xanchor="left",
            xshift=8, y=plain(plateau.value), yref="y", yanchor="middle",
            yshift=shift.get(plateau.fraction, 0), showarrow=False,
            font={"size": theme.TICK_SIZE, "color": theme.INK},
        )  # fmt: skip


def _dimensions_per_feature(W: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """D* = m/‖W‖²_F, its mean over the instances at each x. Instances without weights have none."""
    norm_sq = (W**2).sum(axis=(1, 2))
    alive = norm_sq > 1e-6
    ratio = W.shape[1] / norm_sq[alive]
    at = np.unique(x[alive])
    return at, np.array([ratio[x[alive] == value].mean() for value in at])


def _words(D: np.ndarray, x: np.ndarray, at: np.ndarray, ratio: np.ndarray) -> str:
    n_instances, n_features = D.shape
    text = f"Dimensionality of {n_features} features in each of {n_instances} models, over "
    text += f"1/(1 − S) from {number(x.min())} to {number(x.max())}. Share of features "
    text += f"within {_NEAR} of a plateau: "
    shares = [
        f"{100 * np.mean(np.abs(D - p.value) <= _NEAR):.0f} % at {p.fraction} ({p.geometry})"
        for p in PLATEAUS
    ]
    text += f"{listing(shares)}; {100 * np.mean(D <= _NEAR):.0f} % at 0 (not represented)."
    if len(at):
        text += f" The mean dimensions per feature, D*, go from {number(ratio[0])} at "
        text += f"1/(1 − S) = {number(at[0])} to {number(ratio[-1])} at {number(at[-1])}."
    return text
