"""Folders for a while, which go even if the process that made them was killed: the next run takes them away.

Each has a file that its process keeps locked. A lock ends with its process, whatever ended it; so a folder whose
file can be locked is nobody's any more, on this machine and on any other that sees the folder.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mi_tutor.classroom import folders

try:
    import fcntl
except ImportError:  # Windows: nothing is locked, and nothing but our own taken away
    fcntl = None  # type: ignore[assignment]

PREFIX, LOCK = "mi_tutor-", "in-use"
_held: dict[Path, int] = {}


def make(what: str) -> Path:
    """A folder that is this process's until `remove`, or its end."""
    made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{what}-"))
    if fcntl is not None:
        # Locked before it has its name: nobody ever sees it unlocked.
        handle = os.open(made / "new", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        (made / "new").rename(made / LOCK)
        _held[made] = handle
    return made


def remove(folder: Path) -> None:
    """Take it away, and with it what a submission left there."""
    _take_away(folder)
    if (handle := _held.pop(folder, None)) is not None:
        os.close(handle)


def _take_away(folder: Path) -> None:
    """Take a folder away, its lock last: killed in the middle of it, the next run still knows whose it was."""
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                folders.remove(Path(entry))
            elif entry.name != LOCK:
                Path(entry).unlink(missing_ok=True)
    folders.remove(folder)


@contextlib.contextmanager
def folder(what: str) -> Iterator[Path]:
    """One that goes when the block ends."""
    made = make(what)
    try:
        yield made
    finally:
        remove(made)


def tidy() -> int:
    """Take away what killed processes of this user left: how many folders."""
    if fcntl is None:
        return 0
    return sum(map(_abandoned, Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*/{LOCK}")))


def _abandoned(lock: Path) -> bool:
    """Whether a folder was nobody's; then it is gone."""
    with contextlib.suppress(OSError):
        if lock.parent.is_symlink() or lock.parent.stat().st_uid != os.geteuid():
            return False
        handle = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _take_away(lock.parent)
            return not lock.parent.exists()
        finally:
            os.close(handle)
    return False
