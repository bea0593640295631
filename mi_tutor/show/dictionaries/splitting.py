"""How one latent becomes several as a dictionary grows, and what others have absorbed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mi_tutor.lab.dictionaries import Absorption, Split
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, plain
from mi_tutor.show.drawing.panels import Margins, finish, panels, place
from mi_tutor.show.drawing.words import number


def splitting_figure(
    splits: Split | Mapping[Any, Split],
    *,
    concept: str = "",
    absorption: Mapping[Any, Absorption] | None = None,
    title: str = "",
) -> Figure:
    """F1 of "at least one of these latents is on", latent after latent, one curve per dictionary.

    A curve that starts high and has one point: one latent says it all. A curve that climbs over several points:
    the concept is split, and only together are the latents complete. Each point has its latent's number.

    Args:
        splits: dictionary (its number of latents, or any name) -> `feature_splitting` of it. A single Split is
            drawn alone.
        concept: its name, for the title.
        absorption: for the same dictionaries, or some of them; drawn beside it as shares of the concept's tokens:
            where no main latent is on, and the part of these where another latent carries the concept.
        title: in place of the usual one.

    Raises:
        ValueError: if there is nothing to draw, or `absorption` has a dictionary that `splits` does not have.

    >>> figure = splitting_figure({256: Split([7], [0.9]), 1024: Split([3, 5], [0.6, 0.95])}, concept="Texas")
    >>> print(figure.alt)
    256 latents: 1 latent, F1 0.9 (7). 1024 latents: 2 latents, F1 from 0.6 to 0.95 (3, 5).
    """
    if isinstance(splits, Split):
        splits = {"dictionary": splits}
    if not splits or not all(split.latents for split in splits.values()):
        raise ValueError(
            "splitting_figure needs splits with at least one latent: {1024: Split(...)}."
        )
    unknown = set(absorption or ()) - set(splits)
    if unknown:
        raise ValueError(
            f"absorption has {sorted(unknown, key=str)}, but splits only {list(splits)}."
        )
    names = {key: f"{key} latents" if isinstance(key, int) else str(key) for key in splits}
    widths = [310, 170] if absorption else [430]
    figure = panels(
        len(widths), len(widths), (0, 300), widths=widths, gap=(80, 0),
        titles=["F1 together", "tokens it is silent on"] if absorption else (),
        margins=Margins(left=76, right=170 if absorption else 190, bottom=64),
    )  # fmt: skip
    for index, (key, split) in enumerate(splits.items()):
        _curve(figure, index, names[key], split)
    most = max(len(split.latents) for split in splits.values())
    figure.update_xaxes(
        title_text="latents taken together", range=[0.6, most + 0.6], dtick=1, **place(figure, 0)
    )
    figure.update_yaxes(title_text="F1 (0 to 1)", range=[0, 1.08], **place(figure, 0))
    if absorption:
        _silences(figure, {names[key]: found for key, found in absorption.items()})
    legend = {"x": 1.02, "y": 1, "yanchor": "top"}
    figure.update_layout(showlegend=True, legend=legend, barmode="overlay")
    alt = " ".join(_words(names[key], split) for key, split in splits.items())
    if absorption:
        alt += " " + " ".join(_silence_words(names[k], found) for k, found in absorption.items())
    title = title or f"Is {concept or 'the concept'} one latent, or several?"
    return finish(figure, title, "", alt, _table(names, splits))


def _curve(figure: Figure, index: int, name: str, split: Split) -> None:
    color, symbol, dash = theme.series_style(index)
    figure.add_scatter(
        x=list(range(1, len(split.latents) + 1)), y=plain(array("f1", split.f1, "latent")), name=name,
        mode="lines+markers+text", text=[str(latent) for latent in split.latents],
        textposition=[f"{'bottom' if value > 0.2 else 'top'} right" for value in split.f1],
        textfont={"size": 11, "color": color},
        line={"color": color, "dash": dash, "width": 2.5}, marker={"symbol": symbol, "size": 10},
        hovertemplate="with latent %{text}: F1 %{y:.3f}", **place(figure, 0),
    )  # fmt: skip


def _silences(figure: Figure, found: Mapping[str, Absorption]) -> None:
    """Two bars over each other: all tokens without a main latent, and the absorbed part of them."""
    x = [name.replace(" latents", "") for name in found]
    for name, shares, color, pattern in (
        ("no main latent on", [each.missed for each in found.values()], "#c4cad4", ""),
        ("… absorbed", [each.rate for each in found.values()], theme.CATEGORICAL[5], "/"),
    ):
        figure.add_bar(
            x=x, y=plain(array(name, shares, "dictionary")), name=name, width=0.6,
            marker={"color": color, "line": {"color": theme.INK, "width": 1},
                    "pattern": {"shape": pattern, "fgcolor": theme.PAPER, "fillmode": "overlay"}},
            hovertemplate="%{x}: %{y:.3f}", **place(figure, 1),
        )  # fmt: skip
    highest = max(max(each.missed, each.rate) for each in found.values())
    at = place(figure, 1)
    figure.update_yaxes(title_text="share of the concept's tokens", **at)
    figure.update_yaxes(range=[0, float(max(0.1, 1.1 * highest))], **at)
    figure.update_xaxes(title_text="dictionary", type="category", **at)


def _words(name: str, split: Split) -> str:
    n = len(split.latents)
    steps = f"F1 {number(split.f1[0], 2)}"
    if n > 1:
        steps = f"F1 from {number(split.f1[0], 2)} to {number(split.f1[-1], 2)}"
    numbers = ", ".join(map(str, split.latents))
    return f"{name}: {n} latent{'s' if n > 1 else ''}, {steps} ({numbers})."


def _silence_words(name: str, found: Absorption) -> str:
    return (
        f"{name}: no main latent on {number(found.missed, 2)} of the concept's tokens, absorbed on "
        f"{number(found.rate, 2)}."
    )


def _table(names: Mapping[Any, str], splits: Mapping[Any, Split]) -> dict[str, Any]:
    rows = [
        (names[key], place, latent, f1)
        for key, split in splits.items()
        for place, (latent, f1) in enumerate(zip(split.latents, split.f1, strict=True), start=1)
    ]
    columns = zip(*rows, strict=True)
    names_of = ("dictionary", "taken", "latent", "f1")
    return {name: np.array(column) for name, column in zip(names_of, columns, strict=True)}
