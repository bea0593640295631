"""What the superposition explorer shows for one trained model: a picture and a sentence."""

from __future__ import annotations

import numpy as np
import torch

from mi_tutor.lab.superposition import feature_dimensionality
from mi_tutor.show.drawing import svg, theme
from mi_tutor.show.drawing.marks import cell_texts
from mi_tutor.show.drawing.words import listing, number, span
from mi_tutor.show.superposition.labels import arrow_labels
from mi_tutor.show.superposition.shapes import REPRESENTED, lengths, plane_shape

WIDTH, HEIGHT = 820, 348
_TOP, _SIDE = 52, 250  # every panel's upper edge and height
# (name, value, pixels above the bars): neighbours stand on two levels.
_PLATEAUS = (("1", 1.0, 8), ("2/3", 2 / 3, 8), ("1/2", 1 / 2, 20), ("2/5", 2 / 5, 8))


def model_words(W: np.ndarray, probability: float) -> str:
    """One model, W [2 feature], in a sentence.

    >>> model_words(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 0.1]]), probability=0.1)
    '3 features, sparsity 0.9: 2 represented as an antipodal pair, D ≈ 0.5. Not represented: 2.'
    """
    n_features = W.shape[1]
    kept = lengths(W) >= REPRESENTED
    start = f"{n_features} features, sparsity {sparsity_text(probability)}: "
    if not kept.any():
        return f"{start}none of them represented."
    D = _dimensionality(W)[kept]
    low, high = float(D.min()), float(D.max())
    share = f"D ≈ {number(float(D.mean()), 2)}" if high - low < 0.04 else f"D {span(D)}"
    sentence = f"{start}{kept.sum()} represented as {plane_shape(W)}, {share}."
    if kept.all():
        return sentence
    return f"{sentence} Not represented: {listing(np.flatnonzero(~kept))}."


def sparsity_text(probability: float) -> str:
    """S = 1 − p, with the digits that p has.

    >>> sparsity_text(0.1), sparsity_text(0.003), sparsity_text(1.0)
    ('0.9', '0.997', '0')
    """
    return f"{round(1 - probability, 6):.4g}"


def model_drawing(W: np.ndarray, probability: float) -> str:
    """Features in the plane, Wᵀ W, and each feature's dimensionality, side by side, as SVG."""
    return svg.drawing(
        WIDTH, HEIGHT, model_words(W, probability), _plane(W, 46), _gram(W, 336), _bars(W, 636)
    )


def _plane(W: np.ndarray, left: int) -> str:
    cx, cy = left + _SIDE / 2, _TOP + _SIDE / 2
    scale = (_SIDE / 2 - 24) / max(1.0, float(lengths(W).max()))
    parts = [
        _heading(cx, "Features in the plane"),
        svg.line(left, cy, left + _SIDE, cy, theme.GRID),
        svg.line(cx, _TOP, cx, _TOP + _SIDE, theme.GRID),
        svg.tag("circle", cx=cx, cy=cy, r=scale, fill="none", stroke="#9aa3b2",
                stroke_dasharray="2 4", stroke_width=1.3),
        _axis_name(cx, "hidden dimension 1 (circle: radius 1)"),
        _upright(left - 18, "hidden dimension 2"),
    ]  # fmt: skip
    for x, y in W.T:
        parts.append(
            svg.arrow(cx, cy, cx + scale * float(x), cy - scale * float(y), theme.CATEGORICAL[0])
        )
    for x, y, words in arrow_labels(W, 0.1, scale):
        parts.append(svg.text(cx + scale * x, cy - scale * y, words, theme.TEXT_SIZE))
    return "".join(parts)


def _gram(W: np.ndarray, left: int) -> str:
    G = W.T @ W
    n = len(G)
    cell = _SIDE / n
    largest = max(1.0, float(np.abs(G).max()))
    words = cell_texts(G, cell)
    parts = [
        _heading(left + _SIDE / 2, "Overlaps Wᵀ W"),
        _axis_name(left + _SIDE / 2, "feature j (blue +, orange −)"),
        _upright(left - 30, "feature i"),
    ]
    for i in range(n):
        middle = _TOP + (i + 0.5) * cell
        parts.append(svg.text(left - 10, middle, str(i)))
        parts.append(svg.text(left + (i + 0.5) * cell, _TOP + _SIDE + 12, str(i)))
        for j in range(n):
            fill = theme.color_at(theme.DIVERGING, 0.5 + G[i, j] / (2 * largest))
            x = left + j * cell
            parts.append(
                svg.tag("rect", x=x, y=middle - cell / 2, width=cell, height=cell, fill=fill,
                        stroke=theme.GRID)
            )  # fmt: skip
            if words[i][j]:
                size = 13 if cell >= 44 else 11
                at = svg.text(x + cell / 2, middle, words[i][j], size, fill=theme.text_on(fill))
                parts.append(at)
    return "".join(parts)


def _bars(W: np.ndarray, left: int) -> str:
    D = _dimensionality(W)
    width = 134
    row = _SIDE / len(D)
    parts = [
        _heading(left + width / 2, "Dimensionality D"),
        _axis_name(left + width / 2, "dimensions per feature"),
        _upright(left - 30, "feature"),
    ]
    for name, value, above in _PLATEAUS:
        x = left + width * value
        parts.append(svg.line(x, _TOP, x, _TOP + _SIDE, "#8a93a3", stroke_dasharray="2 4"))
        parts.append(svg.text(x, _TOP - above, name, 12, fill=theme.MUTED))
    parts.append(svg.line(left, _TOP, left, _TOP + _SIDE, theme.MUTED))
    for i, value in enumerate(D):
        middle = _TOP + (i + 0.5) * row
        length = width * float(value)
        height = min(0.62 * row, 26)
        parts.append(
            svg.tag("rect", x=left, y=middle - height / 2, width=length, height=height,
                    fill=theme.CATEGORICAL[0])
        )  # fmt: skip
        parts.append(svg.text(left - 10, middle, str(i)))
        # On a white patch, so that the dotted lines do not cross the number.
        parts.append(svg.tag("rect", x=left + length + 4, y=middle - 8, width=30, height=16,
                             fill=theme.PAPER))  # fmt: skip
        parts.append(svg.text(left + length + 19, middle, f"{value:.2f}", 12))
    return "".join(parts)


def _heading(x: float, words: str) -> str:
    return svg.text(x, 16, words, theme.PANEL_SIZE, font_weight="bold")


def _axis_name(x: float, words: str) -> str:
    return svg.text(x, _TOP + _SIDE + 30, words)


def _upright(x: float, words: str) -> str:
    return svg.text(0, 0, words, transform=f"translate({x} {_TOP + _SIDE / 2}) rotate(-90)")


def _dimensionality(W: np.ndarray) -> np.ndarray:
    return feature_dimensionality(torch.as_tensor(W)).numpy()
