"""A plotly figure that also says in words what it shows.

Plotly has no alternative text. A `Figure` carries a description, made from the data, and shows it in
three places: as the text of the output (which is all that GitHub, a terminal or a plain-text export
can show), in a "Description of this figure" that opens below it with the mouse or the keyboard, and
in the stored figure itself (layout.meta.alt), so that it survives saving and loading. The numbers
that were drawn can be had with `data_table()`.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np

from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.require import require

go = require("plotly.graph_objects", "drawing figures")
pio = require("plotly.io", "drawing figures")

_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}


class Figure(go.Figure):
    """A `plotly.graph_objects.Figure` with a description (`alt`) and its data (`data_table()`).

    Everything that a plotly figure can do still works: `update_layout`, `write_html`, `show`.

    >>> figure = Figure(layout={"title": {"text": "Loss"}}, alt="The loss falls from 2 to 1.")
    >>> print(figure)
    Loss
    <BLANKLINE>
    The loss falls from 2 to 1.
    """

    def __init__(
        self,
        data: Any = None,
        layout: Any = None,
        frames: Any = None,
        skip_invalid: bool = False,
        *,
        alt: str | None = None,
        table: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, layout, frames, skip_invalid, **kwargs)
        self._table: dict[str, np.ndarray] = {}
        self.describe(alt, table)

    def describe(self, alt: str | None = None, table: Mapping[str, Any] | None = None) -> Figure:
        """Set the description, the data, or both; return the figure."""
        if alt is not None:
            self.layout.meta = {"alt": alt}
        if table is not None:
            self._table = {name: np.asarray(column) for name, column in table.items()}
        return self

    @property
    def alt(self) -> str:
        """What the figure shows, in plain language, with its main numbers."""
        meta = self.layout.meta
        return meta.get("alt", "") if isinstance(meta, Mapping) else ""

    @property
    def heading(self) -> str:
        """The title without its markup and without the subtitle."""
        title = (self.layout.title.text or "").partition("<br><span")[0]
        return re.sub(r"</?(b|i|sub|sup|span)\b[^>]*>", "", title.replace("<br>", " "))

    def data_table(self) -> dict[str, np.ndarray]:
        """The numbers that were drawn, as named columns of one length (one row per mark).

        `pandas.DataFrame(figure.data_table())` makes a table of it.
        """
        return dict(self._table)

    def __repr__(self) -> str:
        """Title and description: what a screen reader, GitHub or a terminal has of the figure."""
        return "\n\n".join(textwrap.fill(text, 100) for text in (self.heading, self.alt) if text)

    __str__ = __repr__

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.to_dict(), self._table)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None, validate: bool = True, **kwargs: Any
    ) -> dict[str, Any]:
        """One output: the figure for whichever front end plotly found or was told, and the words."""
        bundle = super()._repr_mimebundle_(include, exclude, validate, config=_CONFIG, **kwargs)
        return {**bundle, "text/plain": repr(self)}

    def _ipython_display_(self) -> None:
        """Show the figure, and below it the description that opens and closes."""
        display = require("IPython.display", "showing figures in a notebook").display
        bundle = self._repr_mimebundle_()
        display(bundle, raw=True)
        if len(bundle) == 1 and pio.renderers.default:  # a browser or a file, not the notebook
            super().show()
        elif len(bundle) > 1:
            display({"text/html": description_html(self), "text/plain": ""}, raw=True)

    def show(self, *args: Any, **kwargs: Any) -> None:
        """As plotly's `show`; without arguments in a notebook also with the description."""
        ipython = require("IPython", "showing figures in a notebook")
        if args or kwargs or ipython.get_ipython() is None:
            super().show(*args, **kwargs)
        else:
            self._ipython_display_()


def description_html(figure: Figure) -> str:
    """The description as a part of the page that opens and closes; reached with Tab."""
    return (
        '<details style="max-width: 800px; margin: 4px 0 12px 16px; line-height: 1.5">'
        f"<summary>Description of this figure: {html.escape(figure.heading)}</summary>"
        f'<p style="margin: 6px 0">{html.escape(figure.alt)}</p></details>'
    )


def set_title(figure: Figure, title: str, subtitle: str = "") -> int:
    """Write title and subtitle, broken into lines that fit the width; return its pixels."""
    width = figure.layout.width or theme.WIDTH
    lines = textwrap.wrap(title, int((width - 32) / 10.8))
    sub_lines = textwrap.wrap(subtitle, int((width - 32) / 7.6))
    text = "<br>".join(f"<b>{line}</b>" for line in lines)
    if sub_lines:
        small = f'<span style="font-size:{theme.TEXT_SIZE}px;color:{theme.MUTED}">'
        text += "".join(f"<br>{small}{line}</span>" for line in sub_lines)
    figure.layout.title.text = text
    figure.layout.title.pad = {"l": 16, "t": 16 + 11 * (len(lines) + len(sub_lines) - 1)}
    return 20 + 24 * len(lines) + 20 * len(sub_lines)


def _rebuild(figure: dict[str, Any], table: dict[str, np.ndarray]) -> Figure:
    return Figure(figure, table=table)
