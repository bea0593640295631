"""Notebooks from bytes and to bytes, whoever saved them."""

from __future__ import annotations

from mi_tutor.files import (  # before nbformat itself: it comes quickly then
    NotANotebook,
    parse_notebook,
)

import nbformat  # isort: skip
from nbformat import v4  # isort: skip

from mi_tutor.workspace.cells import Notebook


def parse(data: bytes, name: str) -> Notebook:
    """A learner's notebook, with what an editor left out or got wrong put right.

    Raises:
        NotANotebook: it is none; `name` is for the sentence.
    """
    notebook = parse_notebook(data, name)
    for cell in notebook["cells"]:
        if cell.get("cell_type") not in ("code", "markdown"):
            cell["cell_type"] = "raw"
        if not isinstance(cell["metadata"], dict):
            cell["metadata"] = {}
        if "outputs" in cell and not isinstance(cell["outputs"], list):
            cell["outputs"] = []
    return notebook


def notebook_or_none(data: bytes | None, name: str) -> Notebook | None:
    """The same, or None where there is nothing that can be read."""
    try:
        return parse(data, name) if data is not None else None
    except NotANotebook:
        return None


def as_bytes(notebook: Notebook) -> bytes:
    """As JupyterLab saves it. What is wrong in an output stays as it is: it is the learner's."""
    return (v4.writes(nbformat.from_dict(notebook)).rstrip("\n") + "\n").encode()
