"""What became of one exercise or quick check, given what each cell did."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from mi_tutor.grading.causes import Cause
from mi_tutor.grading.notebook import CodeCell, TextCell
from mi_tutor.grading.places import Place, is_stub, outcome
from mi_tutor.grading.run import CellRun, Runs
from mi_tutor.grading.source import made, mentions

_RAN = CellRun()
_BLANK = ("not answered yet", "not written yet")


class Status(StrEnum):
    """What became of an exercise or quick check. Only `PASSED` gives points."""

    PASSED = "passed"
    WRONG = "wrong"
    UNANSWERED = "not answered yet"
    ERROR = "error in the cell"
    TIMEOUT = "took too long"
    NOT_REACHED = "not reached"
    MISSING = "check missing"
    CHANGED = "check changed"
    NOT_CODE = "not a code cell"
    UNKNOWN = "not known here"


Verdict = tuple[Status, str]  # and the sentence for the learner, "" where the status says it all


def judge(place: Place, runs: Runs, causes: Mapping[int, Cause]) -> Verdict:
    """The status of an exercise or quick check."""
    cell = place.deciding
    if cell is None:
        return _without_call(place)
    run = runs.get(cell.position)
    came_to = outcome(run, cell, place.call)
    if came_to == "right":
        return Status.PASSED, ""
    if place.answer_texts and not place.answers:
        return _not_code(f"exercise {place.slug}", place.answer_texts)
    if run is None or run.error is None or run.error[0] != "CheckFailed":
        return _stopped(place, cell, runs, causes)
    if came_to is None:
        return Status.NOT_REACHED, (
            f"Code cell {cell.number} stopped at {run.error[1].partition(':')[0]}, before it came to this: "
            "give each a cell of its own."
        )
    sentence = run.error[1].removeprefix(f"{place.slug}:").strip()
    if place.is_stub or sentence.lower().startswith(_BLANK):
        return Status.UNANSWERED, ""
    cause = causes.get(cell.position)
    if cause is None or cause.label == place.slug:
        return Status.WRONG, sentence
    return _follows(cause) if cause.sure else (Status.WRONG, sentence + _may_follow(cause))


def what_happened(run: CellRun) -> str:
    """What a cell did, as the end of a sentence that begins with the cell."""
    if run.stopped == "timeout":
        return "was stopped at the time limit"
    if run.stopped == "flooded":
        return "was stopped because it printed without end"
    if run.stopped == "died":
        return "ended the kernel (out of memory, or an exit)"
    assert run.error is not None
    name, message = run.error
    first = next((line.strip().rstrip(".") for line in message.splitlines() if line.strip()), "")
    return f"stopped with {name}: {first}" if first else f"stopped with {name}"


def _without_call(place: Place) -> Verdict:
    call = '{}("{}", ...)'.format(*place.call)
    if place.texts:
        return _not_code(call, place.texts)
    if place.silent:
        cell = place.silent[-1]
        if mentions(cell.source, place.call):
            return Status.CHANGED, (
                f"In code cell {cell.number}, {call} stands inside an `if`, a loop, a `try` or a function, "
                "where it may not run or not count: let it stand by itself."
            )
        return Status.CHANGED, f"Code cell {cell.number} no longer has its {call}."
    if place.answers or place.answer_texts:
        return Status.MISSING, f"The exercise is there, but the cell with {call} is not."
    return Status.MISSING, ""


def _not_code(what: str, texts: tuple[TextCell, ...]) -> Verdict:
    return Status.NOT_CODE, (
        f"The cell with {what} is now {texts[-1].kind}: turn it back into a code cell."
    )


def _follows(cause: Cause) -> Verdict:
    return Status.NOT_REACHED, f"Follows from {cause.label}."


def _may_follow(cause: Cause) -> str:
    return f" It uses what comes from {cause.label}: mend that first."


def _stopped(place: Place, cell: CodeCell, runs: Runs, causes: Mapping[int, Cause]) -> Verdict:
    """Not the check's own words: where it went wrong is the first of these cells that did."""
    for culprit in [*place.answers, cell]:
        done = runs.get(culprit.position, _RAN)
        if done.fine:
            continue
        unwritten = done.error is not None and done.error[0] == "NotImplementedError"
        if unwritten and is_stub(culprit):
            return Status.UNANSWERED, ""
        cause = causes.get(culprit.position)
        follows = cause is not None and cause.label != place.slug
        if follows and cause.sure:
            return _follows(cause)
        if unwritten:
            return Status.UNANSWERED, ""
        if culprit is cell and done.missing_name is not None:
            return _for_want_of_a_name(place, cell, done, done.missing_name)
        status = Status.TIMEOUT if done.stopped == "timeout" else Status.ERROR
        sentence = f"Code cell {culprit.number} {what_happened(done)}."
        if follows:
            sentence += _may_follow(cause)
        return status, sentence
    return Status.NOT_REACHED, "Earlier cells had to be stopped too often. Mend those first."


def _for_want_of_a_name(place: Place, cell: CodeCell, run: CellRun, name: str) -> Verdict:
    """What to say where the check did not find what it should be given."""
    texts = [text for text in place.answer_texts if name in made(text.source)]
    if texts:
        return _not_code(f"exercise {place.slug}", tuple(texts))
    below = [
        answer
        for answer in place.answers
        if answer.position > cell.position and name in made(answer.source)
    ]
    if below:
        return Status.ERROR, (
            f"The exercise (code cell {below[0].number}) stands below its check "
            f"(code cell {cell.number}): move it above."
        )
    empty = [answer for answer in place.answers if not answer.source.strip()]
    if empty:
        return Status.UNANSWERED, (
            f"Code cell {empty[-1].number}, where the exercise was, is empty. "
            "A fresh notebook has what stood there."
        )
    return Status.ERROR, (
        f"Code cell {cell.number} {what_happened(run)}. No cell above it makes `{name}`."
    )
