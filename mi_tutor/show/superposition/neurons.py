"""Weights of models with neurons: who answers to which feature."""

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from mi_tutor.lab.superposition import features_per_neuron
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array
from mi_tutor.show.drawing.marks import cells, color_axis, ticks
from mi_tutor.show.drawing.panels import Margins, finish, panels, place
from mi_tutor.show.drawing.words import listing, number


def neurons_and_features(
    W: Float[Tensor, "neuron feature"] | ArrayLike,
    threshold: float = 0.5,
    *,
    title: str = "Which features does each neuron answer to?",
) -> Figure:
    """W as a heat map, and beside each neuron how many features drive it.

    The count is lab's `features_per_neuron`: features whose positive weight exceeds `threshold`
    times the neuron's largest. 1 is monosemantic, 2 or more polysemantic.

    Args:
        W: [neuron feature].
        threshold: share of the neuron's largest weight, in [0, 1).
        title: what it shows.

    Raises:
        ValueError: if W is not a matrix, has a NaN, or the threshold lies outside [0, 1).

    >>> figure = neurons_and_features([[1.0, 0.0], [0.9, 1.0]])
    >>> figure.data_table()["n_features"]
    array([1, 1, 2, 2])
    """
    W = array("W", W, "neuron feature")
    n_neurons, n_features = W.shape
    counts = features_per_neuron(torch.as_tensor(W), threshold).numpy()
    cell = int(np.clip(min(430 / n_features, 440 / n_neurons), 9, 46))
    width, height = max(cell * n_features, 150), max(cell * n_neurons, 80)
    figure = panels(
        2, 2, (width, height), ["weight", "features per neuron"], gap=(28, 0),
        margins=Margins(left=70, right=130, bottom=64), widths=[width, 150],
    )  # fmt: skip
    figure.add_trace(cells(W, min(width / n_features, height / n_neurons)), **place(figure, 0))
    _count_bars(figure, counts)
    figure.update_layout(
        coloraxis=color_axis(np.append(W, -1e-12), "weight (dimensionless)"), bargap=0.25
    )
    names = ticks([str(i) for i in range(n_neurons)], height)
    figure.update_yaxes(range=[n_neurons - 0.5, -0.5], showgrid=False, **names)
    figure.update_yaxes(title_text="neuron", **place(figure, 0))
    figure.update_yaxes(showticklabels=False, **place(figure, 1))
    marks = ticks([str(i) for i in range(n_features)], width)
    figure.update_xaxes(title_text="feature", showgrid=False, **marks, **place(figure, 0))
    figure.update_xaxes(
        title_text="count", range=[0, max(2, counts.max()) * 1.25], nticks=4, **place(figure, 1)
    )
    poly = int((counts >= 2).sum())
    subtitle = f"{poly} of {n_neurons} neurons are polysemantic: two features or more (hatched)."
    table = {
        "neuron": np.repeat(np.arange(n_neurons), n_features),
        "feature": np.tile(np.arange(n_features), n_neurons),
        "weight": W.ravel(),
        "n_features": np.repeat(counts, n_features),
    }
    return finish(figure, title, subtitle, _neuron_words(W, counts, threshold), table)


def absolute_value_weights(
    W_in: Float[Tensor, "neuron feature"] | ArrayLike,
    W_out: Float[Tensor, "feature neuron"] | ArrayLike,
    *,
    title: str = "How the network computes |x|",
) -> Figure:
    """The absolute-value network's weights, into and out of each neuron, on one scale.

    A neuron with one positive input weight computes ReLU(x), one with a negative weight ReLU(−x);
    a row with several strong cells serves several features.

    Args:
        W_in: [neuron feature].
        W_out: [feature neuron]. It is drawn transposed, so that a neuron is a row in both panels.
        title: what it shows.

    Raises:
        ValueError: if the shapes do not belong together, or a value is NaN.

    >>> figure = absolute_value_weights([[1.0], [-1.0]], [[1.0, 1.0]])
    >>> figure.data_table()["w_out"]
    array([1., 1.])
    """
    W_in, W_out = array("W_in", W_in, "neuron feature"), array("W_out", W_out, "feature neuron")
    if W_out.shape != W_in.shape[::-1]:
        raise ValueError(
            f"W_out should be [feature neuron] = {W_in.shape[::-1]}, because W_in is [neuron "
            f"feature] = {W_in.shape}; saw {W_out.shape}."
        )
    n_neurons, n_features = W_in.shape
    cell = float(np.clip(min(270 / n_features, 420 / n_neurons), 8, 46))
    size = (max(round(cell * n_features), 120), max(round(cell * n_neurons), 80))
    figure = panels(
        2, 2, size, ["into the neuron, W_in", "out of it, W_outᵀ"], gap=(40, 0),
        margins=Margins(left=70, right=130, bottom=64),
    )  # fmt: skip
    pixels = min(size[0] / n_features, size[1] / n_neurons)
    figure.add_trace(cells(W_in, pixels, name="W_in"), **place(figure, 0))
    figure.add_trace(cells(W_out.T, pixels, name="W_out"), **place(figure, 1))
    every = np.concatenate([W_in.ravel(), W_out.ravel(), [-1e-12]])
    figure.update_layout(coloraxis=color_axis(every, "weight (dimensionless)"))
    names = ticks([str(i) for i in range(n_neurons)], size[1])
    figure.update_yaxes(range=[n_neurons - 0.5, -0.5], showgrid=False, **names)
    figure.update_yaxes(title_text="neuron", **place(figure, 0))
    figure.update_yaxes(showticklabels=False, **place(figure, 1))
    marks = ticks([str(i) for i in range(n_features)], size[0])
    figure.update_xaxes(title_text="feature", showgrid=False, **marks)
    table = {
        "neuron": np.repeat(np.arange(n_neurons), n_features),
        "feature": np.tile(np.arange(n_features), n_neurons),
        "w_in": W_in.ravel(),
        "w_out": W_out.T.ravel(),
    }
    return finish(figure, title, "", _absolute_words(W_in, W_out), table)


def _count_bars(figure: Figure, counts: np.ndarray) -> None:
    single, several = theme.CATEGORICAL[0], theme.CATEGORICAL[1]
    figure.add_bar(
        x=[int(c) for c in counts], y=list(range(len(counts))), orientation="h",
        marker_color=[several if c >= 2 else single for c in counts],
        marker_pattern_shape=["/" if c >= 2 else "" for c in counts],
        text=[str(int(c)) for c in counts], textposition="outside", cliponaxis=False,
        constraintext="none", textfont_size=theme.TICK_SIZE,
        hovertemplate="neuron %{y}: %{x} features<extra></extra>", showlegend=False,
        **place(figure, 1),
    )  # fmt: skip


def _neuron_words(W: np.ndarray, counts: np.ndarray, threshold: float) -> str:
    n_neurons, n_features = W.shape
    text = f"Heat map of the weights of {n_neurons} neurons on {n_features} features, from "
    text += f"{number(W.min())} to {number(W.max())}. Features above {threshold:.0%} of each "
    text += "neuron's largest weight: "
    rows = []
    for neuron, count in enumerate(counts):
        largest = max(W[neuron].max(), 0)
        who = np.flatnonzero((W[neuron] > threshold * largest) & (W[neuron] > 0))
        rows.append(f"neuron {neuron} has {count} ({listing(who, limit=5)})")
    return f"{text}{listing(rows)}."


def _absolute_words(W_in: np.ndarray, W_out: np.ndarray) -> str:
    n_neurons, n_features = W_in.shape
    text = f"Two heat maps, {n_neurons} neurons by {n_features} features. Strongest input and "
    text += "output of each neuron: "
    rows = []
    for neuron in range(n_neurons):
        i = int(np.abs(W_in[neuron]).argmax())
        j = int(np.abs(W_out[:, neuron]).argmax())
        rows.append(
            f"neuron {neuron} reads feature {i} ({number(W_in[neuron, i], 2)}) and writes feature "
            f"{j} ({number(W_out[j, neuron], 2)})"
        )
    return f"{text}{listing(rows)}."
