"""`norm_histogram`: the latents of crosscoders by relative norm, one panel for each crosscoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, plain
from mi_tutor.show.drawing.panels import Margins, finish, panels, place

N_BINS = 20
ENDS = (0.1, 0.9)  # beyond these a latent counts as one model's alone
ENDS_IN_WORDS = "relative norm<br>(0 base only, 1 tuned only)"


def norm_histogram(shares: Mapping[str, Any], *, title: str, subtitle: str = "") -> Figure:
    """How many latents have which relative norm: 0 the base only, 1/2 both, 1 the tuned model only.

    Args:
        shares: name -> [latent], the relative norms of the latents that are on at all.
        title: what it shows.
        subtitle: a second, smaller line.

    Raises:
        ValueError: if there is nothing to draw, or a share lies outside of 0 to 1.

    >>> norm_histogram({"L1": [0.5, 0.52, 1.0]}, title="T").alt
    'Histogram of relative norms. L1: 3 latents, 0 below 0.1, 2 between 0.4 and 0.6, 1 above 0.9.'
    """
    if not shares:
        raise ValueError("norm_histogram needs at least one crosscoder: {'L1': relative_norms}.")
    edges = np.linspace(0, 1, N_BINS + 1)
    middles, said, table = (edges[1:] + edges[:-1]) / 2, [], {"name": [], "from": [], "latents": []}
    columns = min(len(shares), 3)
    figure = panels(
        len(shares), columns, (640 // columns, 190), titles=list(shares), gap=(36, 72),
        margins=Margins(bottom=82),
    )  # fmt: skip
    most = 0
    for i, (name, values) in enumerate(shares.items()):
        share = array(name, values, "latent")
        if ((share < 0) | (share > 1)).any():
            raise ValueError(f"Relative norms lie between 0 and 1; {name!r} has others.")
        counts, _ = np.histogram(share, edges)
        figure.add_bar(
            x=plain(middles), y=plain(counts), width=0.045, showlegend=False,
            marker={"color": theme.series_style(0)[0]}, **place(figure, i),
        )  # fmt: skip
        first, most = i % columns == 0, max(most, int(counts.max()))
        figure.update_xaxes(title_text=ENDS_IN_WORDS, range=[0, 1], **place(figure, i))
        figure.update_yaxes(
            title_text="latents" if first else "", showticklabels=first, **place(figure, i)
        )
        low, high = int((share < ENDS[0]).sum()), int((share > ENDS[1]).sum())
        middle = int(((share > 0.4) & (share < 0.6)).sum())
        said.append(
            f"{name}: {len(share)} latents, {low} below 0.1, {middle} between 0.4 and 0.6, {high} above 0.9"
        )
        table["name"] += [name] * N_BINS
        table["from"] += edges[:-1].round(2).tolist()
        table["latents"] += counts.tolist()
    figure.update_yaxes(
        range=[0, 1.05 * max(most, 1)]
    )  # one scale for all, so that bars can be compared
    alt = "Histogram of relative norms. " + "; ".join(said) + "."
    return finish(
        figure, title, subtitle, alt, {key: np.array(each) for key, each in table.items()}
    )
