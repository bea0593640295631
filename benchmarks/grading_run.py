"""A run of `mi-tutor grade` from outside: killed without a warning, watched while it takes memory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LOOK = 0.5  # seconds between two looks at the memory
GONE = 30.0  # seconds in which everything that a killed run had started has to be gone


class Ran(NamedTuple):
    """memory: bytes at most, of all processes together. left: processes that outlived it."""

    seconds: float
    memory: int
    left: int


def run(command: list[str], environment: dict[str, str], until: tuple[Path, int] | None) -> Ran:
    """Run it to its end, or kill it as soon as a file has so many lines."""
    started, peak = time.monotonic(), 0
    process = subprocess.Popen(
        command, env=environment, start_new_session=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    ended = threading.Event()
    waiter = threading.Thread(target=lambda: (process.wait(), ended.set()))
    waiter.start()
    family: dict[int, str] = {}
    while not ended.wait(LOOK):
        family |= tree(process.pid)
        peak = max(peak, sum(map(memory, family)))
        if until and until[0].exists() and until[0].read_bytes().count(b"\n") >= until[1]:
            family |= tree(process.pid)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            until = None
    waiter.join()
    seconds, end = time.monotonic() - started, time.monotonic() + GONE
    while (left := sum(same(pid, born) for pid, born in family.items())) and time.monotonic() < end:
        time.sleep(LOOK)
    return Ran(seconds, peak, left)


def tree(root: int) -> dict[int, str]:
    """A process and all below it: number and time of birth."""
    parents: dict[int, int] = {}
    born: dict[int, str] = {}
    for pid, words in _processes():
        parents[pid], born[pid] = int(words[1]), words[19]
    found = {root} & set(born)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: born[pid] for pid in found}


def _processes() -> Iterator[tuple[int, list[str]]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(folder.name), (folder / "stat").read_text().rpartition(")")[2].split()


def same(pid: int, born: str) -> bool:
    """Whether that process is still there, and not only as an entry that nobody has collected."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return words[19] == born and words[0] != "Z"
    return False


def memory(pid: int) -> int:
    """What a process has in memory; what several share is shared out where the kernel tells us."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
