"""Effect against coherence: what steering does to a text at every strength, and whether it is still a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mi_tutor.lab.steering import Effect
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import plain, same_length
from mi_tutor.show.drawing.panels import Margins, finish, panels, place
from mi_tutor.show.drawing.words import number

PARTS = (  # of an Effect: its panel's heading, and its y axis
    ("about", "about the concept", "share of the new text"),
    ("valid", "in whole sentences", "share of the new text"),
    ("damage", "damage", "nats per token"),
)


def effect_against_coherence(
    curves: Mapping[str, tuple[Sequence[float], Sequence[Effect]]],
    points: Mapping[str, Effect] | None = None,
    *,
    title: str = "Effect against coherence",
    subtitle: str = "",
) -> Figure:
    """Each method's way through the plane of effect and coherence as its strength grows.

    Args:
        curves: method -> its strengths, and what was measured at each. The last one is labelled.
        points: what has no strength, such as a prompt: name -> what was measured.

    Raises ValueError if there is no curve, or not one measurement per strength.

    >>> found = [Effect(0.0, 0.9, 0.0), Effect(0.8, 0.7, 0.2)]
    >>> prompt = Effect(1.0, 0.9, 0.0)
    >>> figure = effect_against_coherence({"vector": ([0, 2], found)}, {"a prompt": prompt})
    >>> print(figure.alt)
    Share of whole sentences over share about the concept. vector: 0 and 0.9 at strength 0, 0.8 and 0.7 at \
strength 2. a prompt: 1 and 0.9.
    """
    if not curves:
        raise ValueError("effect_against_coherence needs at least one curve: {'vector': ...}.")
    figure = panels(1, 1, (470, 380), margins=Margins(right=250))
    said, rows = [], []
    for index, (name, (strengths, found)) in enumerate(curves.items()):
        same_length(f"the strengths of {name!r}", list(strengths), "measurements", len(found))
        _add_curve(figure, index, name, strengths, found)
        each_said = [
            f"{number(each.about)} and {number(each.valid)} at strength {at:g}"
            for at, each in zip(strengths, found, strict=True)
        ]
        said.append(f"{name}: {', '.join(each_said)}.")
        rows += [(name, float(at), *each) for at, each in zip(strengths, found, strict=True)]
    for index, (name, each) in enumerate((points or {}).items(), len(curves)):
        color, symbol, _ = theme.series_style(index)
        figure.add_scatter(
            x=[each.about], y=[each.valid], name=name, mode="markers",
            marker={"color": color, "symbol": f"{symbol}-open", "size": 14, "line": {"width": 3}},
            hovertemplate="about %{x:.2f}, valid %{y:.2f}<extra></extra>",
        )  # fmt: skip
        said.append(f"{name}: {number(each.about)} and {number(each.valid)}.")
        rows.append((name, float("nan"), *each))
    figure.update_xaxes(title_text="share of the new text about the concept", range=[-0.04, 1.04])
    figure.update_yaxes(title_text="share of it that is whole sentences", range=[-0.04, 1.06])
    names = ("method", "strength", "about", "valid", "damage")
    table = dict(zip(names, map(np.array, zip(*rows, strict=True)), strict=True))
    alt = " ".join(["Share of whole sentences over share about the concept.", *said])
    subtitle = subtitle or "a line: growing strength, its largest one named · top right is the goal"
    return finish(figure, title, subtitle, alt, table)


def _add_curve(
    figure: Figure, index: int, name: str, strengths: Sequence[float], found: Sequence[Effect]
) -> None:
    """A method's line, with its largest strength at its end."""
    color, symbol, dash = theme.series_style(index)
    at_axis = found[-1].about < 0.15  # a label to the left would lie on the axis's numbers
    figure.add_scatter(
        x=[each.about for each in found], y=[each.valid for each in found], name=name,
        mode="lines+markers+text", text=[""] * (len(found) - 1) + [f"{strengths[-1]:g}×"],
        textposition="middle right" if at_axis else "top left",
        textfont={"size": theme.TICK_SIZE}, cliponaxis=False,
        line={"color": color, "dash": dash, "width": 2.5}, marker={"symbol": symbol, "size": 9},
        customdata=list(strengths),
        hovertemplate="strength %{customdata:g}: about %{x:.2f}, valid %{y:.2f}<extra></extra>",
    )  # fmt: skip


def strength_curves(
    strengths: Sequence[float],
    curves: Mapping[str, Sequence[Effect]],
    *,
    title: str = "What each strength does",
    subtitle: str = "",
    x_title: str = "strength",
) -> Figure:
    """Three panels over the strength: share about the concept, share of whole sentences, damage.

    Args:
        strengths: the same for all curves.
        curves: name -> what was measured at each.

    Raises ValueError if there is no curve, or not one measurement per strength.

    >>> found = [Effect(0.0, 0.9, 0.0), Effect(0.8, 0.7, 0.2)]
    >>> strength_curves([0, 2], {"vector": found}).data_table()["valid"]
    array([0.9, 0.7])
    """
    if not curves:
        raise ValueError("strength_curves needs at least one curve: {'vector': effects}.")
    at = np.array(strengths, dtype=float)
    names = [name for _, name, _ in PARTS]
    figure = panels(3, 3, (190, 230), names, gap=(72, 0), margins=Margins(right=16, bottom=96))
    said = []
    for index, (name, found) in enumerate(curves.items()):
        same_length(f"curve {name!r}", list(found), "strengths", len(at))
        color, symbol, dash = theme.series_style(index)
        for panel, (part, _, _) in enumerate(PARTS):
            values = np.array([getattr(each, part) for each in found], dtype=float)
            figure.add_scatter(
                x=plain(at), y=plain(values), name=name, mode="lines+markers", legendgroup=name,
                showlegend=panel == 0, line={"color": color, "dash": dash, "width": 2.5},
                marker={"symbol": symbol, "size": 8}, **place(figure, panel),
            )  # fmt: skip
        first, last = found[0], found[-1]
        said.append(
            f"{name}: about {number(first.about)} to {number(last.about)}, valid {number(first.valid)} to "
            f"{number(last.valid)}, damage {number(first.damage)} to {number(last.damage)}."
        )
    for panel, (_, _, unit) in enumerate(PARTS):
        figure.update_xaxes(title_text=x_title, **place(figure, panel))
        figure.update_yaxes(title_text=unit, **place(figure, panel))
        if panel < 2:
            figure.update_yaxes(range=[-0.04, 1.06], **place(figure, panel))
    figure.update_layout(legend={"orientation": "h", "y": -0.34, "x": 0, "yanchor": "top"})
    n = len(at)
    table = {"curve": np.repeat(list(curves), n), "strength": np.tile(at, len(curves))}
    for part, _, _ in PARTS:
        table[part] = np.array([getattr(each, part) for found in curves.values() for each in found])
    parts = "; ".join(f"{name} ({unit})" for _, name, unit in PARTS)
    alt = f"Three panels over {x_title} from {at.min():g} to {at.max():g}: {parts}. "
    return finish(figure, title, subtitle, alt + " ".join(said), table)
