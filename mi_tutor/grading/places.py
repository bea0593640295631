"""Where an exercise or a quick check stands in a notebook whose cells were moved, copied, split or merged."""

from __future__ import annotations

import re
from typing import NamedTuple

from mi_tutor.grading.notebook import CodeCell, Notebook, TextCell
from mi_tutor.grading.run import CellRun, Runs
from mi_tutor.grading.source import Call, calls, handed_in, made

_STUB = re.compile(r"^[ \t]*raise NotImplementedError\b|=\s*\.\.\.\s*(#.*)?$", re.MULTILINE)


class Place(NamedTuple):
    """The cells of one exercise or quick check, in order.

    call: what it is asked with, ("check", slug) or ("quiz", slug).
    asking: the cells with the call. deciding: the last of them that came to a verdict, or else the last.
    silent: cells that are marked as its check, but do not have the call.
    answers: the cells of the exercise itself. promised: the names that it gives to the rest of the notebook.
    texts, answer_texts: cells that would be among the first or the last of these if they were code.
    """

    call: Call
    asking: tuple[CodeCell, ...] = ()
    deciding: CodeCell | None = None
    silent: tuple[CodeCell, ...] = ()
    answers: tuple[CodeCell, ...] = ()
    promised: frozenset[str] = frozenset()
    texts: tuple[TextCell, ...] = ()
    answer_texts: tuple[TextCell, ...] = ()

    @property
    def slug(self) -> str:
        return self.call[1]

    @property
    def is_stub(self) -> bool:
        """Whether a part of the answer is still as it came; not where a copy below it was answered."""
        last: frozenset[str] = frozenset()
        for answer in reversed(self.answers):
            names = made(answer.source)
            if is_stub(answer) and not (last and names <= last):
                return True
            last |= names
        return False


def is_stub(cell: CodeCell) -> bool:
    """Whether the place for an answer is still there."""
    return bool(_STUB.search(cell.source))


def place(notebook: Notebook, runs: Runs, call: Call) -> Place:
    """Find the cells of an exercise or quick check.

    A cell that is marked in its metadata goes before others with the same call, such as a learner's own
    trials; those count where no marked cell has the call and came to a verdict.
    """
    own = [cell for cell in notebook.cells if cell.marked and (cell.role, cell.slug) == call]
    having = [cell for cell in notebook.cells if call in cell.calls]
    judged = [cell for cell in having if outcome(runs.get(cell.position), cell, call)]
    asking = [cell for cell in having if cell in own] or having
    asking = asking if set(asking) & set(judged) else judged or asking
    deciding = next((cell for cell in reversed(asking) if cell in judged), None)
    deciding = deciding or (asking[-1] if asking else None)
    texts = [
        text
        for text in notebook.texts
        if (text.role, text.slug) == call or (text.role is None and call in calls(text.source))
    ]
    silent = tuple(cell for cell in own if cell not in having)
    found = Place(call, tuple(asking), deciding, silent, texts=tuple(texts))
    return _with_answers(notebook, found) if call[0] == "check" else found


def outcome(run: CellRun | None, cell: CodeCell, call: Call) -> str | None:
    """What a call in a cell came to: "right", "wrong", or None where it was not judged."""
    if run is None or run.fine:
        return "right" if run else None
    if run.error is None or run.error[0] != "CheckFailed":
        return None
    order = list(cell.calls)
    about = next((other for other in order if run.error[1].startswith(f"{other[1]}:")), call)
    if about == call:
        return "wrong"
    return "right" if order.index(about) > order.index(call) else None


def _with_answers(notebook: Notebook, found: Place) -> Place:
    slug = found.slug
    cell = found.deciding
    wanted = handed_in(cell.source, found.call) if cell else frozenset()
    answers = [
        c for c in notebook.cells if c.marked and (c.role, c.slug) == ("exercise", slug)
    ] or _makers(notebook, cell, wanted)
    texts = [t for t in notebook.texts if (t.role, t.slug) == ("exercise", slug)]
    if not answers:
        texts = texts or [t for t in notebook.texts if t.role is None and wanted & made(t.source)]
    elsewhere = {n for c in notebook.cells if c not in answers for n in made(c.source)}
    sources = [part.source for part in [*answers, *texts]]
    promised = (wanted - elsewhere).union(*(made(source) for source in sources))
    return found._replace(
        answers=tuple(answers), promised=frozenset(promised), answer_texts=tuple(texts)
    )


def _makers(notebook: Notebook, check: CodeCell | None, wanted: frozenset[str]) -> list[CodeCell]:
    """Where no cell is marked as the answer: the last cell, down to the check, that makes what is handed in."""
    found = [
        cell
        for cell in notebook.cells
        if check is not None and cell.position <= check.position and wanted & made(cell.source)
    ]
    return found[-1:]
