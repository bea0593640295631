"""Attention patterns of one prompt: a cell for every query and key, which says its two tokens and its weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from mi_tutor.show.drawing.figure import Figure, go
from mi_tutor.show.drawing.inputs import array, plain, same_length
from mi_tutor.show.drawing.marks import color_axis
from mi_tutor.show.drawing.panels import Margins, finish, panels, place
from mi_tutor.show.drawing.words import listing, number

LONGEST = 40  # tokens: more would be narrower than a mouse can point at


def attention_patterns(
    pattern: Float[Tensor, "[head] query key"] | ArrayLike,
    tokens: Sequence[str],
    *,
    titles: Sequence[str] | None = None,
    unit: str = "token",
    title: str = "Where heads look",
    subtitle: str = "A row per query, the token that looks; a column per key. Point at a cell for its two tokens.",
) -> Figure:
    """Small multiples of attention patterns on one prompt; pointing at a cell tells the two tokens and the weight.

    Args:
        pattern: [query key], or [head query key] for up to eight heads.
        tokens: the prompt's tokens as text, one per position.
        titles: a name per head (default: head 0, head 1, ...).
        unit: what a label names, where it is no token (a position).
        title: what it shows.
        subtitle: a second, smaller line.

    Raises:
        ValueError: if shapes or numbers of labels do not fit, the prompt is too long to be seen, or a weight is
            not between 0 and 1.

    >>> figure = attention_patterns([[1.0, 0.0], [0.9, 0.1]], ["a", "b"])
    >>> figure.data_table()["weight"]
    array([1. , 0. , 0.9, 0.1])
    """
    weights = array("pattern", pattern, "[head] query key")
    n_heads, _, n_key = weights.shape
    _check(weights)
    same_length("tokens", tokens, "positions of the pattern", n_key)
    names = list(titles) if titles is not None else [f"head {i}" for i in range(n_heads)]
    same_length("titles", names, "heads of the pattern", n_heads)
    columns = {1: 1, 2: 2, 3: 3, 4: 2}.get(n_heads, 4)
    side = {1: 400, 2: 250, 3: 170}.get(columns, 122)
    labels = [token.strip() or repr(token) for token in tokens]
    room = 16 + min(int(7 * max(map(len, labels))), 90)
    figure = panels(
        n_heads, columns, (side, side), names,
        gap=(24, 30), margins=Margins(left=34 + room, right=110, bottom=44 + room),
    )  # fmt: skip
    for head in range(n_heads):
        figure.add_trace(_cells(weights[head], labels), **place(figure, head))
    _axes(figure, labels, side, n_heads, columns, unit)
    figure.update_layout(coloraxis=color_axis(weights, "weight") | {"cmax": 1.0})
    head, query, key = (index.ravel() for index in np.indices(weights.shape))
    table = {
        "head": np.array(names)[head],
        "query": query,
        "key": key,
        f"query {unit}": np.array(labels)[query],
        f"key {unit}": np.array(labels)[key],
        "weight": weights.ravel(),
    }
    return finish(figure, title, subtitle, _words(weights, labels, names, unit), table)


def _check(weights: np.ndarray) -> None:
    n_heads, n_query, n_key = weights.shape
    if n_query != n_key or n_key > LONGEST or n_heads > 8:
        raise ValueError(
            f"Patterns should be square, of at most {LONGEST} tokens, for at most 8 heads; saw "
            f"{weights.shape} (head, query, key). Show fewer heads, or a shorter prompt."
        )
    if weights.min() < 0 or weights.max() > 1 + 1e-4:
        raise ValueError(
            "Attention weights lie between 0 and 1; saw "
            f"{number(weights.min())} to {number(weights.max())}. Are these scores, before the softmax?"
        )


def _cells(weights: np.ndarray, labels: list[str]) -> Any:
    pairs = [
        [f"“{q}” ({i}) looks at “{k}” ({j})" for j, k in enumerate(labels)]
        for i, q in enumerate(labels)
    ]
    return go.Heatmap(
        z=plain(weights), customdata=pairs, coloraxis="coloraxis",
        hovertemplate="%{customdata}: %{z:.2f}<extra></extra>",
    )  # fmt: skip


def _axes(
    figure: Figure, labels: list[str], side: int, n_heads: int, columns: int, unit: str
) -> None:
    """Labels at both axes, as many as fit; panels inside the grid leave theirs to the outer ones."""
    step = max(1, -(-len(labels) * 15 // side))
    shown = list(range(0, len(labels), step))
    tokens = {"tickmode": "array", "tickvals": shown, "ticktext": [labels[i] for i in shown]}
    small = {"tickfont": {"size": 11}, "showgrid": False}
    for panel in range(n_heads):
        at = place(figure, panel)
        bottom, left = panel + columns >= n_heads, panel % columns == 0
        figure.update_xaxes(**tokens, **small, tickangle=-90, showticklabels=bottom, **at)
        figure.update_yaxes(**tokens, **small, autorange="reversed", showticklabels=left, **at)
        if bottom:
            figure.update_xaxes(title_text=f"key ({unit})", **at)
        if left:
            figure.update_yaxes(title_text=f"query ({unit})", **at)


def _words(weights: np.ndarray, labels: list[str], names: list[str], unit: str) -> str:
    n_heads, n_query, _ = weights.shape
    text = f"Attention patterns of {n_heads} head{'s' * (n_heads > 1)} on {n_query} {unit}s. "
    for name, pattern in zip(names, weights, strict=True):
        best = pattern.argmax(axis=1)
        strong = [q for q in range(1, n_query) if pattern[q, best[q]] >= 0.5]
        pairs = [f"{labels[q]} ({q}) at {labels[best[q]]} ({best[q]})" for q in strong]
        text += f"{name}: {len(strong)} of {n_query - 1} queries give one key half or more"
        text += f": {listing(pairs, limit=6)}. " if pairs else ". "
    return text.strip()
