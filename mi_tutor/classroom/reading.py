"""Reading a notebook that anybody may have written: within limits, or not at all."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from mi_tutor.grading.notebook import Notebook, NotebookError, read_notebook

MAX_FILE = 32 * 2**20  # bytes
MAX_CELLS = 2_000  # code cells
MAX_CELL = 100_000  # characters of one
MAX_CODE = 1_000_000  # characters of all


def read_submission(path: Path) -> Notebook:
    """Read a notebook of sensible size.

    Raises:
        NotebookError: as `read_notebook`, and for what is too large.
    """
    if not path.is_file() or path.is_symlink():
        raise NotebookError(f"{path.name} is no file.")
    size = path.stat().st_size
    if size > MAX_FILE:
        raise NotebookError(
            f"{path.name} has {size / 2**20:.0f} MB; at most {MAX_FILE >> 20} are read. Clear its outputs."
        )
    return read_notebook(path, partial(_check_code, path.name))


def _check_code(name: str, content: dict[str, Any]) -> None:
    """How much code there is, before any of it is parsed. What is no notebook is for `read_notebook` to say."""
    cells = content.get("cells")
    cells = [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
    texts = [_length(cell.get("source")) for cell in cells]
    lengths = [
        length for cell, length in zip(cells, texts, strict=True) if cell.get("cell_type") == "code"
    ]
    for what, seen, most in (
        ("code cells", len(lengths), MAX_CELLS),
        ("cells", len(texts), 2 * MAX_CELLS),
        ("characters in a cell", max(texts, default=0), MAX_CELL),
        ("characters of code", sum(lengths), MAX_CODE),
    ):
        if seen > most:
            raise NotebookError(f"{name} has {seen:,} {what}; at most {most:,} are read.")


def _length(source: Any) -> int:
    lines = source if isinstance(source, list) else [source]
    return sum(len(line) for line in lines if isinstance(line, str))
