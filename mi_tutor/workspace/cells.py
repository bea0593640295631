"""What a cell is: ours or the learner's, of which exercise, and what it says whoever saved it.

Notebooks are plain dicts here, as JSON has them. Editors rewrite them: VS Code and Colab can drop ids and
metadata, Windows changes line ends. So text is compared by `said`, and a cell is known by the first of: our mark
in its metadata, its id, its text, a call of `check` or `quiz`, the name that its exercise asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

Cell = dict[str, Any]
Notebook = dict[str, Any]

GRADED = ("exercise", "check", "quiz")
ANSWERED = ("exercise", "quiz")  # where a learner writes
_PREFIX = {"exercise": "ex", "check": "check", "quiz": "quiz"}
_MARKS = ("mi_tutor", "nbgrader", "deletable", "editable")
_CALL = re.compile(r"""^(check|quiz)\(\s*["']([\w-]+)["']\s*,?\s*([A-Za-z_]\w*)?""", re.MULTILINE)
_MAKES = re.compile(
    r"^(?:async\s+)?(?:def|class)\s+(\w+)|^(\w+(?:\s*,\s*\w+)*)\s*(?::[^=\n]*)?=(?!=)", re.MULTILINE
)


class Shipped(NamedTuple):
    """One cell of a chapter as the course ships it.

    key: its id, which is made of its slug where it has one. text: what it says.
    names: what an exercise's answer defines, and what its check is given.
    """

    key: str
    kind: str
    role: str
    slug: str
    text: str
    names: frozenset[str]
    cell: Cell


def source_of(cell: Cell) -> str:
    """A cell's text with plain line ends; the format allows a list of lines too."""
    source = cell.get("source", "")
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def said(text: str) -> str:
    """A text without what editors change by themselves: spaces at the ends of lines, empty lines at its ends."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def mark_of(cell: Cell) -> tuple[str, str]:
    """(role, slug) as our metadata say it; ("", "") if they do not."""
    metadata = cell.get("metadata")
    marked = metadata.get("mi_tutor") if isinstance(metadata, dict) else None
    if not isinstance(marked, dict) or marked.get("role") not in GRADED:
        return "", ""
    return marked["role"], str(marked.get("exercise") or marked.get("quiz") or "")


def id_of(cell: Cell) -> str:
    """Its id, wherever the editor keeps it (Colab: in the metadata)."""
    metadata = cell.get("metadata")
    kept = metadata.get("id") if isinstance(metadata, dict) else None
    return str(cell.get("id") or kept or "")


def key_of(role: str, slug: str) -> str:
    """The id of an exercise's cell, its check's, or a quick check's."""
    return f"{_PREFIX[role]}-{slug}"


def calls(text: str) -> list[tuple[str, str, str]]:
    """(role, slug, name that is handed in) of each `check(...)` and `quiz(...)` at the start of a line."""
    return [(role, slug, name) for role, slug, name in _CALL.findall(text)]


def made(text: str) -> frozenset[str]:
    """The names that a cell defines at its left margin; it need not be valid Python.

    >>> sorted(made("def f(x):\\n    y = 1\\nbest, worst = 1, 2"))
    ['best', 'f', 'worst']
    """
    found = [name for pair in _MAKES.findall(text) for name in pair if name]
    return frozenset(part.strip() for names in found for part in names.split(","))


def shipped(notebook: Notebook | None) -> list[Shipped]:
    """The cells of a chapter as the course ships it, in order; none if there is no such chapter."""
    cells = notebook["cells"] if notebook else []
    handed = {}
    for cell in cells:
        for role, slug, name in calls(source_of(cell)):
            if role == "check" and name:
                handed[slug] = frozenset({name})
    found = []
    for cell in cells:
        role, slug = mark_of(cell)
        text = source_of(cell)
        names = made(text) | handed.get(slug, frozenset()) if role == "exercise" else frozenset()
        kind = cell.get("cell_type", "")
        found.append(Shipped(id_of(cell), kind, role, slug, said(text), names, cell))
    return found


def without_marks(cell: Cell) -> Cell:
    """A cell as the learner's own: nothing says that it is the course's, and it can be edited and deleted."""
    metadata = dict(cell["metadata"]) if isinstance(cell.get("metadata"), dict) else {}
    if mark_of(cell)[0] or "nbgrader" in metadata:
        metadata = {name: value for name, value in metadata.items() if name not in _MARKS}
    return {**cell, "metadata": metadata, "source": source_of(cell)}


def unused(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, or the first of `wanted-2`, `wanted-3`, ... that is free."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name
