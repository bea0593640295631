"""Figures: plotly's data in the page, drawn by one script when seen; a still picture until then."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from typing import Any, NamedTuple

FIGURES = "figures"  # the site's folder for still pictures
_MARKUP = re.compile(r"<br><span.*|<[^>]+>", re.S)


class Still(NamedTuple):
    """A still picture, named by what is in it."""

    name: str
    png: bytes


def still(png_base64: str) -> Still:
    """A notebook's picture as a file of the site."""
    png = base64.b64decode(png_base64)
    return Still(f"{hashlib.blake2b(png, digest_size=8).hexdigest()}.png", png)


def figure_html(figure: dict[str, Any], picture: str = "") -> str:
    """A place for a figure, with its data.

    Args:
        figure: plotly's JSON as plain data.
        picture: the address of a still picture; without one the description stands there until it is drawn.
    """
    layout = figure.get("layout", {})
    width, height = layout.get("width") or 700, layout.get("height") or 450
    alt = (layout.get("meta") or {}).get("alt", "")
    title = _MARKUP.sub("", (layout.get("title") or {}).get("text") or "Figure").strip()
    shown = {"data": figure["data"], "layout": layout}
    data = json.dumps(shown, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    before = f'<p class="alt">{html.escape(alt)}</p>'
    if picture:
        size = f'width="{width}" height="{height}"'
        before = f'<img src="{picture}" {size} alt="{html.escape(alt)}" loading="lazy">'
    return (
        f'<figure class="plotly" aria-label="{html.escape(title)}">'
        f'<div class="wide"><div class="plot" style="width:{width}px;height:{height}px">{before}</div></div>'
        f'<script type="application/json">{data}</script></figure>'
    )
