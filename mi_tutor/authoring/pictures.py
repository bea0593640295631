"""A still picture beside each figure of an executed solution, kept as long as the figure is the same.

A picture is known by a fingerprint of the figure it was made of, in the output's metadata. So an execution that
gives the same figure keeps it, and only new figures need a browser to be drawn.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nbformat import NotebookNode

from mi_tutor.files import NotANotebook, notebook_text, read_notebook, write_atomically

FIGURE, PICTURE = "application/vnd.plotly.v1+json", "image/png"
MOST_BYTES = 1_000_000  # of one notebook's pictures, as they stand in it

Draw = Callable[[Sequence[dict[str, Any]]], list[bytes]]


class Pictured(NamedTuple):
    """How many pictures were kept, drawn and are missing (nothing is there to draw them with)."""

    kept: int
    drawn: int
    missing: int


def add_pictures(notebook: NotebookNode, known: dict[str, str], draw: Draw | None) -> Pictured:
    """Put a picture beside each figure, in place.

    Args:
        notebook: an executed one.
        known: pictures that are there already, by the fingerprint of their figure (`pictures_of`).
        draw: makes PNGs of figures; None if that cannot be done here.

    Raises:
        ValueError: the pictures are larger than a notebook may carry.
    """
    known = known | pictures_of(notebook)
    new = {}
    for output in _figures(notebook):
        mark = fingerprint(output.data[FIGURE])
        if mark not in known:
            new[mark] = output.data[FIGURE]
    drawn = draw(list(new.values())) if draw and new else []
    made = {mark: base64.b64encode(png).decode() for mark, png in zip(new, drawn, strict=False)}
    kept, missing, size = 0, 0, 0
    for output in _figures(notebook):
        mark = fingerprint(output.data[FIGURE])
        picture = known.get(mark) or made.get(mark)
        kept += mark in known
        missing += picture is None
        output.data.pop(PICTURE, None)
        output.metadata.pop("mi_tutor", None)
        if picture is not None:
            size += len(picture)
            output.data[PICTURE] = picture
            output.metadata["mi_tutor"] = {"picture_of": mark}
    if size > MOST_BYTES:
        raise ValueError(f"its pictures have {size / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:g}")
    return Pictured(kept, len(made), missing)


def pictures_of(notebook: NotebookNode) -> dict[str, str]:
    """The pictures of a notebook by the fingerprint of the figure that they were made of."""
    found = {}
    for output in _figures(notebook):
        mark = output.get("metadata", {}).get("mi_tutor", {}).get("picture_of")
        if mark and PICTURE in output.data:
            found[mark] = output.data[PICTURE]
    return found


def pictures_at(path: Path) -> dict[str, str]:
    """`pictures_of` the notebook in a file; none if there is no notebook."""
    try:
        return pictures_of(read_notebook(path))
    except (FileNotFoundError, NotANotebook):
        return {}


def picture_file(path: Path, draw: Draw | None) -> Pictured:
    """Add what pictures an executed solution lacks, without executing it."""
    notebook = read_notebook(path)
    done = add_pictures(notebook, {}, draw)
    write_atomically(path, notebook_text(notebook))
    return done


def course_draw() -> Draw | None:
    """What draws the course's figures, if it is installed (`pip install mi_tutor[pictures]`, and a Chromium)."""
    from mi_tutor.show.still import can_draw, still_pictures

    return still_pictures if can_draw() else None


def fingerprint(figure: dict[str, Any]) -> str:
    """The same for the same figure."""
    text = json.dumps([figure.get("data"), figure.get("layout")], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _figures(notebook: NotebookNode) -> Iterator[NotebookNode]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if FIGURE in output.get("data", {}):
                yield output
