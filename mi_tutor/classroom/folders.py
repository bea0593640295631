"""A folder that a submission could fill as it likes: with bytes, with a million files, deeper than any path."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

MOST = 64 * 2**20  # bytes
EACH = 4096  # bytes that a file or folder takes at least
DEEPEST = 20  # folders within each other
LIFTED, MOST_LIFTED = 150, 10_000  # levels carried up at a time, and how often


def fits(folder: Path) -> bool:
    """Whether there is no more in a folder than a submission may write. It looks no further than it has to."""
    written, waiting = 0, [(folder, 0)]
    while waiting:
        here, depth = waiting.pop()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(here) as found:
            for entry in found:
                with contextlib.suppress(FileNotFoundError):
                    written += max(EACH, entry.stat(follow_symlinks=False).st_size)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((here / entry.name, depth + 1))
                if written > MOST or depth >= DEEPEST:
                    return False
    return True


def remove(folder: Path) -> None:
    """Take a folder away, however deep it goes: what is too deep is carried up, some levels at a time."""
    for _ in range(MOST_LIFTED):
        with contextlib.suppress(RecursionError):
            shutil.rmtree(folder, ignore_errors=True)
        lifted = False
        with contextlib.suppress(OSError, NotImplementedError):  # Windows opens no folders
            lifted = folder.exists() and _lift(folder)
        if not lifted:
            return


def _lift(folder: Path) -> bool:
    """Move what is far down into the folder itself; whether there is anything. A path could not name it."""
    top = here = os.open(folder, os.O_RDONLY)
    try:
        for level in range(LIFTED):
            with os.scandir(here) as found:
                inside = [entry.name for entry in found if entry.is_dir(follow_symlinks=False)]
            if not inside:
                return False
            if level == LIFTED - 1:
                os.rename(inside[0], secrets.token_hex(8), src_dir_fd=here, dst_dir_fd=top)
                return True
            below = os.open(inside[0], os.O_RDONLY | os.O_NOFOLLOW, dir_fd=here)
            if here != top:
                os.close(here)
            here = below
        return False
    finally:
        for each in {top, here}:
            os.close(each)
