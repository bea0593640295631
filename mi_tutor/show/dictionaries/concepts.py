"""How well single latents (and neurons) say where a concept is: F1 of every concept, by family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mi_tutor.lab.dictionaries import ConceptMatches
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, plain, same_length
from mi_tutor.show.drawing.panels import Margins, finish, panels
from mi_tutor.show.drawing.words import number

GOOD = 0.9
OTHERS = "other labels"  # the family of concepts without "="
BIN = 0.015  # dots nearer than this are stacked
HALF = 0.2  # of a row's height: where latents and neurons stand, above and below its middle


class _Dots(NamedTuple):
    """The concepts that were marked, with one kind of unit."""

    name: str
    matches: ConceptMatches
    offset: float  # of their dots from the row's middle
    side: float  # within which they are stacked


def concept_score_figure(
    matches: ConceptMatches,
    concepts: Sequence[str],
    neurons: ConceptMatches | None = None,
    *,
    good: float = GOOD,
    title: str = "How well does one latent say where a concept is?",
) -> Figure:
    """F1 of the best latent of each concept, a dot each; families in rows, the best on top. The line is at 0.9.

    Args:
        matches: marks of the latents.
        concepts: their names in the same order; "state=Texas" belongs to the family "state".
        neurons: marks of neurons on the same concepts, drawn below as open squares.
        good: where the line stands, and what the counts on the right count.
        title: what it shows.

    Raises:
        ValueError: if there is not one name per concept, or no concept occurs in the texts for marking.

    Concepts that never occur in the texts for marking have no F1 and are left out; the description says so.

    >>> import torch
    >>> one = torch.ones(2)
    >>> matches = ConceptMatches(one.int(), one, one, one, torch.tensor([1.0, 0.5]), one, one.int())
    >>> print(concept_score_figure(matches, ["state=Ohio", "state=Utah"]).alt)
    F1 of 2 concepts in 1 family. At least 0.9, by the best latent: 1 of 2. state: 1 of 2, the lowest 0.5 (Utah).
    """
    every = [_Dots("latents", matches, HALF if neurons else 0.0, 0.14 if neurons else 0.34)]
    if neurons:
        every.append(_Dots("neurons", neurons, -HALF, 0.14))
    for dots in every:
        same_length("concepts", concepts, f"concepts of the {dots.name}", len(dots.matches.f1))
    seen = array("n_there", matches.n_there, "concept") > 0
    if not seen.any():
        raise ValueError("No concept occurs in the texts for marking, so there is no F1 to show.")
    kept = np.flatnonzero(seen)
    families = np.array([_family(concepts[i]) for i in kept])
    f1 = array("f1", matches.f1, "concept")[kept]
    rows = sorted(dict.fromkeys(families), key=lambda name: -np.median(f1[families == name]))
    figure = _empty(rows, neurons is not None)
    for index, dots in enumerate(every):
        _draw(figure, index, dots, [concepts[i] for i in kept], kept, families, rows)
    _counts(figure, every, kept, families, rows, good)
    line = {"color": theme.INK, "dash": "dash", "width": 1.5}
    figure.add_vline(x=good, line=line, annotation_text=f"{good:g}", annotation_yanchor="bottom")
    alt = _words(every, concepts, kept, families, rows, good)
    if not seen.all():
        alt += f" Left out, because they do not occur in the texts for marking: {(~seen).sum()}."
    subtitle = f"one dot per concept; right: how many reach {good:g}"
    return finish(figure, title, subtitle, alt, _table(every, concepts, kept, families))


def _family(concept: str) -> str:
    return concept.partition("=")[0] if "=" in concept else OTHERS


def _empty(rows: Sequence[str], both: bool) -> Figure:
    height = int(np.clip(560 / len(rows), 26, 56 if both else 38))
    left = 44 + 8 * max(map(len, rows))
    size = (800 - left - 190, max(height * len(rows), 80))
    figure = panels(1, 1, size, margins=Margins(left=left, right=190, top=26))
    figure.update_xaxes(title_text="F1 (0 to 1)", range=[-0.02, 1.03])
    figure.update_yaxes(
        title_text="family of concepts", range=[len(rows) - 0.5, -0.5], tickmode="array",
        tickvals=list(range(len(rows))), ticktext=list(rows), showgrid=False,
    )  # fmt: skip
    for row in range(1, len(rows)):
        figure.add_hline(y=row - 0.5, line={"color": theme.GRID, "width": 1})
    legend = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom"}
    return figure.update_layout(showlegend=both, legend=legend)


def _draw(
    figure: Figure,
    index: int,
    dots: _Dots,
    names: Sequence[str],
    kept: np.ndarray,
    families: np.ndarray,
    rows: Sequence[str],
) -> None:
    values = {
        name: array(name, getattr(dots.matches, name), "concept")[kept]
        for name in ("f1", "precision", "recall", "unit")
    }
    y = np.zeros(len(kept))
    for row, family in enumerate(rows):
        mine = families == family
        # The vertical axis points down, so "above" is minus.
        y[mine] = row - dots.offset + dots.side * _stacked(values["f1"][mine])
    color, symbol, _ = theme.series_style(index)
    figure.add_scatter(
        x=plain(values["f1"]), y=plain(y), name=dots.name, mode="markers", text=list(names),
        customdata=plain(np.stack([values["unit"], values["precision"], values["recall"]], axis=1)),
        marker={
            "color": color, "symbol": symbol if index == 0 else f"{symbol}-open", "size": 7,
            "opacity": 0.8, "line": {"width": 1.4, "color": color},
        },
        hovertemplate=(
            "%{text}: F1 %{x:.3f}<br>precision %{customdata[1]:.3f}, recall %{customdata[2]:.3f}"
            f"<br>{dots.name[:-1]} " + "%{customdata[0]}<extra></extra>"
        ),
    )  # fmt: skip


def _stacked(x: np.ndarray) -> np.ndarray:
    """Heights from -1 to 1 at which dots at nearly the same place stand beside each other.

    >>> _stacked(np.array([0.5, 0.5, 0.9]))
    array([-0.3,  0.3,  0. ])
    """
    bins = np.round(x / BIN).astype(int)
    heights = np.zeros(len(x))
    for value in np.unique(bins):
        mine = np.flatnonzero(bins == value)
        step = min(0.6, 2 / max(1, len(mine) - 1))
        heights[mine] = step * (np.arange(len(mine)) - (len(mine) - 1) / 2)
    return heights


def _counts(
    figure: Figure,
    every: Sequence[_Dots],
    kept: np.ndarray,
    families: np.ndarray,
    rows: Sequence[str],
    good: float,
) -> None:
    """How many concepts of each family reach the line, written on the right."""
    for row, family in enumerate(rows):
        for dots in every:
            reached, n = _reached(dots, kept, families == family, good)
            words = f"{reached} of {n}" + (f" {dots.name}" if len(every) > 1 else "")
            figure.add_annotation(
                x=1, xref="x domain", xanchor="left", xshift=12, y=row - dots.offset, text=words,
                showarrow=False, font={"size": theme.TICK_SIZE if len(every) == 1 else 12},
            )  # fmt: skip


def _reached(dots: _Dots, kept: np.ndarray, mine: np.ndarray, good: float) -> tuple[int, int]:
    f1 = array("f1", dots.matches.f1, "concept")[kept][mine]
    # The marks are float32, where 0.9 is a little less than 0.9.
    return int((f1 >= good - 1e-6).sum()), len(f1)


def _words(
    every: Sequence[_Dots],
    concepts: Sequence[str],
    kept: np.ndarray,
    families: np.ndarray,
    rows: Sequence[str],
    good: float,
) -> str:
    everywhere = np.ones(len(kept), dtype=bool)
    totals = [f"by the best {d.name[:-1]}: {_of(d, kept, everywhere, good)}" for d in every]
    groups = "1 family" if len(rows) == 1 else f"{len(rows)} families"
    text = f"F1 of {len(kept)} concepts in {groups}. At least {good:g}, {', '.join(totals)}."
    f1 = array("f1", every[0].matches.f1, "concept")[kept]
    for family in rows:
        mine = np.flatnonzero(families == family)
        low = mine[f1[mine].argmin()]
        text += f" {family}: {_of(every[0], kept, families == family, good)}, the lowest "
        text += f"{number(f1[low], 2)} ({concepts[kept[low]].rpartition('=')[2]})"
        if len(every) > 1:
            text += f"; neurons {_of(every[1], kept, families == family, good)}"
        text += "."
    return text


def _of(dots: _Dots, kept: np.ndarray, mine: np.ndarray, good: float) -> str:
    return "{} of {}".format(*_reached(dots, kept, mine, good))


def _table(
    every: Sequence[_Dots], concepts: Sequence[str], kept: np.ndarray, families: np.ndarray
) -> dict[str, Any]:
    n = len(every)
    table = {
        "units": np.repeat([dots.name for dots in every], len(kept)),
        "family": np.tile(families, n),
        "concept": np.tile(np.array([concepts[i] for i in kept]), n),
    }
    for name in ("unit", "precision", "recall", "f1"):
        columns = [array(name, getattr(dots.matches, name), "concept")[kept] for dots in every]
        table[name] = np.concatenate(columns).astype(int if name == "unit" else float)
    return table
