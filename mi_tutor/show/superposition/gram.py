"""Wᵀ W as a heat map: which features overlap, and with which sign."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from mi_tutor.lab.superposition import gram
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, same_length
from mi_tutor.show.drawing.marks import cells, color_axis, ticks
from mi_tutor.show.drawing.panels import Margins, finish, panels, place
from mi_tutor.show.drawing.words import listing, number, span

_SIDES = {1: (1, 420), 2: (2, 290), 3: (3, 190), 4: (4, 140)}


def gram_heatmap(
    W: Float[Tensor, "*instance hidden feature"] | ArrayLike | None = None,
    b: Float[Tensor, "*instance feature"] | ArrayLike | None = None,
    *,
    G: Float[Tensor, "*instance feature feature"] | ArrayLike | None = None,
    titles: Sequence[str] | None = None,
    title: str = "Which features overlap: Wᵀ W",
) -> Figure:
    """G = Wᵀ W: cell (i, j) is W_i · W_j, the diagonal is |W_i|². One panel per instance.

    Blue is positive, orange negative, white zero. Cells that are large enough show their number,
    smaller negative ones a minus sign. All panels share one scale.

    Args:
        W: [instance hidden feature] or [hidden feature].
        b: biases [instance feature] or [feature], drawn as a separate column on the right.
        G: the matrix itself, [instance feature feature] or [feature feature], in place of W.
        titles: one per instance.
        title: of the whole figure.

    Raises:
        ValueError: if not exactly one of W and G is given, a shape does not fit, or a value is NaN.

    >>> figure = gram_heatmap([[1.0, -1.0]])
    >>> figure.data_table()["overlap"]
    array([ 1., -1., -1.,  1.])
    """
    G = _one_matrix_each(W, G)
    n_instances, n_features, _ = G.shape
    b = None if b is None else _biases(b, n_instances, n_features)
    if titles is not None:
        same_length("titles", titles, "instances", n_instances)
    columns, side = _SIDES[min(n_instances, 4)]
    n_columns = n_features + (1.4 if b is not None else 0)
    cell = side / n_columns
    figure = panels(
        n_instances, columns, (side, round(cell * n_features)), titles or (), gap=(22, 20),
        margins=Margins(left=64, right=120, bottom=62),
    )  # fmt: skip
    for instance in range(n_instances):
        at = place(figure, instance)
        figure.add_trace(cells(G[instance], cell, name="overlap"), **at)
        if b is not None:
            column = cells(b[instance][:, None], cell, name="bias", x=[n_features + 0.4], dx=1)
            figure.add_trace(column, **at)
    every = np.concatenate([G.ravel(), [] if b is None else b.ravel()])
    bar = "overlap (dimensionless)" if b is None else "overlap, bias (dimensionless)"
    # A Gram matrix without negative cells still belongs on the scale that is white at zero.
    figure.update_layout(coloraxis=color_axis(np.append(every, -1e-12), bar))
    _axes(figure, n_instances, columns, n_features, cell, b is not None)
    index = np.indices(G.shape)
    table = {
        "instance": index[0].ravel(),
        "feature_i": index[1].ravel(),
        "feature_j": index[2].ravel(),
        "overlap": G.ravel(),
    }
    return finish(figure, title, "", _words(G, b, titles), table)


def _one_matrix_each(W: Any, G: Any) -> np.ndarray:
    if (W is None) == (G is None):
        raise ValueError(
            "gram_heatmap needs either the weights W or the matrix G: gram_heatmap(W) or "
            "gram_heatmap(G=G)."
        )
    if W is not None:
        return gram(torch.as_tensor(array("W", W, "[instance] hidden feature"))).numpy()
    G = array("G", G, "[instance] feature feature")
    if G.shape[1] != G.shape[2]:
        raise ValueError(f"G should be square; saw shape {G.shape}. Weights go in as W.")
    return G


def _biases(b: Any, n_instances: int, n_features: int) -> np.ndarray:
    b = array("b", b, "[instance] feature")
    if b.shape != (n_instances, n_features):
        raise ValueError(
            f"b should have one bias for each of {n_instances} instances × {n_features} features; "
            f"saw shape {b.shape}."
        )
    return b


def _axes(
    figure: Figure, n_instances: int, columns: int, n_features: int, cell: float, bias: bool
) -> None:
    marks = ticks([str(i) for i in range(n_features)], cell * n_features)
    figure.update_yaxes(
        autorange=False, range=[n_features - 0.5, -0.5], showgrid=False, showline=False, **marks
    )
    right = n_features + (0.9 if bias else -0.5)
    if bias:
        marks["tickvals"] = [*marks["tickvals"], n_features + 0.4]
        marks["ticktext"] = [*marks["ticktext"], "b"]
    figure.update_xaxes(range=[-0.5, right], showgrid=False, showline=False, **marks)
    for panel in range(n_instances):
        at = place(figure, panel)
        lowest, leftmost = panel + columns >= n_instances, panel % columns == 0
        figure.update_xaxes(title_text="feature j" if lowest else None, **at)
        figure.update_xaxes(showticklabels=lowest, **at)
        figure.update_yaxes(title_text="feature i" if leftmost else None, **at)
        figure.update_yaxes(showticklabels=leftmost, **at)


def _words(G: np.ndarray, b: np.ndarray | None, titles: Sequence[str] | None) -> str:
    n_instances, n_features, _ = G.shape
    text = f"Heat map of the overlaps of {n_features} features"
    text += "." if n_instances == 1 else f", one panel for each of {n_instances} models."
    for instance in range(min(n_instances, 12)):
        panel = "" if n_instances == 1 else f" “{titles[instance] if titles else instance}”:"
        diagonal = np.diagonal(G[instance])
        text += f"{panel} Squared lengths on the diagonal are {span(diagonal)}"
        rest = G[instance] - np.diag(diagonal)
        pairs = [(rest[i, j], i, j) for i in range(n_features) for j in range(i + 1, n_features)]
        strong = sorted((p for p in pairs if abs(p[0]) >= 0.1), key=lambda p: -abs(p[0]))
        named = [f"{i} with {j} ({number(value, 2)})" for value, i, j in strong]
        text += f"; overlaps of at least 0.1: {listing(named, limit=6)}"
        if b is not None:
            text += f"; biases {span(b[instance])}"
        text += "."
    return text
