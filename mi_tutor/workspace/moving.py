"""Answers to exercises that have moved to another chapter since: they go with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from mi_tutor.workspace.cells import ANSWERED, Cell, Notebook, said, shipped, source_of
from mi_tutor.workspace.matching import match


class Versions(NamedTuple):
    """A chapter as it was laid in, as the learner has it, and as it ships now; None where there is none."""

    base: Notebook | None
    mine: Notebook | None
    fresh: Notebook


def carried(chapters: Mapping[str, Versions]) -> dict[str, list[Cell]]:
    """Copies of answers by the name of the chapter that has their exercise now.

    The answer itself stays where it is, as a cell of the learner's own.
    """
    homes = {
        one.key: name
        for name, chapter in chapters.items()
        for one in shipped(chapter.fresh)
        if one.role in ANSWERED
    }
    found: dict[str, list[Cell]] = defaultdict(list)
    for chapter in chapters.values():
        base, fresh = shipped(chapter.base), shipped(chapter.fresh)
        here = {one.key for one in fresh}
        left = {one.key: one for one in base if one.key in homes and one.key not in here}
        if not left or chapter.mine is None:
            continue
        cells = chapter.mine["cells"]
        for cell, origin in zip(cells, match(cells, base, fresh).origins, strict=True):
            if origin in left and said(source_of(cell)) != left[origin].text:
                marks = dict(left[origin].cell["metadata"])
                found[homes[origin]].append({**cell, "id": origin, "metadata": marks})
    return dict(found)
