"""The learner's progress on disk: one line of JSON per judged answer, only ever appended.

1. `record` takes a lock, starts on a fresh line if a killed process left half of one, writes the event with
   one `write` and waits until the disk has it.
2. `read` skips what is not a whole event. If something else damaged the file, the damaged file is first
   copied aside and then replaced by its readable lines, so nothing that was passed is ever lost.
3. What cannot be saved (no permission, full disk, lock held by a stuck process) is remembered until the
   process ends and saved with the next event that can be. No error of the disk reaches the learner's check.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from mi_tutor.folders import HIDDEN, PROGRESS, current_workspace, home_folder

LOCK_SECONDS = 3.0
IMPATIENT_LOCK_SECONDS = (
    0.1  # when the last attempt failed: a stuck lock should not delay every check
)

_BEGINNING = b'{"time": "'
_EVENT = re.compile(re.escape(_BEGINNING) + rb"[^{}]*\}")

_unsaved: list[Event] = []
_unsaved_lock = threading.RLock()


class Event(NamedTuple):
    """One judged answer. `time` is UTC, ISO 8601; `seconds` how long judging took, if it was measured.

    points: of an investigation, which can be worth a part of its points; else None.
    again: whether a quick check was asked in its second wording; else None.
    """

    time: str
    slug: str
    passed: bool
    seconds: float | None = None
    points: int | None = None
    again: bool | None = None


class Log(NamedTuple):
    """All events in the order in which they were written, and a sentence if something is not in order."""

    events: tuple[Event, ...]
    note: str | None = None


class _Lines(NamedTuple):
    """The parts of a progress file: raw lines that are whole, and how many lines are damaged."""

    whole: list[bytes]
    n_damaged: int


def progress_folder() -> Path:
    """Where progress is kept: `MI_TUTOR_HOME` if it is set, else the workspace, else the user's data folder."""
    workspace = None if os.environ.get("MI_TUTOR_HOME") else current_workspace()
    return workspace / HIDDEN if workspace else home_folder()


def progress_file() -> Path:
    """The file of events. A link to another place is followed, so that replacing the file keeps the link."""
    return Path(os.path.realpath(progress_folder() / PROGRESS))


def record(
    slug: str,
    passed: bool,
    seconds: float | None = None,
    points: int | None = None,
    again: bool | None = None,
) -> str | None:
    """Remember that an answer was judged.

    Returns:
        None, or one sentence for the learner if it could not be saved. The event is then remembered until
        the process ends and saved together with the next one. Never raises for the disk's reasons.
    """
    took = None if seconds is None else round(float(seconds), 3)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    event = Event(now, str(slug), bool(passed), took, points, again)
    with _unsaved_lock:
        patience = IMPATIENT_LOCK_SECONDS if _unsaved else LOCK_SECONDS
        _unsaved.append(event)
        return _save(patience)


def read() -> Log:
    """All events that can be read, those which could not be saved yet included. Never raises for the disk's
    reasons; sets a damaged file aside (see the module's first lines)."""
    with _unsaved_lock:
        waiting = tuple(_unsaved)
    note = None
    try:
        data = _content()
        lines = _split(data)
        if lines.n_damaged:
            note = _set_damaged_aside()
    except OSError as error:
        lines = _Lines([], 0)
        note = f"Your progress could not be read from {progress_folder()} ({_reason(error)})."
    return Log(tuple(_events(lines.whole)) + waiting, note)


def passed_slugs() -> frozenset[str]:
    """Every exercise and quick check that was ever passed: a later failure takes nothing back."""
    return frozenset(event.slug for event in read().events if event.passed)


def attempts(slug: str) -> int:
    """How many answers to this exercise or quick check were judged."""
    return sum(event.slug == slug for event in read().events)


def _save(patience: float = LOCK_SECONDS) -> str | None:
    """Write all events that wait to be saved. None, or the sentence that says why they could not be."""
    if not _unsaved:
        return None
    try:
        with _locked(patience):
            _append(b"".join(_line(event) for event in _unsaved))
    except OSError as error:  # filelock's Timeout is one too
        atexit.unregister(_save)
        atexit.register(_save)
        return (
            f"This result counts, but it could not be saved in {progress_folder()} ({_reason(error)}). It is kept "
            "in memory until the kernel stops. Put that right, or set MI_TUTOR_HOME to another folder."
        )
    _unsaved.clear()
    return None


@contextmanager
def _locked(patience: float) -> Iterator[None]:
    from mi_tutor.locks import acquire

    folder = progress_file().parent
    folder.mkdir(parents=True, exist_ok=True)
    lock = acquire(folder / "progress.lock", patience, poll_interval=0.01)
    try:
        yield
    finally:
        lock.release()


def _append(data: bytes) -> None:
    """Append whole lines with one write, or leave the file as it was. Call it with the lock held."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    fd = os.open(progress_file(), flags, 0o644)
    try:
        size = os.fstat(fd).st_size
        if size:
            os.lseek(fd, size - 1, os.SEEK_SET)
            if os.read(fd, 1) != b"\n":
                data = b"\n" + data
        try:
            if os.write(fd, data) < len(data):
                raise OSError("the disk is full")
            os.fsync(fd)
        except OSError:
            os.ftruncate(fd, size)
            raise
    finally:
        os.close(fd)


def _content() -> bytes:
    try:
        return progress_file().read_bytes()
    except FileNotFoundError:
        return b""


def _line(event: Event) -> bytes:
    fields = {name: value for name, value in event._asdict().items() if value is not None}
    return json.dumps(fields).encode() + b"\n"


def _split(data: bytes) -> _Lines:
    whole: list[bytes] = []
    n_damaged = 0
    for line in data.splitlines():
        if _parse(line) is not None:
            whole.append(line)
        elif line.strip() and not _torn(line):
            n_damaged += 1
            # Whole events can still stand in a damaged line: behind zeros from a power cut, or two in one.
            whole += [found for found in _EVENT.findall(line) if _parse(found) is not None]
    return _Lines(whole, n_damaged)


def _torn(line: bytes) -> bool:
    """Whether a line is the first part of an event, left by a process that was killed while it wrote."""
    return _BEGINNING.startswith(line[: len(_BEGINNING)]) and b"}" not in line


def _parse(line: bytes) -> dict[str, object] | None:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _events(lines: list[bytes]) -> Iterator[Event]:
    for line in lines:
        fields = _parse(line) or {}
        slug, passed, seconds = fields.get("slug"), fields.get("passed"), fields.get("seconds")
        # A line that says something else may come from a newer version: it stays in the file, unread.
        if isinstance(slug, str) and isinstance(passed, bool):
            took = float(seconds) if isinstance(seconds, int | float) else None
            points = fields.get("points")
            worth = points if isinstance(points, int) and points >= 0 else None
            again = fields.get("again")
            asked = again if isinstance(again, bool) else None
            yield Event(str(fields.get("time", "")), slug, passed, took, worth, asked)


def _set_damaged_aside() -> str:
    """Copy the damaged file, then replace it by its readable lines. Returns the sentence that says so."""
    try:
        with _locked(LOCK_SECONDS):
            data = _content()  # again: another process may have mended it, or written more
            lines = _split(data)
            if not lines.n_damaged:
                return "The progress file was damaged and has been mended by another process."
            copy = _copy_aside(data)
            fresh = progress_file().with_suffix(".new")
            _write(fresh, b"".join(line + b"\n" for line in lines.whole), "wb")
            fresh.replace(progress_file())
    except OSError as error:
        return (
            f"The progress file {progress_file()} is damaged in places and could not be mended "
            f"({_reason(error)}). What can be read of it counts."
        )
    return (
        f"{lines.n_damaged} damaged line(s) were found in your progress file. The file as it was is kept as "
        f"{copy}; all that could be read ({len(lines.whole)} results) still counts."
    )


def _copy_aside(data: bytes) -> Path:
    today = datetime.now().strftime("%Y-%m-%d")
    number = 1
    while True:
        copy = progress_file().with_name(f"progress.damaged-{today}-{number}.jsonl")
        try:
            _write(copy, data, "xb")
        except FileExistsError:
            number += 1
        else:
            return copy


def _write(path: Path, data: bytes, mode: str) -> None:
    with path.open(mode) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _reason(error: OSError) -> str:
    if type(error).__name__ == "Timeout":
        return "another program holds its lock"
    return (error.strerror or str(error)).lower()
