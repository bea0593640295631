"""results.jsonl: the truth of a grading run. A line is there and whole, or the work is done again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mi_tutor.classroom.marks import Graded

try:
    import fcntl
except ImportError:  # Windows: nothing is locked
    fcntl = None  # type: ignore[assignment]

RESULTS = "results.jsonl"


class InUse(Exception):
    """Another run writes results into the same folder."""


class Line(NamedTuple):
    """One learner and chapter. digest: of the file and of what it was graded by; time: when it was handed in."""

    key: str
    digest: str
    shown: str
    time: float
    graded: Graded


class Ledger:
    """The results so far; what is added is on the disk before it counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = {line.key: line for line in _read(path)}
        _mend(path)

    def has(self, key: str, digest: str) -> bool:
        """Whether this file has been graded, by the same rules."""
        return key in self.lines and self.lines[key].digest == digest

    def add(self, line: Line) -> None:
        """Append a line."""
        data = {**line._asdict(), "graded": line.graded.as_data()}
        text = json.dumps(data) + "\n"
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self.lines[line.key] = line

    def keep(self, keys: set[str]) -> list[Line]:
        """The lines of these keys, in their order."""
        return [line for key, line in sorted(self.lines.items()) if key in keys]


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While this lasts nobody else who asks writes into a folder of results.

    The folder itself is locked: that leaves no file behind, and ends with the process, whatever ended it.
    On a drive without such locks nothing is held.

    Raises:
        InUse: somebody else does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InUse(f"Another run writes into {folder} at this moment.") from None
        yield
    finally:
        os.close(handle)


def digest_of(file: Path, rules: str) -> str:
    """Of a file and of what it is graded by."""
    found = hashlib.blake2b(rules.encode(), digest_size=16)
    with contextlib.suppress(OSError), file.open("rb") as opened:
        while block := opened.read(2**20):
            found.update(block)
    return found.hexdigest()


def _read(path: Path) -> Iterator[Line]:
    """What can be read; the last line may have been cut off."""
    if not path.exists():
        return
    for text in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            data: dict[str, Any] = json.loads(text)
            yield Line(**{**data, "graded": Graded.from_data(data["graded"])})


def _mend(path: Path) -> None:
    """A line that was cut off must not swallow the next one."""
    if path.exists() and path.stat().st_size:
        with path.open("rb+") as file:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
