"""The README's chapter table: written from the sources, with figures measured by running them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from mi_tutor.authoring.additions import in_words_with_optional
from mi_tutor.authoring.source import Chapter
from mi_tutor.files import write_atomically

BEGIN, END = "<!-- chapter-table -->", "<!-- /chapter-table -->"
UNMEASURED = "not measured yet"
_HEAD = (
    "| Chapter | Your time | What it is for | Run all cells |",
    "|---|---|---|---|",
)


class Figures(Protocol):
    """What running a chapter took: an `Executed` has it."""

    @property
    def seconds(self) -> float: ...
    @property
    def peak_bytes(self) -> int: ...


def promise(chapter: Chapter) -> str:
    """The first paragraph below the title, as one line."""
    _, *paragraphs = re.split(r"\n\s*\n", chapter.cells[0].source)
    first = " ".join(paragraphs[0].split()) if paragraphs else ""
    return "" if first.startswith("#") else first


def chapter_table(
    chapters: Sequence[Chapter],
    measured: Mapping[str, Figures],
    old: str = "",
    optional: Mapping[str, int] | None = None,
) -> str:
    """The table in Markdown.

    Args:
        chapters: in the order of the rows.
        measured: by the chapter's stem. A chapter that is not in it keeps the figures of `old`.
        old: the table as it was.
        optional: minutes of optional exercises, by the chapter's number.
    """
    rows = list(_HEAD)
    for chapter in chapters:
        figures = measured.get(chapter.stem)
        ran = in_short(figures) if figures else _old_figures(old, chapter.stem)
        cells = (
            f"[{chapter.title}](chapters/{chapter.stem}.ipynb)",
            in_words_with_optional(chapter.minutes, (optional or {}).get(chapter.number, 0)),
            promise(chapter),
            ran,
        )
        rows.append("| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |")
    return "\n".join(rows)


def in_short(figures: Figures) -> str:
    """Seconds and peak memory for the table.

    >>> from types import SimpleNamespace
    >>> in_short(SimpleNamespace(seconds=41.7, peak_bytes=700 * 2**20))
    '42 s, 0.68 GiB'
    """
    return f"{figures.seconds:.0f} s, {figures.peak_bytes / 2**30:.2f} GiB"


def update_readme(
    readme: Path,
    chapters: Sequence[Chapter],
    measured: Mapping[str, Figures],
    optional: Mapping[str, int] | None = None,
) -> bool:
    """Write the table between its two markers; return whether the file changed. Arguments as of `chapter_table`.

    Raises:
        ValueError: the README has not exactly one of each marker, in order.
        FileNotFoundError: there is no README.
    """
    text = readme.read_text(encoding="utf-8")
    before, opening, rest = text.partition(BEGIN)
    old, closing, after = rest.partition(END)
    if not (opening and closing) or BEGIN in rest or END in after:
        raise ValueError(f"{readme.name} needs one line {BEGIN} and below it one line {END}")
    table = chapter_table(chapters, measured, old, optional)
    return write_atomically(readme, f"{before}{BEGIN}\n{table}\n{END}{after}")


def _old_figures(old: str, stem: str) -> str:
    row = next((line for line in old.splitlines() if f"(chapters/{stem}.ipynb)" in line), "")
    found = re.search(r"\| ([^|]+) \|\s*$", row)
    return found[1] if found else UNMEASURED
