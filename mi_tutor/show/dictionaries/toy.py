"""A toy whose features are known: which latent is which feature?"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from mi_tutor.lab.dictionaries import match_features, unit_decoder
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, plain
from mi_tutor.show.drawing.marks import cells, color_axis, ticks
from mi_tutor.show.drawing.panels import Margins, finish, panels
from mi_tutor.show.drawing.words import listing, number


def feature_match_figure(
    W_dec: Float[Tensor, "latent d"] | ArrayLike,
    features: Float[Tensor, "feature d"] | ArrayLike,
    *,
    found: float = 0.95,
    title: str = "Which latent is which feature?",
) -> Figure:
    """The cosine of every latent with every known feature. The best latent of each feature is marked.

    Latents are sorted so that a dictionary that found everything shows a diagonal; latents that no feature chose
    come last. The sign is kept, as in `match_features`: a latent that points the opposite way is no match.

    Args:
        W_dec: the decoder.
        features: the true directions.
        found: from this cosine on a feature counts as found.
        title: what it shows.

    Raises:
        ValueError: if the two do not have the same number of dimensions.

    >>> figure = feature_match_figure([[0.0, 2.0], [3.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]])
    >>> print(figure.alt)
    Heat map of the cosines of 2 latents with 2 features. 2 of 2 features have a latent with a cosine of at least \
0.95; the mean of the best cosines is 1, the lowest 1 (feature 0, latent 1).
    """
    W, true = _pair(W_dec, features)
    match = match_features(W, true)
    latents, best = match.latent.tolist(), match.cosine.numpy()
    chosen = list(dict.fromkeys(latents))
    order = chosen + sorted(set(range(len(W))) - set(chosen))
    cosine = (unit_decoder(W) @ unit_decoder(true).mT).numpy()
    rows, columns = cosine.shape
    cell = float(np.clip(min(520 / columns, 470 / rows), 3, 46))
    size = (round(max(cell * columns, 150)), round(max(cell * rows, 90)))
    figure = panels(1, 1, size, margins=Margins(right=210, bottom=64))
    trace = cells(cosine[order], cell, showlegend=False)
    trace.customdata = [[latent] * columns for latent in order]
    trace.hovertemplate = "latent %{customdata}, feature %{x}: %{z:.3g}<extra></extra>"
    figure.add_trace(trace)
    # Signed in any case: white is zero, also where no cosine happens to be negative.
    scale = color_axis(np.append(cosine, -1e-12)[None], "cosine") | {"cmin": -1.0, "cmax": 1.0}
    scale["colorbar"] |= {"len": 0.6, "yanchor": "bottom", "y": 0}
    figure.update_layout(coloraxis=scale)
    _mark_best(figure, np.array([order.index(latent) for latent in latents]), best, found, cell)
    figure.update_xaxes(
        title_text="feature", range=[-0.5, columns - 0.5], showgrid=False,
        **_all_ticks(range(columns), size[0]),
    )  # fmt: skip
    figure.update_yaxes(
        title_text="latent (sorted to match)", range=[rows - 0.5, -0.5], showgrid=False,
        **_all_ticks(order, size[1]),
    )  # fmt: skip
    figure.update_layout(legend={"x": 1.02, "y": 1, "yanchor": "top"}, showlegend=True)
    index = np.indices(cosine.shape)
    table = {
        "latent": np.array(order)[index[0].ravel()],
        "feature": index[1].ravel(),
        "cosine": cosine[order].ravel(),
    }
    return finish(figure, title, "", _match_words(cosine, best, latents, found), table)


def _mark_best(figure: Figure, rows: ArrayLike, best: ArrayLike, found: float, cell: float) -> None:
    """A mark on the row of each feature's best latent: one for those found, another for the rest."""
    aside = 0.34 if cell >= 28 else 0.0  # in the corner of a cell that has a number
    for name, symbol, mine in (
        (f"best, ≥ {found:g}", "circle", best >= found),
        (f"best, < {found:g}", "x", best < found),
    ):
        at = np.flatnonzero(mine)
        figure.add_scatter(
            x=plain(at + aside), y=plain(rows[at] - aside), name=name, mode="markers",
            hoverinfo="skip", marker=_mark(symbol, cell),
        )  # fmt: skip


def _mark(symbol: str, cell: float) -> dict[str, Any]:
    """Dark and white, so that it can be seen on every colour of the scale."""
    inside, edge = (theme.PAPER, theme.INK) if symbol == "circle" else (theme.INK, theme.PAPER)
    return {
        "symbol": symbol,
        "color": inside,
        "size": 9 if cell >= 28 else float(np.clip(0.8 * cell, 5, 20)),
        "line": {"color": edge, "width": 1.2},
    }


def _all_ticks(names: Any, pixels: float) -> dict[str, Any]:
    return ticks([str(name) for name in names], pixels)


def _match_words(cosine: np.ndarray, best: np.ndarray, latents: list[int], found: float) -> str:
    n_latents, n_features = cosine.shape
    low = int(best.argmin())
    text = (
        f"Heat map of the cosines of {n_latents} latents with {n_features} features. "
        f"{(best >= found).sum()} of {n_features} features have a latent with a cosine of at least {found:g}; "
        f"the mean of the best cosines is {number(float(best.mean()))}, the lowest {number(best[low])} "
        f"(feature {low}, latent {latents[low]})."
    )
    shared = sorted({i for i in latents if latents.count(i) > 1})
    if shared:
        text += f" More than one feature chose latent {listing(shared, limit=6)}."
    return text


def recovered_features_figure(
    W_dec: Float[Tensor, "latent d=2"] | ArrayLike,
    features: Float[Tensor, "feature d=2"] | ArrayLike,
    *,
    title: str = "Features and latents in the plane",
) -> Figure:
    """For a toy in two dimensions: the true directions, and the latents' unit directions on top of them.

    Features are long dashed lines with their numbers, latents short arrows with "L" and theirs.

    >>> figure = recovered_features_figure([[2.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]])
    >>> figure.data_table()["cosine"].tolist()
    [1.0, 0.0]
    """
    W, true = _pair(array("W_dec", W_dec, "latent d=2"), array("features", features, "feature d=2"))
    match = match_features(W, true)
    figure = panels(1, 1, (380, 380), margins=Margins(right=190))
    groups = (
        ("features (true)", unit_decoder(true).numpy(), 1.0, "", 1),
        ("latents (found)", unit_decoder(W).numpy(), 0.72, "L", 0),
    )
    for name, directions, length, letter, style in groups:
        _rays(figure, name, length * directions, letter, style)
    square = {"range": [-1.3, 1.3], "zeroline": True, "zerolinecolor": theme.GRID, "nticks": 5}
    figure.update_xaxes(title_text="dimension 1", **square)
    figure.update_yaxes(title_text="dimension 2", scaleanchor="x", **square)
    figure.update_layout(showlegend=True, legend={"x": 1.02, "y": 1, "yanchor": "top"})
    table = {
        "feature": np.arange(len(true)),
        "latent": match.latent.numpy(),
        "cosine": match.cosine.numpy(),
    }
    parts = [
        f"feature {i} by latent {latent} (cosine {number(cosine, 2)})"
        for i, (latent, cosine) in enumerate(zip(table["latent"], table["cosine"], strict=True))
    ]
    alt = f"{len(true)} features and {len(W)} latents as lines from the origin. "
    alt += f"Nearest: {listing(parts, limit=8)}."
    subtitle = "drawn with lengths 1 and 0.72, so that one does not cover the other"
    return finish(figure, title, subtitle, alt, table)


def _rays(figure: Figure, name: str, tips: np.ndarray, letter: str, style: int) -> None:
    """Lines from the origin to the tips, with a symbol and a name at each."""
    color, symbol, dash = theme.series_style(style)
    xy = np.zeros((len(tips), 3, 2))
    xy[:, 1], xy[:, 2] = tips, np.nan  # a gap after each line
    text = [each for i in range(len(tips)) for each in ("", f"{letter}{i}", "")]
    size = [each for _ in tips for each in (0, 9, 0)]
    figure.add_scatter(
        x=plain(xy[..., 0].ravel()), y=plain(xy[..., 1].ravel()), text=text, name=name,
        mode="lines+markers+text", textposition=_beside(xy.reshape(-1, 2), letter), hoverinfo="skip",
        line={"color": color, "dash": dash, "width": 2.5},
        marker={"symbol": symbol, "size": size, "color": color},
        textfont={"color": color, "size": theme.TICK_SIZE},
    )  # fmt: skip


def _beside(points: np.ndarray, letter: str) -> list[str]:
    """Where names stand: beyond a feature's tip, but beside a latent's, where a feature's line may go on."""
    sides = []
    for point in np.nan_to_num(points):
        x, y = (-point[1], point[0]) if letter else point
        vertical = "top" if y > 0.3 else "bottom" if y < -0.3 else "middle"
        horizontal = "right" if x > 0.3 else "left" if x < -0.3 else "center"
        sides.append(f"{vertical} {horizontal}")
    return sides


def _pair(W_dec: Any, features: Any) -> tuple[Tensor, Tensor]:
    W, true = array("W_dec", W_dec, "latent d"), array("features", features, "feature d")
    if W.shape[1] != true.shape[1]:
        raise ValueError(
            f"Latents and features should have the same number of dimensions; saw W_dec {W.shape} and "
            f"features {true.shape}. Is one of them transposed?"
        )
    return torch.as_tensor(W), torch.as_tensor(true)
