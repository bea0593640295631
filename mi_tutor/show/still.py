"""Pictures of figures that plotly drew, for places where no script runs: a web page of a repository, a PDF.

Drawn by kaleido, which needs a Chromium or Chrome. Only authors need it: the pictures are kept in the executed
solutions. docs/decisions/0011-pictures-beside-figures.md says why PNG.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

COLOURS = 128  # text and flat areas: a palette takes a fifth of the bytes, and nobody sees it
WIDTH, HEIGHT = 700, 450  # where a figure does not say


def can_draw() -> bool:
    """Whether kaleido and Pillow are installed."""
    return find_spec("kaleido") is not None and find_spec("PIL") is not None


def still_pictures(figures: Sequence[Mapping[str, Any]]) -> list[bytes]:
    """A PNG of each figure, as large as the figure says.

    Args:
        figures: plotly's JSON as plain data, with `data` and `layout`.
    """
    import kaleido

    if not figures:
        return []
    # Without MathJax, which kaleido would ask the network for; our figures have none.
    kaleido.start_sync_server(silence_warnings=True, mathjax=False)
    try:
        return [
            small(kaleido.calc_fig_sync(_plain(figure), opts=_size(figure))) for figure in figures
        ]
    finally:
        kaleido.stop_sync_server(silence_warnings=True)


def _plain(figure: Mapping[str, Any]) -> dict[str, Any]:
    return {"data": figure["data"], "layout": figure["layout"]}


def _size(figure: Mapping[str, Any]) -> dict[str, Any]:
    layout = figure["layout"]
    width, height = layout.get("width") or WIDTH, layout.get("height") or HEIGHT
    return {"format": "png", "width": width, "height": height, "scale": 1}


def small(png: bytes) -> bytes:
    """The same picture with a palette.

    It covers all colours that there are: one that follows the number of pixels turns a small mark grey.
    """
    from PIL import Image

    made = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture = picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)
    picture.save(made, "PNG", optimize=True)
    return made.getvalue()


def plotly_script() -> str:
    """plotly.js as the installed plotly has it, for pages that draw figures themselves."""
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()
