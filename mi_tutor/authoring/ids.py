"""Cell ids that mean something and stay when other cells come and go."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from mi_tutor.authoring.source import Cell

_PREFIX = {"exercise": "ex", "check": "check", "quiz": "quiz", "task": "task"}
COLAB_ID = "colab-setup"  # of the cell that the build adds
_LONGEST = 48  # leaves room within nbformat's 64 for "-code-12" and the like


def cell_ids(cells: tuple[Cell, ...]) -> list[str]:
    """One valid nbformat 4.5 id per cell.

    Cells with a slug are named by it, prose with a heading by its words. What is left counts within its
    section, so that a new cell renumbers the rest of that section at most.

    >>> title = Cell("markdown", "prose", "", "# Superposition", 1)
    >>> figure = Cell("code", "code", "", "plot()", 4)
    >>> cell_ids((title, figure, figure))
    ['superposition', 'superposition-code-1', 'superposition-code-2']
    """
    # Ids that follow from a slug or were chosen by hand are never given away to a heading.
    taken = {fixed for cell in cells if (fixed := _fixed(cell))} | {COLAB_ID}
    taken |= {f"task-{cell.slug}" for cell in cells if cell.role == "exercise"}
    counts: Counter[str] = Counter()
    section = "start"
    ids = []
    for cell in cells:
        if (
            cell.role == "claim"
        ):  # in no notebook that people read: it must not count among their cells
            counts["claim"] += 1
            ids.append(f"claim-{counts['claim']}")
            continue
        words = headings(cell)
        if cell.role in ("task", "exercise"):
            section = cell.slug
        elif words:
            section = _id_from(words[-1])
        name = _fixed(cell)
        if not name:
            name = _unused(_loose_name(cell, words, section, counts), taken)
            taken.add(name)
        ids.append(name)
    return ids


def _loose_name(cell: Cell, words: list[str], section: str, counts: Counter[str]) -> str:
    if words:
        return _id_from(words[0])
    if cell.role == "setup":
        return "setup"
    kind = f"{section}-{'text' if cell.kind == 'markdown' else 'code'}"
    counts[kind] += 1
    return f"{kind}-{counts[kind]}"


def headings(cell: Cell) -> list[str]:
    """The headings in a prose cell, without their `#`; lines of fenced code are none."""
    if cell.kind != "markdown":
        return []
    without_code = re.sub(r"^(```|~~~).*?^\1", "", cell.source, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#{1,6}[ \t]+(.+?)[ \t]*$", without_code, flags=re.MULTILINE)


def _fixed(cell: Cell) -> str:
    if cell.fixed_id:
        return cell.fixed_id
    return f"{_PREFIX[cell.role]}-{cell.slug}" if cell.role in _PREFIX else ""


def _id_from(heading: str) -> str:
    plain = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words[:_LONGEST].rstrip("-") or "section"


def _unused(name: str, taken: set[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate
