"""A learner's notebook as grading sees it: its code cells, and which exercise or quick check each belongs to.

Only what is needed is read, and nothing is trusted to be there: notebooks come back edited, converted, merged
and cut short. A notebook that cannot be read at all raises `NotebookError`, whose message is for the learner.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

_CHECKPOINT = "If it was one before, JupyterLab may have an earlier version: File > Revert Notebook to Checkpoint."
ROLES = ("exercise", "check", "quiz")
_MARKED = re.compile(r"""^[^#\n]*\b(check|quiz)\(\s*["']([^"'\n]+)["']""", re.MULTILINE)


class NotebookError(Exception):
    """The notebook cannot be read. The message is one sentence: what was seen, and what to try."""


class CodeCell(NamedTuple):
    """One code cell. `number` counts code cells from 1; `slug` and `role` are None for cells that are not graded.

    `marked` says whether the role stands in the cell's metadata or was only guessed from its text.
    """

    number: int
    source: str
    slug: str | None = None
    role: str | None = None
    marked: bool = False

    @property
    def asks(self) -> bool:
        """Whether the cell's text has the call that its role promises: `check("slug"` or `quiz("slug"`."""
        return (self.role, self.slug) in _calls(self.source)


class Notebook(NamedTuple):
    """A notebook's code cells in order.

    chapter: "01"; None if neither its metadata nor its name tells it.
    is_solution: whether the build made it with the solutions in it, so that its answers are nobody's.
    """

    path: Path
    cells: tuple[CodeCell, ...]
    chapter: str | None
    is_solution: bool = False


def read_notebook(path: Path) -> Notebook:
    """Read a notebook without changing it.

    Raises:
        NotebookError: it is not a file, not JSON, not a notebook, not Python, or of a format that is not read.
    """
    content = _content(path)
    metadata = _dict(content.get("metadata"))
    kernel, info = _dict(metadata.get("kernelspec")), _dict(metadata.get("language_info"))
    language = kernel.get("language") or info.get("name")
    if isinstance(language, str) and language.lower() not in {"python", "ipython"}:
        raise NotebookError(
            f"{path.name} is a notebook in {language}; this course's notebooks are in Python."
        )
    cells = [
        _code_cell(number, cell) for number, cell in enumerate(_code_cells(path, content), start=1)
    ]
    is_solution = _dict(metadata.get("mi_tutor")).get("folder") == "solutions"
    return Notebook(path, tuple(cells), _chapter(path, metadata), is_solution)


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


def _code_cells(path: Path, content: dict[str, Any]) -> list[dict[str, Any]]:
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
    return [cell for cell in cells if cell.get("cell_type") == "code"]


def _code_cell(number: int, cell: dict[str, Any]) -> CodeCell:
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    marks = _dict(_dict(cell.get("metadata")).get("mi_tutor"))
    role = marks.get("role")
    slug = marks.get("quiz" if role == "quiz" else "exercise")
    if role in ROLES and isinstance(slug, str):
        return CodeCell(number, source, slug, role, marked=True)
    calls = _calls(source)
    if len(calls) == 1:  # some programs drop a cell's metadata
        ((role, slug),) = calls
        return CodeCell(number, source, slug, role)
    return CodeCell(number, source)


def _calls(source: str) -> set[tuple[str, str]]:
    return {(role, slug) for role, slug in _MARKED.findall(source)}


def _chapter(path: Path, metadata: dict[str, Any]) -> str | None:
    chapter = _dict(metadata.get("mi_tutor")).get("chapter")
    if isinstance(chapter, str):
        return chapter
    start = re.match(r"(\d\d)_", path.name)
    return start[1] if start else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
