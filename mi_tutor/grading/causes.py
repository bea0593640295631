"""Which cells stopped only because an earlier one did: they are told together, not one line each.

A name belongs to whoever should have made it. Going through the cells in order,

1. names of an exercise that is not written, not right or stopped belong to that exercise; names of another
   cell that stopped, or is no code cell any more, belong to that cell;
2. what is made from such a name has the same origin;
3. a cell that stopped for want of a name (NameError), or because it called what is not written, follows
   from the name's origin. One that stopped otherwise and uses such a name *may* follow, and so may an answer
   that a check finds wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mi_tutor.grading.notebook import CodeCell, Notebook, TextCell
from mi_tutor.grading.places import Place, is_stub
from mi_tutor.grading.run import CellRun, Runs
from mi_tutor.grading.source import made, steps, taken

# What a check says (`teach.judging`) of an answer that calls another exercise's function.
_CALLS_UNWRITTEN = re.compile(r"`(\w+)`, which your function calls, is not written yet")
_UNWRITTEN = {("NotImplementedError", message) for message in ("", "your code here")}
_RAN = CellRun()


class Cause(NamedTuple):
    """Where the trouble of a cell began.

    label: in words, an exercise's slug or "code cell 3". sure: whether it is certain.
    """

    label: str
    sure: bool


class _Origin(NamedTuple):
    """state: "unwritten", "wrong", "stopped" or "no code". at: where it stands, to name the first of several."""

    at: int
    label: str
    state: str


Origins = dict[str, _Origin]  # by the name that should have been made


def causes(notebook: Notebook, runs: Runs, places: Iterable[Place]) -> dict[int, Cause]:
    """The cause of each cell that stopped and has one, by the cell's position."""
    places = list(places)
    owners = {cell.position: found for found in places for cell in found.answers}
    promised = {text: found for found in places for text in found.answer_texts}
    origins: Origins = {}
    made_so_far: set[str] = set()
    found: dict[int, Cause] = {}
    rests_on: dict[str, Cause] = {}  # answers that use a wrong one, by their slug
    texts = list(notebook.texts)
    for cell in notebook.cells:
        while texts and texts[0].before <= cell.number:
            _add_text(texts[0], promised.get(texts[0]), cell.position, origins, made_so_far)
            texts.pop(0)
        run = runs.get(cell.position)
        if run is None:
            continue
        cause, origin = _cause(cell, run, origins)
        owner = owners.get(cell.position)
        if owner is not None and (used := _wrong_helper(cell, owner, origins)):
            rests_on.setdefault(owner.slug, Cause(used.label, False))
        if cause is None and run.error is not None and run.error[0] == "CheckFailed":
            cause = rests_on.get(run.error[1].partition(":")[0])
        if cause is not None:
            found[cell.position] = cause
        if not run.fine:
            stopped = origin or _Origin(cell.position, _label(cell, owner), "stopped")
            names = made(cell.source) | (owner.promised if owner else frozenset())
            origins |= dict.fromkeys(names, stopped)
            continue
        made_so_far |= made(cell.source)
        _pass_on(cell, origins)
        if owner is not None and (state := _state(cell, owner, runs)):
            own = _Origin(cell.position, owner.slug, state)
            origins |= dict.fromkeys(made(cell.source), own)
    return found


def together(
    cells: Sequence[CodeCell], found: dict[int, Cause]
) -> tuple[list[str], list[CodeCell]]:
    """A sentence for the cells of each cause, and the cells that have none."""
    groups: dict[Cause, list[int]] = {}
    for cell in cells:
        if cell.position in found:
            numbers = groups.setdefault(found[cell.position], [])
            numbers += [cell.number] if cell.number not in numbers else []
    sentences = [_sentence(cause, numbers) for cause, numbers in groups.items()]
    return sentences, [cell for cell in cells if cell.position not in found]


def _sentence(cause: Cause, numbers: list[int]) -> str:
    one = len(numbers) == 1
    listed = f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
    subject = f"Code cell {numbers[0]}" if one else f"Code cells {listed}"
    if cause.sure:
        return f"{subject} follow{'s' if one else ''} from {cause.label}."
    return f"{subject} stopped too and use{'s' if one else ''} what comes from {cause.label}: mend that first."


def _cause(cell: CodeCell, run: CellRun, origins: Origins) -> tuple[Cause | None, _Origin | None]:
    """Why a cell stopped, if that is elsewhere, and the origin of what it should have made."""
    if run.error is None:
        return None, None
    if run.error[0] == "CheckFailed":
        called = _CALLS_UNWRITTEN.search(run.error[1])
        return _certain(origins.get(called[1]) if called else None)
    if run.missing_name is not None:
        return _certain(origins.get(run.missing_name))
    used = sorted(origins[name] for name in taken(cell.source) if name in origins)
    if is_stub(cell):
        return None, None
    if run.error in _UNWRITTEN or "ellipsis" in run.error[1].lower():
        unwritten = [origin for origin in used if origin.state == "unwritten"]
        if unwritten:
            return _certain(unwritten[0])
    used = [origin for origin in used if origin.state != "no code"]
    if used:
        return Cause(used[0].label, False), None
    return None, None


def _wrong_helper(cell: CodeCell, owner: Place, origins: Origins) -> _Origin | None:
    """The first wrong answer that another one uses."""
    used = sorted(origins[name] for name in taken(cell.source) if name in origins)
    wrong = (each for each in used if each.state == "wrong" and each.label != owner.slug)
    return next(wrong, None)


def _certain(origin: _Origin | None) -> tuple[Cause | None, _Origin | None]:
    if origin is None:
        return None, None
    return Cause(origin.label, True), origin._replace(state="stopped")


def _pass_on(cell: CodeCell, origins: Origins) -> None:
    """What a cell that ran makes from a name has that name's origin; what it makes anew has none."""
    for step in steps(cell.source):
        used = sorted(origins[n] for n in step.taken if n in origins)
        for name in step.made:
            if used and used[0].state != "no code":
                origins[name] = used[0]
            else:
                origins.pop(name, None)


def _add_text(
    text: TextCell, owner: Place | None, at: int, origins: Origins, made_so_far: set[str]
) -> None:
    """The names of a cell that is no code cell any more, unless another cell has made them."""
    label = (
        owner.slug if owner else f"the cell above code cell {text.before} that is now {text.kind}"
    )
    names = owner.promised if owner else made(text.source)
    origins |= dict.fromkeys(names - made_so_far, _Origin(at, label, "no code"))


def _label(cell: CodeCell, owner: Place | None) -> str:
    return owner.slug if owner else f"code cell {cell.number}"


def _state(cell: CodeCell, owner: Place, runs: Runs) -> str | None:
    """What is wrong with an exercise whose cell ran to its end; None if nothing is known to be."""
    if is_stub(cell):
        return "unwritten"
    error = runs.get(owner.deciding.position, _RAN).error if owner.deciding else None
    return "wrong" if error and error[0] == "CheckFailed" else None
