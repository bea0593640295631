"""Words on a terminal, and the same words plainly where the output goes into a file or a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

_SIGNS = {"good": ("✓", "ok"), "note": ("·", "--"), "bad": ("✗", "!!")}
_STYLES = {"good": "green", "note": "yellow", "bad": "red", "faint": "dim", "strong": "bold"}


class Trouble(Exception):
    """Something the user can put right. The message is a sentence: what was seen, expected, what to try."""


def say(text: str = "", how: str | None = None, indent: int = 0) -> None:
    """Print a paragraph: wrapped and coloured on a terminal, one plain line elsewhere."""
    if not sys.stdout.isatty():
        print(" " * indent + text)
        return
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    paragraph = Padding(Text(text, _STYLES.get(how or "", "")), (0, 0, 0, indent), expand=False)
    Console(highlight=False).print(paragraph)


def complain(text: str) -> None:
    """Print a sentence where errors go."""
    print(text, file=sys.stderr)


def say_json(data: Any) -> None:
    """Print JSON, with escapes where the stream cannot take the characters themselves: data is never respelt."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    print(text if can_show(text) else json.dumps(data, indent=2))


def sign(how: str) -> str:
    """A tick, a dot or a cross; letters of the same width where the console has no such characters."""
    sign, letters = _SIGNS[how]
    return sign if can_show("✓✗·") else letters


def can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]], numbers: Sequence[str] = ()) -> None:
    """Print a table; columns named in `numbers` are aligned to the right. Nothing is ever cut off in a pipe."""
    cells = [[str(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
        for row in [heads, *cells]:
            parts = [
                value.rjust(width) if head in numbers else value.ljust(width)
                for head, value, width in zip(heads, row, widths, strict=True)
            ]
            print("  ".join(parts).rstrip())
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for head in heads:
        if head in numbers:
            shown.add_column(head, justify="right")
        else:
            shown.add_column(head, no_wrap=True)
    for row in cells:
        shown.add_row(*row)
    Console(highlight=False).print(shown)


def markdown(
    heads: Sequence[str], rows: Sequence[Sequence[Any]], numbers: Sequence[str] = ()
) -> None:
    """Print the same table in Markdown."""
    print("| " + " | ".join(heads) + " |")
    print("|" + "|".join("---:" if head in numbers else "---" for head in heads) + "|")
    for row in rows:
        print("| " + " | ".join(str(value).replace("|", "\\|") for value in row) + " |")
