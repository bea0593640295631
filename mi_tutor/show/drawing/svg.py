"""Small drawings as SVG text, for widgets that redraw while a slider moves.

A plotly output inside a widget is thrown away and built anew at every change, which flickers. SVG
text in an HTML widget is swapped in place within milliseconds and needs nothing from the network.
"""

from __future__ import annotations

import html
from typing import Any

from mi_tutor.show.drawing import theme


def tag(name: str, content: str = "", **attributes: Any) -> str:
    """One SVG element; `stroke_width=2` becomes stroke-width="2".

    >>> tag("circle", cx=1.25, cy=2, stroke_width=2)
    '<circle cx="1.25" cy="2" stroke-width="2"/>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(_short(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def text(x: float, y: float, words: str, size: int = theme.TICK_SIZE, **attributes: Any) -> str:
    """Text centred at (x, y), unless `text_anchor` says otherwise."""
    style = {"fill": theme.INK, "text_anchor": "middle", "dominant_baseline": "central"}
    return tag("text", html.escape(words), x=x, y=y, font_size=size, **(style | attributes))


def line(x1: float, y1: float, x2: float, y2: float, color: str, **attributes: Any) -> str:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=color, **attributes)


def arrow(x1: float, y1: float, x2: float, y2: float, color: str) -> str:
    """A line with a head at its end; a short one keeps a head no longer than itself."""
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    if length < 1:
        return ""
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    head = min(11.0, length)
    bx, by = x2 - head * ux, y2 - head * uy
    corners = ((x2, y2), (bx - 4 * uy, by + 4 * ux), (bx + 4 * uy, by - 4 * ux))
    points = " ".join(f"{_short(x)},{_short(y)}" for x, y in corners)
    return line(x1, y1, bx, by, color, stroke_width=2.5) + tag("polygon", points=points, fill=color)


def drawing(width: int, height: int, alt: str, *parts: str) -> str:
    """A picture on a white card that shrinks with its place, with `alt` as its accessible name."""
    card = tag("rect", width=width, height=height, rx=6, fill=theme.PAPER)
    return tag(
        "svg", card + "".join(parts), xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}", width=width, height=height, role="img", aria_label=alt,
        font_family=theme.FONT, style="max-width:100%;height:auto",
    )  # fmt: skip


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
