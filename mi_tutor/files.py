"""Writing files so that nothing is ever half written or lost."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from mi_tutor import quick_nbformat  # noqa: F401  (before any other import of nbformat)


class NotANotebook(ValueError):
    """A file that should be a notebook is not JSON, or not a notebook of version 4."""


def write_atomically(path: Path, content: str | bytes) -> bool:
    """Put `content` into the file in one step: readers and crashes see the old file or the new one.

    Returns:
        Whether the file changed. One that already has this content is left alone.

    Raises:
        OSError: no permission, no space, no such folder. The old file is then as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    if path.is_file() and path.read_bytes() == data:
        return False
    temporary = stage(path, data)
    try:
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return True


def stage(path: Path, data: bytes) -> Path:
    """Write `data` into a new hidden file beside `path`, on the disk for good; what is left is to rename it.

    Raises:
        OSError: no permission, no space, no such folder. Nothing is left behind then.
    """
    # In the same folder, since a rename is one step within a file system only.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def notebook_text(notebook: NotebookNode) -> str:
    """A notebook as JupyterLab saves it: sorted keys, indented by one, a newline at the end.

    Raises:
        nbformat.ValidationError: the notebook is not one by the format's own schema.
    """
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook of format 4.

    Raises:
        NotANotebook: says what is wrong with the file.
        FileNotFoundError: there is no such file.
    """
    return parse_notebook(path.read_bytes(), path.name)


def parse_notebook(data: bytes, name: str) -> NotebookNode:
    """Read a notebook of format 4 from a file's content; `name` is for the error.

    Raises:
        NotANotebook: says what is wrong with it.
    """
    try:
        raw = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise NotANotebook(f"{name} is not JSON: {error}") from None
    if not (isinstance(raw, dict) and raw.get("nbformat") == 4):
        raise NotANotebook(f"{name} is JSON but not a notebook of format 4")
    if not isinstance(raw.setdefault("metadata", {}), dict):
        raise NotANotebook(f"{name} has metadata that are no table")
    cells = raw.get("cells")
    if not (isinstance(cells, list) and all(isinstance(cell, dict) for cell in cells)):
        raise NotANotebook(f"{name} has no list of cells")
    for cell in cells:
        cell["source"] = _joined(cell.get("source", ""))
        cell.setdefault("metadata", {})
    return nbformat.from_dict(raw)


def keep_aside(path: Path) -> Path:
    """Copy a file to the first free `name.kept-N.suffix` beside it and return where it went."""
    kept = free_name(path)
    write_atomically(kept, path.read_bytes())
    return kept


def free_name(path: Path) -> Path:
    """The first `name.kept-N.suffix` beside a file that does not exist."""
    number = 1
    while (kept := path.with_name(f"{path.stem}.kept-{number}{path.suffix}")).exists():
        number += 1
    return kept


def _joined(source: object) -> str:
    return "".join(map(str, source)) if isinstance(source, list) else str(source)
