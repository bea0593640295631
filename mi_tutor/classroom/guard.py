"""A verdict on hostile data that does not end, or wants too much memory, costs its exercise and nothing else."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from mi_tutor.teach.limits import TimeLimitReached, work_limit

SECONDS = 300.0  # of the processor, for one exercise: references, known mistakes and comparing
MEMORY = 4 * 2**30  # bytes of addresses above what the judge has


class Stuck(Exception):
    """A verdict was given up. The message says why."""


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Within limits of time and memory, or `Stuck`; so is whatever else goes wrong in the body.

    A call into C that never returns ends the whole judge: the grading run then starts another one.
    """
    try:
        with work_limit(SECONDS, _end), _memory(MEMORY):
            yield
    except TimeLimitReached:
        raise Stuck("it took too long") from None
    except MemoryError:
        raise Stuck("it took too much memory") from None
    except Exception as error:
        raise Stuck(f"{type(error).__name__}: {str(error)[:200]}") from error


def _end() -> None:
    os.kill(os.getpid(), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)


@contextlib.contextmanager
def _memory(most: int) -> Iterator[None]:
    """So many bytes more than now, where the system counts them (Linux)."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    now = int(statm.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    limits = [now + most, *(each for each in before if each != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
