"""How every figure looks: colours, symbols, dashes, scales and the plotly template.

A reader may see no colour, or a projector may eat it. So each series also has a marker symbol and a
dash, each cell that can hold a number has one, and the colours were chosen to stay apart under
protanopia, deuteranopia and tritanopia and to reach a contrast of 3:1 on white.
"""

from __future__ import annotations

from typing import Any

import numpy as np

INK = "#1f2430"
MUTED = "#5b6270"
GRID = "#e4e7ec"
PAPER = "#ffffff"

# Five colours of Okabe and Ito (2008) and Tol's wine; yellow, orange and sky blue are too pale as
# thin lines on white.
CATEGORICAL = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#222222", "#882255")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

# Lightness falls monotonically along each half, so the scales survive greyscale up to the sign.
SEQUENTIAL = (
    "#fdea45", "#dcc961", "#bcaf6f", "#9e9676", "#838079", "#6c6e72",
    "#575d6d", "#404c6c", "#213b6e", "#0a2c5a", "#00224e",
)  # fmt: skip
DIVERGING = (
    "#a84800", "#d0651a", "#ee9f5e", "#f9dcc0", "#ffffff",
    "#cfe3f2", "#86bbdf", "#3d8dc4", "#0f649f",
)  # fmt: skip
# Importance is drawn on thin lines: only the part of SEQUENTIAL that is dark enough on white.
IMPORTANCE = SEQUENTIAL[4:]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
TITLE_SIZE, PANEL_SIZE, TEXT_SIZE, TICK_SIZE = 18, 14, 14, 13

# The widest figure that a 13-inch laptop shows in JupyterLab with the file browser open.
WIDTH = 800


def colorscale(colors: tuple[str, ...]) -> list[list[Any]]:
    """Colours at even steps from 0 to 1, as plotly writes a scale.

    >>> colorscale(("#000000", "#ffffff"))
    [[0.0, '#000000'], [1.0, '#ffffff']]
    """
    return [[i / (len(colors) - 1), color] for i, color in enumerate(colors)]


def color_at(colors: tuple[str, ...], position: float) -> str:
    """The colour at `position` in [0, 1] on a scale, between its steps by linear mixing.

    >>> color_at(("#000000", "#ffffff"), 0.5)
    '#808080'
    """
    steps = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colors], dtype=float)
    at = float(np.clip(position, 0, 1)) * (len(colors) - 1)
    rgb = [np.interp(at, np.arange(len(colors)), steps[:, k]) for k in range(3)]
    return "#" + "".join(f"{int(value + 0.5):02x}" for value in rgb)


def luminance(color: str) -> float:
    """Relative luminance of a #rrggbb colour, 0 (black) to 1 (white), as WCAG 2 defines it.

    >>> luminance("#ffffff")
    1.0
    """
    channel = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
    return float(np.round(linear @ [0.2126, 0.7152, 0.0722], 6))


def text_on(background: str) -> str:
    """Black or white, whichever is easier to read on `background` (always at least 4.5:1).

    >>> text_on("#ffffff"), text_on("#0f649f")
    ('#000000', '#ffffff')
    """
    seen = luminance(background) + 0.05
    return "#000000" if seen / 0.05 >= 1.05 / seen else "#ffffff"


def series_style(index: int) -> tuple[str, str, str]:
    """(colour, marker symbol, dash) of series number `index`: all three differ for six series.

    After six the colours come round again with another dash and symbol (36 combinations).

    >>> series_style(0), series_style(6)
    (('#0072B2', 'circle', 'solid'), ('#0072B2', 'square', 'dash'))
    """
    around, color = divmod(index, len(CATEGORICAL))
    other = (color + around) % len(SYMBOLS)
    return CATEGORICAL[color], SYMBOLS[other], DASHES[other]


def template() -> dict[str, Any]:
    """The plotly template of every figure. Small, because each stored figure carries a copy.

    The paper is white in a dark notebook theme too: a figure then looks like a card, and its
    colours keep the contrast that they were chosen for.
    """
    axis = {
        "automargin": False,
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": MUTED,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": MUTED,
        "tickfont": {"size": TICK_SIZE},
        "title": {"font": {"size": TEXT_SIZE}, "standoff": 8},
    }
    layout = {
        "autosize": False,
        "colorway": list(CATEGORICAL),
        "font": {"family": FONT, "size": TEXT_SIZE, "color": INK},
        "hoverlabel": {"font": {"size": TEXT_SIZE}},
        "legend": {"font": {"size": TICK_SIZE}},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "title": {
            "font": {"size": TITLE_SIZE},
            "x": 0.0, "xref": "container", "xanchor": "left", "pad": {"l": 16, "t": 16},
            "y": 1.0, "yref": "container", "yanchor": "top",
        },
        "xaxis": axis,
        "yaxis": axis,
    }  # fmt: skip
    return {"layout": layout}
