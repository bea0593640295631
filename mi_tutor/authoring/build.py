"""From the sources to the notebooks on disk."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from mi_tutor.authoring.ids import COLAB_ID
from mi_tutor.authoring.notebook import Notebooks, is_untouched, make_notebooks
from mi_tutor.authoring.registry import Registry, course_registry
from mi_tutor.authoring.source import Chapter, find_sources, read_chapter
from mi_tutor.files import (
    NotANotebook,
    keep_aside,
    notebook_text,
    read_notebook,
    write_atomically,
)


class Built(NamedTuple):
    """What a build did.

    written: notebooks that changed.
    kept: (notebook that somebody had worked in, copy of it) for each that was overwritten.
    to_execute: solution notebooks that are missing or whose code is no longer the source's.
    """

    written: list[Path]
    kept: list[tuple[Path, Path]]
    to_execute: list[Path]


class Rendered(NamedTuple):
    """A source and its two notebooks, with the places where they belong."""

    chapter: Chapter
    notebooks: Notebooks
    chapter_path: Path
    solution_path: Path


def build(
    source_dir: Path,
    chapters_dir: Path,
    *,
    registry: Registry | None = None,
    repository: str = "",
) -> Built:
    """Write the chapter notebooks, and bring the prose of executed solutions up to date.

    All sources are read and rendered before the first file is written, so that a mistake in one leaves
    every notebook as it was.

    Args:
        source_dir: where the sources are; their solution notebooks stand beside them.
        chapters_dir: where learners' notebooks go; made if it is missing.
        registry: the course's own if None.
        repository: "owner/name" for badges and the Colab cell; empty leaves them out.

    Raises:
        SourceError: with file and line.
        FileNotFoundError: there are no sources.
        OSError: a file cannot be written; those written before it are whole.
    """
    rendered = render(source_dir, chapters_dir, registry=registry, repository=repository)
    chapters_dir.mkdir(parents=True, exist_ok=True)
    built = Built([], [], [])
    for one in rendered:
        text = notebook_text(one.notebooks.chapter)
        if _has_work(one.chapter_path, text):
            built.kept.append((one.chapter_path, keep_aside(one.chapter_path)))
        if write_atomically(one.chapter_path, text):
            built.written.append(one.chapter_path)
        refreshed = with_outputs_of(one.solution_path, one.notebooks.solution)
        if refreshed is None:
            built.to_execute.append(one.solution_path)
        elif write_atomically(one.solution_path, notebook_text(refreshed)):
            built.written.append(one.solution_path)
    return built


def render(
    source_dir: Path,
    chapters_dir: Path,
    *,
    registry: Registry | None = None,
    repository: str = "",
) -> list[Rendered]:
    """Make all notebooks without writing any. Arguments and errors are those of `build`."""
    registry = registry or course_registry()
    chapters = [read_chapter(path) for path in find_sources(source_dir)]
    return [
        Rendered(
            chapter,
            make_notebooks(chapter, registry, repository),
            chapters_dir / f"{chapter.stem}.ipynb",
            source_dir / f"{chapter.stem}.ipynb",
        )
        for chapter in chapters
    ]


def with_outputs_of(path: Path, fresh: NotebookNode) -> NotebookNode | None:
    """The fresh notebook with the outputs of the executed one at `path`.

    Returns:
        None if there is no executed notebook there, or if its code is not the fresh one's: then its
        outputs would be those of other code.
    """
    try:
        executed = read_notebook(path)
    except (FileNotFoundError, NotANotebook):
        return None
    old, new = _code_cells(executed), _code_cells(fresh)
    if [(cell.get("id"), cell.source) for cell in old] != [(cell.id, cell.source) for cell in new]:
        return None
    ran = [cell.get("execution_count") is not None or not cell.source for cell in old]
    if not all(ran):
        return None
    result = copy.deepcopy(fresh)
    for before, after in zip(old, _code_cells(result), strict=True):
        after.outputs = before.get("outputs", [])
    number_cells(result)
    try:
        nbformat.validate(result)
    except nbformat.ValidationError:
        return None
    return result


def number_cells(notebook: NotebookNode) -> None:
    """Count the code cells as one run from top to bottom counts them."""
    number = 0
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source:
            number += 1
            cell.execution_count = number


def _code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """All but the Colab cell, which does nothing elsewhere and may come and go with the setting."""
    cells = [cell for cell in notebook.cells if cell.get("cell_type") == "code"]
    return [cell for cell in cells if cell.get("id") != COLAB_ID]


def _has_work(path: Path, text: str) -> bool:
    """Whether overwriting this file with `text` would lose something a build did not write."""
    if not path.exists() or path.read_bytes() == text.encode():
        return False
    try:
        return not is_untouched(read_notebook(path))
    except NotANotebook:
        return True
