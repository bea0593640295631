"""A notebook's cells as HTML: prose and code as they are, solutions and what checks say behind a click."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from nbconvert.filters import ansi2html
from nbformat import NotebookNode

from mi_tutor.authoring.ids import COLAB_ID
from mi_tutor.authoring.pictures import FIGURE, PICTURE
from mi_tutor.authoring.site.figures import FIGURES, Still, figure_html, still
from mi_tutor.authoring.site.places import relative
from mi_tutor.authoring.site.quick_checks import quick_check
from mi_tutor.authoring.site.texts import Renderer, python, to_html

_SVG = "image/svg+xml"


class Cells:
    """The cells of one executed solution.

    stubs: what a learner finds in the place of a solution, by the cell's id.
    stills: the pictures that the page shows.
    """

    def __init__(self, renderer: Renderer, stubs: Mapping[str, str]) -> None:
        self.renderer, self.stubs = renderer, stubs
        self.stills: list[Still] = []

    def as_html(self, cells: list[NotebookNode]) -> str:
        """All cells, one after another."""
        made: list[str] = []
        for before, cell, after in zip([None, *cells], cells, [*cells[1:], None], strict=False):
            role = _role(cell)
            if cell.cell_type == "markdown":
                made.append(to_html(self.renderer, cell.source))
            elif cell.id == COLAB_ID:
                continue
            elif role == "quiz":
                made.append(quick_check(cell.metadata.mi_tutor.quiz))
            elif role == "exercise":
                check = after if _role(after) == "check" else None
                made.append(self._exercise(cell, check))
            elif role == "check" and _role(before) == "exercise":
                continue  # stands with its exercise
            elif role == "check":
                made.append(_behind("What the check says", self._code(cell)))
            else:
                made.append(self._code(cell))
        return "\n".join(made)

    def _exercise(self, cell: NotebookNode, check: NotebookNode | None) -> str:
        stub = python(self.stubs[cell.id]) if cell.id in self.stubs else ""
        answer = self._code(cell) + (self._code(check) if check else "")
        return f'<div id="{cell.id}">{stub}{_behind("Our solution", answer)}</div>'

    def _code(self, cell: NotebookNode) -> str:
        outputs = "".join(self._output(output) for output in cell.outputs)
        return f'<div class="cell">{python(cell.source)}{outputs}</div>'

    def _output(self, output: NotebookNode) -> str:
        if output.output_type == "stream":
            return f'<pre class="out">{_console(output.text)}</pre>'
        if output.output_type == "error":
            return f'<pre class="out">{_console(chr(10).join(output.traceback))}</pre>'
        data: dict[str, Any] = output.data
        if FIGURE in data:
            return self._figure(data)
        if _SVG in data:
            return f'<div class="svg wide">{"".join(data[_SVG])}</div>'
        if "text/html" in data:
            return f'<div class="html">{"".join(data["text/html"])}</div>'
        return f'<pre class="out">{_console("".join(data.get("text/plain", "")))}</pre>'

    def _figure(self, data: dict[str, Any]) -> str:
        address = ""
        if PICTURE in data:
            picture = still(data[PICTURE])
            self.stills.append(picture)
            address = relative(f"{FIGURES}/{picture.name}", self.renderer.page)
        return figure_html(data[FIGURE], address)


def _role(cell: NotebookNode | None) -> str:
    return "" if cell is None else cell.metadata.get("mi_tutor", {}).get("role", "")


def _behind(words: str, what: str) -> str:
    return f'<details class="answer"><summary>{html.escape(words)}</summary>{what}</details>'


def _console(text: str) -> str:
    return str(ansi2html(text.rstrip("\n")))
