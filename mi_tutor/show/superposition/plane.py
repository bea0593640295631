"""Features as vectors in the plane (Elhage et al. 2022's picture of superposition)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, plain, same_length
from mi_tutor.show.drawing.panels import Margins, finish, panels, place
from mi_tutor.show.drawing.words import listing, number, span
from mi_tutor.show.superposition.labels import arrow_labels
from mi_tutor.show.superposition.shapes import directions, lengths, plane_shape

NEAR_ZERO = 0.1  # shorter than this, an arrow and its label would sit on top of the origin
_SIDES = {1: (1, 420), 2: (2, 330), 3: (3, 230), 4: (4, 168)}  # panels -> (columns, pixels)


def features_in_plane(
    W: Float[Tensor, "*instance 2 feature"] | ArrayLike,
    importance: Float[Tensor, "feature"] | ArrayLike | None = None,
    titles: Sequence[str] | None = None,
    *,
    title: str = "Features as directions in the hidden plane",
) -> Figure:
    """Each feature's column W[:, i] as an arrow from the origin, one panel per instance.

    The dotted circle has radius 1. An arrow's number is its feature; features shorter than 0.1 are
    listed above the panel. With `importance` the arrows are coloured (darker is more important) and
    the legend says each feature's importance in numbers.

    Args:
        W: [instance hidden=2 feature] or [hidden=2 feature].
        importance: [feature].
        titles: one per instance, such as "1 − S = 0.1".
        title: of the whole figure.

    Raises:
        ValueError: if a shape does not fit, or a value is NaN.

    >>> figure = features_in_plane([[1.0, -1.0, 0.0], [0.0, 0.0, 0.02]])
    >>> print(figure.alt)
    Arrows for 3 features in the plane of 2 hidden dimensions. An antipodal pair: features 0 and 1 \
have length 1, at angles 0° and 180°; near zero: 2.
    """
    W = array("W", W, "[instance] hidden=2 feature")
    n_instances, _, n_features = W.shape
    if importance is not None:
        importance = array("importance", importance, "feature")
        same_length("importance", importance, "features of W", n_features)
    if titles is not None:
        same_length("titles", titles, "instances of W", n_instances)
    columns, side = _SIDES[min(n_instances, 4)]
    beside = 150 if importance is not None and n_instances == 1 else 24
    below = 36 if importance is not None and n_instances > 1 else 0
    figure = panels(
        n_instances, columns, (side, side), _panel_titles(W, titles), gap=(16, 50),
        margins=Margins(left=66, right=beside, top=22, bottom=62 + below),
    )  # fmt: skip
    # All that is longer than 1 still has 24 pixels left for its number.
    pixels_per_unit = (side / 2 - 24) / max(1.0, float(lengths(W).max()))
    colors = _colors(importance, n_features)
    for instance in range(n_instances):
        _draw(figure, W[instance], instance, colors, pixels_per_unit)
    _axes(figure, side / 2 / pixels_per_unit, side, n_instances, columns)
    if importance is not None:
        _importance_legend(figure, importance, colors, beside=n_instances == 1)
    figure.update_layout(showlegend=importance is not None)
    table = {
        "instance": np.repeat(np.arange(n_instances), n_features),
        "feature": np.tile(np.arange(n_features), n_instances),
        "x": W[:, 0].ravel(),
        "y": W[:, 1].ravel(),
        "length": lengths(W).ravel(),
    }
    if importance is not None:
        table["importance"] = np.tile(importance, n_instances)
    return finish(figure, title, "", _words(W, importance, titles), table)


def _draw(
    figure: Figure, W: np.ndarray, panel: int, colors: list[str], pixels_per_unit: float
) -> None:
    """The unit circle, an arrow per feature, and the features' numbers beyond the tips."""
    at = place(figure, panel)
    circle = {"color": "#9aa3b2", "dash": "dot", "width": 1.2}
    figure.add_shape(type="circle", x0=-1, x1=1, y0=-1, y1=1, line=circle, layer="below", **at)
    long = lengths(W) >= NEAR_ZERO
    for i in range(W.shape[1]):
        figure.add_scatter(
            x=[0, plain(W[0, i])], y=[0, plain(W[1, i])], mode="lines+markers", name=f"feature {i}",
            line={"color": colors[i], "width": 2.5},
            marker={"symbol": "arrow", "angleref": "previous", "size": [0, 12 if long[i] else 5],
                    "color": colors[i], "opacity": 1, "line": {"width": 0}},
            hovertemplate=f"feature {i}<br>(%{{x:.2f}}, %{{y:.2f}})<extra></extra>",
            showlegend=False, **at,
        )  # fmt: skip
    for x, y, text in arrow_labels(W, NEAR_ZERO, pixels_per_unit):
        figure.add_scatter(
            x=[plain(x)], y=[plain(y)], mode="text", text=[text], name="feature number",
            textfont={"size": theme.TEXT_SIZE, "color": theme.INK}, hoverinfo="skip",
            showlegend=False, **at,
        )  # fmt: skip


def _panel_titles(W: np.ndarray, titles: Sequence[str] | None) -> list[str]:
    """Each panel's title and, on a second line, the features that are too short to be seen."""
    if titles is None:
        titles = [""] if len(W) == 1 else [f"instance {i}" for i in range(len(W))]
    if titles == [""] and not (lengths(W) < NEAR_ZERO).any():
        return []
    short = [np.flatnonzero(lengths(model) < NEAR_ZERO) for model in W]
    small = f'<span style="font-size:{theme.TICK_SIZE}px;font-weight:normal;color:{theme.MUTED}">'
    return [
        f"{title}<br>{small}{f'near 0: {listing(who, limit=4)}' if len(who) else ' '}</span>"
        for title, who in zip(titles, short, strict=True)
    ]


def _axes(figure: Figure, reach: float, side: int, n_instances: int, columns: int) -> None:
    marks = {"tickvals": [-1, 0, 1], "ticktext": ["−1", "0", "1"], "range": [-reach, reach]}
    figure.update_xaxes(**marks, showgrid=False, zeroline=True, zerolinecolor=theme.GRID)
    figure.update_yaxes(**marks, showgrid=False, zeroline=True, zerolinecolor=theme.GRID)
    unit = "hidden dim. {} (dimensionless)" if side >= 230 else "hidden dim. {}"
    for panel in range(n_instances):
        at = place(figure, panel)
        lowest = panel + columns >= n_instances
        figure.update_xaxes(title_text=unit.format(1) if lowest else None, **at)
        figure.update_xaxes(showticklabels=lowest, **at)
        leftmost = panel % columns == 0
        figure.update_yaxes(title_text=unit.format(2) if leftmost else None, **at)
        figure.update_yaxes(showticklabels=leftmost, **at)


def _colors(importance: np.ndarray | None, n_features: int) -> list[str]:
    if importance is None:
        return [theme.CATEGORICAL[0]] * n_features
    low, high = importance.min(), importance.max()
    share = np.ones(n_features) if high == low else (importance - low) / (high - low)
    return [theme.color_at(theme.IMPORTANCE, float(s)) for s in share]


def _rounded(importance: np.ndarray) -> list[float]:
    return [float(f"{value:.3g}") for value in importance]


def _importance_legend(
    figure: Figure, importance: np.ndarray, colors: list[str], beside: bool
) -> None:
    """One entry per distinct importance: its colour, its features and the number itself."""
    rounded = _rounded(importance)
    values = sorted(set(rounded), reverse=True)
    for value in values[:14]:
        who = [i for i, v in enumerate(rounded) if v == value]
        figure.add_scatter(
            x=[None], y=[None], mode="lines+markers", name=f"{listing(who, limit=4)}: {value:.3g}",
            line={"color": colors[who[0]], "width": 3},
            marker={"symbol": "arrow-right", "size": 11, "color": colors[who[0]]},
        )  # fmt: skip
    if len(values) > 14:
        figure.add_scatter(
            x=[None], y=[None], mode="markers", marker_opacity=0, name=f"… down to {values[-1]:.3g}"
        )
    legend = {"x": 1, "xanchor": "left", "y": 1, "title_text": "feature: importance"}
    if not beside:
        inner = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
        legend |= {"x": 0, "orientation": "h", "y": -56 / inner, "yanchor": "top"}
        legend["title_text"] += "  "
    figure.update_layout(legend=legend, legend_title_font_size=theme.TICK_SIZE)


def _words(W: np.ndarray, importance: np.ndarray | None, titles: Sequence[str] | None) -> str:
    n_instances, _, n_features = W.shape
    text = f"Arrows for {n_features} features in the plane of 2 hidden dimensions"
    text += "." if n_instances == 1 else f", one panel for each of {n_instances} models."
    for instance in range(min(n_instances, 12)):
        model, long = W[instance], lengths(W[instance]) >= NEAR_ZERO
        panel = "" if n_instances == 1 else f"“{titles[instance] if titles else instance}”: "
        angles = [f"{round(angle) % 360}°" for angle in directions(model)[long]]
        shape = plane_shape(model)
        text += f" {panel}{shape}" if panel else f" {shape[0].upper()}{shape[1:]}"
        if long.any():
            size = span(lengths(model)[long])
            who = listing(np.flatnonzero(long))
            text += f": features {who} have length {size}, at angles {listing(angles)}"
        if not long.all():
            text += f"; near zero: {listing(np.flatnonzero(~long))}"
        text += "."
    if n_instances > 12:
        text += f" The other {n_instances - 12} panels are in data_table()."
    if importance is not None:
        text += f" Importance of features 0 to {n_features - 1}: "
        text += f"{listing(number(value) for value in importance)}."
    return text
