"""One stub given back, the old answer kept below it in a cell that does not run."""

from __future__ import annotations

from mi_tutor.workspace.cells import Cell, Notebook, Shipped, shipped
from mi_tutor.workspace.merging import merge
from mi_tutor.workspace.steps import WorkspaceError

KEPT = """\
*Your earlier answer to {slug}, kept by `mi-tutor reset`. It does not run; to use it, make it a code cell.*"""


def reset_cell(base: Notebook | None, mine: Notebook, one: Shipped) -> Notebook:
    """The notebook with the cell as the course ships it.

    Args:
        base: the chapter as it was laid in.
        mine: the learner's; ids and marks may be lost, since a merge with the same version finds them again.
        one: the exercise's cell, or the quick check's.

    Raises:
        WorkspaceError: it is not answered.
    """
    merged = merge(base, mine, base).notebook if base else mine
    cells: list[Cell] = []
    found = False
    for cell in merged["cells"]:
        if cell.get("id") != one.key:
            cells.append(cell)
            continue
        text = shipped({"cells": [cell]})[0].text
        if text == one.text:
            break
        found = True
        kept = {"cell_type": "raw", "metadata": {}, "source": cell["source"]}
        note = {"cell_type": "markdown", "metadata": {}, "source": KEPT.format(slug=one.slug)}
        cells += [dict(one.cell), note, kept]
    if not found:
        raise WorkspaceError(f"{one.slug} is not answered, so there is nothing to give back.")
    return merge(base, {**merged, "cells": cells}, base).notebook
