"""The words a learner sees: coloured where the place can show colour, and never by colour alone."""

from __future__ import annotations

import sys
import textwrap

from mi_tutor.teach.console import readable

WIDTH = 92  # what an error shows in a line in JupyterLab, 1,200 pixels wide with its file browser
_CODES = {"good": "32", "bad": "1", "strong": "1", "faint": "2"}


class CheckFailed(Exception):
    """An answer is not right yet. In a notebook it is shown as the report, without a traceback.

    str(error) is one line (slug and sentence); `report` is the whole text.
    """

    def __init__(self, summary: str, report: str) -> None:
        super().__init__(readable(summary, sys.stderr))
        self.report = report

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return readable(self.report, sys.stdout).splitlines()


def paint(text: str, how: str) -> str:
    """Colour for notebooks and terminals; the plain text elsewhere (files, pipes, graders)."""
    if in_notebook() or getattr(sys.stdout, "isatty", bool)():
        return f"\033[{_CODES[how]}m{text}\033[0m"
    return text


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs this code (having its modules imported is not enough)."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def wrap(text: str, indent: str = "", first: str | None = None) -> str:
    """Text as lines of at most WIDTH characters; `first` is the indent of the first line."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def passed(text: str) -> str:
    return paint(f"✓ {text}", "good")


def failed(text: str) -> str:
    return paint(f"✗ {text}", "bad")
