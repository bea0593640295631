"""The order of cells, and their ids."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Collection

from mi_tutor.workspace.cells import Cell, id_of, source_of, unused

_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def longest_increasing(values: list[int]) -> list[int]:
    """The positions of a longest increasing part of distinct values: cells that kept their order.

    >>> longest_increasing([0, 4, 1, 2])
    [0, 2, 3]
    """
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for position, value in enumerate(values):
        length = bisect_left(tails, value)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [value]
        ends[length : length + 1] = [position]
    found = []
    position = ends[-1] if ends else -1
    while position >= 0:
        found.append(position)
        position = before[position]
    return found[::-1]


def with_ids(cells: list[Cell], placed: dict[str, Cell], ours: Collection[str]) -> list[Cell]:
    """Every cell with an id of its own, and all that the format asks for.

    Args:
        cells: in their order. Ids of those that are not placed are set.
        placed: by its id, each cell that stands at a place of the course's.
        ours: the ids that only such cells may have.
    """
    at_places = {id(cell) for cell in placed.values()}
    taken = set(placed)
    for cell in cells:
        if id(cell) in at_places:
            continue
        name = id_of(cell)
        if name in taken or name in ours or not _ID.fullmatch(name):
            text = hashlib.blake2b(source_of(cell).encode(), digest_size=4).hexdigest()
            name = unused(name if name.startswith("note-") else f"own-{text}", taken)
        cell["id"] = name
        cell["metadata"] = {k: v for k, v in cell["metadata"].items() if k != "id"}
        taken.add(name)
    return [_complete(cell) for cell in cells]


def _complete(cell: Cell) -> Cell:
    """A cell with what the format asks for, whatever editor left it out."""
    if cell["cell_type"] == "code":
        return {"outputs": [], "execution_count": None, **cell}
    return {
        name: value for name, value in cell.items() if name not in ("outputs", "execution_count")
    }
