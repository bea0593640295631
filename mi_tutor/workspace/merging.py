"""A newer chapter around a learner's work. Nothing here reads or writes a file.

1. `match` says which of the learner's cells is which of the course's.
2. Each cell of the new chapter is a place. An answered exercise's place has the learner's answer; a place that
   the learner never changed has what the course says now.
3. Where both changed, both stay, side by side, with a sentence between them.
4. What else the learner has stays behind the cell it stood behind.

The rule above all: a text that the course did not write is in the result, word for word.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from mi_tutor.workspace.arranging import longest_increasing, with_ids
from mi_tutor.workspace.cells import (
    ANSWERED,
    Cell,
    Notebook,
    Shipped,
    said,
    shipped,
    source_of,
    without_marks,
)
from mi_tutor.workspace.matching import Matched, match

_NEW_STUB = """\
**The course has changed this exercise** since you answered it. Your answer is below, as it was; this is how the
cell looks now:

```python
{text}
```"""
_YOURS = """\
**You had changed the cell above, and the course changed it too.** Above is the course's, below is yours, as it
was. (It does not run: to use it, make it a code cell.)"""
_YOUR_CHECK = (
    "**You had changed the check above.** The course's own is back; below is yours, as it was."
)


@dataclass
class Merged:
    """The new notebook, and what a learner is told.

    answers: slugs of exercises and quick checks whose place has the learner's answer.
    conflicts: one sentence each. added, gone: slugs of exercises that are new, or no more in the course.
    back: cells of ours that had been deleted.
    """

    notebook: Notebook
    answers: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)


@dataclass
class _Work:
    """What a merge looks things up in, and the cells of the learner's that wait for their place."""

    mine: list[Cell]
    base: dict[str, Shipped]
    fresh: dict[str, Shipped]
    matched: Matched
    texts: list[str]
    result: Merged
    filled: dict[str, Cell] = field(default_factory=dict)  # by key: what stands at the place
    above: dict[str, Cell] = field(default_factory=dict)  # by key: our note above it
    below: dict[str, list[Cell]] = field(default_factory=lambda: defaultdict(list))
    primary: dict[str, int] = field(
        default_factory=dict
    )  # by key: the number of my cell at the place
    dropped: set[int] = field(default_factory=set)  # my cells that say only what the course says


def merge(base: Notebook | None, mine: Notebook, fresh: Notebook) -> Merged:
    """Bring a newer chapter into a learner's notebook; none of the three is changed.

    Args:
        base: the chapter that the learner's notebook was made from; None if nobody knows.
        mine: the learner's.
        fresh: the chapter as the course ships it now.
    """
    if _digest(mine) and _digest(mine) == _digest(fresh):
        base = fresh
    old, new = shipped(base), shipped(fresh)
    cells = mine["cells"]
    work = _Work(
        mine=cells,
        base={one.key: one for one in old},
        fresh={one.key: one for one in new},
        matched=match(cells, old, new),
        texts=[said(source_of(cell)) for cell in cells],
        result=Merged({}),
    )
    for one in new:
        _fill(work, one)
    _say_what_is_gone(work)
    work.result.notebook = {
        "cells": _laid_out(work),
        "metadata": _metadata(mine, fresh),
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return work.result


def _digest(notebook: Notebook) -> Any:
    ours = notebook.get("metadata", {}).get("mi_tutor")
    return ours.get("digest") if isinstance(ours, dict) else None


def _metadata(mine: Notebook, fresh: Notebook) -> dict[str, Any]:
    """The learner's (a kernel of their choice stays), with our own of the new chapter."""
    kept = {name: value for name, value in mine["metadata"].items() if name != "mi_tutor"}
    return {**fresh["metadata"], **kept, **_only(fresh["metadata"], "mi_tutor")}


def _only(table: dict[str, Any], name: str) -> dict[str, Any]:
    return {name: table[name]} if name in table else {}


def _fill(work: _Work, one: Shipped) -> None:
    """Decide what stands at one place of the new chapter."""
    claims = [number for number, key in enumerate(work.matched.keys) if key == one.key]
    old = _old(work, one, claims)
    ours = {one.text} | ({old.text} if old else set())
    changed = [number for number in claims if work.texts[number] not in ours]
    same = [number for number in claims if number not in changed]
    if not claims:
        _absent(work, one, old)
    elif one.role in ANSWERED:
        _fill_answered(work, one, old, changed, same)
    elif not changed or one.role == "check" or same:
        # Copies of a cell that the course wrote are the learner's own; a changed check does not count.
        _take(work, one, same[0] if same else None, one.cell)
        if not same:
            _set_beside(work, one, changed[0], _YOUR_CHECK, "its check")
    elif old is None or old.text != one.text:
        _take(work, one, None, one.cell)
        _set_beside(work, one, changed[0], _YOURS, "a cell")
    else:
        _take(work, one, changed[0], work.mine[changed[0]])


def _old(work: _Work, one: Shipped, claims: list[int]) -> Shipped | None:
    """What the place said when the learner got it; None if nobody knows, or it is new."""
    origins = [work.matched.origins[number] for number in claims]
    known = next((origin for origin in origins if origin), work.matched.was.get(one.key))
    return work.base[known] if known else None


def _absent(work: _Work, one: Shipped, old: Shipped | None) -> None:
    """A place that the learner has no cell for: it is new, or was deleted.

    A deletion stands where the course has nothing new to say there and no exercise needs the cell.
    """
    known = old is not None and old.text == one.text
    if one.role == "exercise" and one.key in work.matched.covered:
        return
    if known and not one.role and one.key != "setup":
        return
    _take(work, one, None, one.cell)
    if known:
        work.result.back.append(one.slug or one.key)
    elif one.role == "exercise" and old is None:
        work.result.added.append(one.slug)


def _fill_answered(
    work: _Work, one: Shipped, old: Shipped | None, changed: list[int], same: list[int]
) -> None:
    work.dropped.update(same)
    if not changed:
        _take(work, one, same[0], one.cell)
        return
    number = changed[0]
    _take(work, one, number, work.mine[number])
    work.result.answers.append(one.slug)
    if old is not None and old.text != one.text:
        note = _note(_NEW_STUB.format(text=one.text), one)
        if said(note["source"]) not in work.texts:
            work.above[one.key] = note
        work.result.conflicts.append(
            f"{one.slug}: the course changed the exercise after you answered it. Your answer stays; the new stub "
            "stands above it."
        )


def _take(work: _Work, one: Shipped, number: int | None, cell: Cell) -> None:
    """Put a cell at a place: the text of `cell`, our id and marks, and the outputs if they are this text's."""
    before = work.mine[number] if number is not None else {}
    metadata = before.get("metadata") if isinstance(before.get("metadata"), dict) else {}
    placed = {**one.cell, "source": source_of(cell)}
    placed["metadata"] = {
        **without_marks({"metadata": metadata})["metadata"],
        **one.cell["metadata"],
    }
    placed["metadata"].pop("id", None)
    if number is not None:
        work.primary[one.key] = number
        if work.texts[number] == said(placed["source"]):
            placed["source"] = source_of(before)
            for name in ("outputs", "execution_count", "attachments"):
                placed.update(_only(before, name))
    work.filled[one.key] = placed


def _set_beside(work: _Work, one: Shipped, number: int, note: str, what: str) -> None:
    """Keep the learner's text of a place below it, in a cell that does not run."""
    work.dropped.add(number)
    work.primary.setdefault(one.key, number)
    cell = without_marks(work.mine[number])
    if cell["cell_type"] == "code":
        cell = {"cell_type": "raw", "metadata": cell["metadata"], "source": cell["source"]}
    cell.pop("id", None)
    work.below[one.key] += [_note(note, one), cell]
    about = one.slug or one.key
    work.result.conflicts.append(
        f"{about}: you had changed {what} that the course has too. Both are there, side by side."
    )


def _note(text: str, one: Shipped) -> Cell:
    return {
        "cell_type": "markdown",
        "id": f"note-{one.key}"[:60],
        "metadata": {},
        "source": text,
    }


def _say_what_is_gone(work: _Work) -> None:
    """Cells of exercises that the course has given up: ours go, the learner's stay with a sentence."""
    for number, origin in enumerate(work.matched.origins):
        if origin is None or work.matched.keys[number] is not None:
            continue
        old = work.base[origin]
        if work.texts[number] == old.text:
            work.dropped.add(number)
        elif old.role == "exercise":
            work.result.gone.append(old.slug)


def _laid_out(work: _Work) -> list[Cell]:
    """All places in the course's order, each followed by what the learner had behind it."""
    order = {key: place for place, key in enumerate(work.fresh)}
    at = {number: key for key, number in work.primary.items()}
    sequence = sorted(at)
    steady = longest_increasing([order[at[number]] for number in sequence])
    anchors = {sequence[position] for position in steady}
    behind: dict[str | None, list[Cell]] = defaultdict(list)
    anchor: str | None = None
    for number, cell in enumerate(work.mine):
        if number in anchors:
            anchor = at[number]
        if number not in at and number not in work.dropped:
            behind[anchor].append(without_marks(cell))
    cells = list(behind[None])
    for key in work.fresh:
        cells += [work.above[key]] if key in work.above else []
        cells += [work.filled[key]] if key in work.filled else []
        cells += work.below[key] + behind[key]
    return with_ids(cells, work.filled, work.fresh)
