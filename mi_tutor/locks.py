"""One at a time, also on drives without locks."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from filelock import BaseFileLock

SOFT = ".soft"  # at the end of a file that stands for a lock


def acquire(path: Path, seconds: float, **how: Any) -> BaseFileLock:
    """Take a lock. On a drive without locks a file beside it, which is there or not, has to do.

    Raises:
        filelock.Timeout: somebody else has it; its `lock_file` says which file.
        OSError: it cannot be written.
    """
    from filelock import FileLock, SoftFileLock

    lock: BaseFileLock = FileLock(path)
    try:
        lock.acquire(timeout=seconds, **how)
    except (NotImplementedError, OSError) as error:
        # A Timeout is an OSError, too, without a number.
        if isinstance(error, OSError) and error.errno not in (errno.ENOLCK, errno.ENOTSUP):
            raise
        lock = SoftFileLock(path.with_name(path.name + SOFT))
        lock.acquire(timeout=seconds, **how)
    return lock
