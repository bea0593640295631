"""A learner's notebook as grading sees it: its cells, and which exercise or quick check each belongs to.

Only what is needed is read, and nothing is trusted to be there: notebooks come back edited, converted, merged
and cut short. A notebook that cannot be read at all raises `NotebookError`, whose message is for the learner.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from mi_tutor.grading.source import Call, calls, is_python, pieces

_CHECKPOINT = "If it was one before, JupyterLab may have an earlier version: File > Revert Notebook to Checkpoint."
ROLES = ("exercise", "check", "quiz")
_KINDS = {"markdown": "Markdown", "raw": "raw text"}


class NotebookError(Exception):
    """The notebook cannot be read. The message is one sentence: what was seen, and what to try."""


class CodeCell(NamedTuple):
    """One code cell, or a piece of one: merged cells are cut below each check (`source.pieces`).

    position: counts these from 1; `number` counts the notebook's code cells, which is what a learner sees.
    slug, role: None for cells that are not graded. marked: whether they stand in the cell's metadata or were
    only guessed from its text.
    piece: 0 for the first, or only, piece of a cell.
    """

    position: int
    number: int
    source: str
    slug: str | None = None
    role: str | None = None
    marked: bool = False
    piece: int = 0

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls of `check` and `quiz` that it is sure to make, in order, as (role, slug)."""
        return calls(self.source)

    @property
    def asks(self) -> bool:
        """Whether it makes the call that its role promises: `check("slug"` or `quiz("slug"`."""
        return (self.role, self.slug) in self.calls


class TextCell(NamedTuple):
    """A cell that does not run, but has an exercise's mark, or Python in it: it may have been a code cell.

    kind: what it is now, in words. before: the number of the code cell that follows it.
    """

    kind: str
    before: int
    source: str
    slug: str | None = None
    role: str | None = None


class Notebook(NamedTuple):
    """A notebook's code cells in order.

    chapter: "01"; None if neither its metadata nor its name tells it.
    is_solution: whether the build made it with the solutions in it, so that its answers are nobody's.
    texts: the other cells that may have been code cells.
    """

    path: Path
    cells: tuple[CodeCell, ...]
    chapter: str | None
    is_solution: bool = False
    texts: tuple[TextCell, ...] = ()

    def slugs(self, *roles: str) -> tuple[str, ...]:
        """The slugs of its marks and of its calls that have one of the roles (default: any), in order."""
        marks = [(cell.role, cell.slug) for cell in [*self.cells, *self.texts]]
        found = [*marks, *(call for cell in self.cells for call in cell.calls)]
        wanted = [slug for role, slug in found if slug and role in (roles or ROLES)]
        return tuple(dict.fromkeys(wanted))


def read_notebook(
    path: Path, limits: Callable[[dict[str, Any]], None] = lambda content: None
) -> Notebook:
    """Read a notebook without changing it.

    limits: may raise `NotebookError` of its content before any code in it is parsed.

    Raises:
        NotebookError: it is not a file, not JSON, not a notebook, not Python, or of a format that is not read.
    """
    content = _content(path)
    limits(content)
    metadata = _dict(content.get("metadata"))
    kernel, info = _dict(metadata.get("kernelspec")), _dict(metadata.get("language_info"))
    language = kernel.get("language") or info.get("name")
    if isinstance(language, str) and language.lower() not in {"python", "ipython"}:
        raise NotebookError(
            f"{path.name} is a notebook in {language}; this course's notebooks are in Python."
        )
    cells: list[CodeCell] = []
    texts: list[TextCell] = []
    number = 0
    for cell in _cells(path, content):
        if cell.get("cell_type") == "code":
            number += 1
            cells += _code_cell(len(cells) + 1, number, cell)
        else:
            texts += _text_cell(number + 1, cell)
    is_solution = _dict(metadata.get("mi_tutor")).get("folder") == "solutions"
    return Notebook(path, tuple(cells), _chapter(path, metadata), is_solution, tuple(texts))


def _content(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except IsADirectoryError:
        raise NotebookError(f"{path} is a folder; give the name of a notebook in it.") from None
    except OSError as error:
        raise NotebookError(
            f"{path} cannot be read ({(error.strerror or str(error)).lower()})."
        ) from None
    if not data.strip():
        raise NotebookError(f"{path.name} is empty. {_CHECKPOINT}")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        at = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        if b"<<<<<<<" in data and b">>>>>>>" in data:
            raise NotebookError(
                f"{path.name} has merge conflicts in it{at}: resolve them first."
            ) from None
        raise NotebookError(
            f"{path.name} is not a notebook: a notebook is JSON, and this is not{at}. {_CHECKPOINT}"
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        raise NotebookError(
            f"{path.name} is JSON but not a notebook: it does not say its notebook format."
        )
    if content["nbformat"] != 4:
        newer = content["nbformat"] > 4
        advice = "update mi_tutor" if newer else "open it in JupyterLab and save it"
        raise NotebookError(
            f"{path.name} has notebook format {content['nbformat']}, expected 4: {advice}."
        )
    return content


def _cells(path: Path, content: dict[str, Any]) -> list[dict[str, Any]]:
    cells = content.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise NotebookError(f"{path.name} is JSON but not a notebook: it has no list of cells.")
    for number, cell in enumerate(cells, start=1):
        source = cell.get("source")
        lines = source if isinstance(source, list) else [source]
        if not all(isinstance(line, str) for line in lines):
            raise NotebookError(
                f"Cell {number} of {path.name} has no text; the file has been damaged."
            )
    return cells


def _code_cell(position: int, number: int, cell: dict[str, Any]) -> list[CodeCell]:
    first, *others = pieces(_source(cell))
    role, slug = _marks(cell)
    found = [CodeCell(position, number, first, slug, role, marked=role is not None)]
    found += [
        CodeCell(position + piece, number, text, piece=piece)
        for piece, text in enumerate(others, start=1)
    ]
    return [_guessed(cell) if cell.role is None else cell for cell in found]


def _guessed(cell: CodeCell) -> CodeCell:
    """With the role that its text tells: some programs drop a cell's metadata, and merging drops all but one's."""
    if len(cell.calls) != 1:
        return cell
    ((role, slug),) = cell.calls
    return cell._replace(role=role, slug=slug)


def _text_cell(before: int, cell: dict[str, Any]) -> list[TextCell]:
    role, slug = _marks(cell)
    source = _source(cell)
    if role is None and not is_python(source):
        return []
    kind = cell.get("cell_type")
    words = _KINDS.get(kind, "no code cell") if isinstance(kind, str) else "no code cell"
    return [TextCell(words, before, source, slug, role)]


def _source(cell: dict[str, Any]) -> str:
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def _marks(cell: dict[str, Any]) -> tuple[str, str] | tuple[None, None]:
    """The role and the slug that stand in a cell's metadata."""
    marks = _dict(_dict(cell.get("metadata")).get("mi_tutor"))
    role = marks.get("role")
    slug = marks.get("quiz" if role == "quiz" else "exercise")
    if isinstance(role, str) and role in ROLES and isinstance(slug, str):
        return role, slug
    return None, None


def _chapter(path: Path, metadata: dict[str, Any]) -> str | None:
    chapter = _dict(metadata.get("mi_tutor")).get("chapter")
    if isinstance(chapter, str):
        return chapter
    start = re.match(r"(\d\d)_", path.name)
    return start[1] if start else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
