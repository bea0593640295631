"""Bubblewrap, a further ring where it is installed: the workers then live in a machine of their own.

In it are Python, its libraries, the course and their folder; no other process, no network, no other file. Landlock
and seccomp hold within: a hole in one of them leads into an empty room.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

SECONDS = 60.0  # in which it has to say that it works here
LINKER = ("/etc/ld.so.cache", "/etc/alternatives")
MOST_PROCESSES = 8  # that can be seen in the ring: its own


def ring(folder: Path, readable: Iterable[Path]) -> list[str]:
    """The words before a command that run it in the ring; none where there is no bubblewrap that may be used.

    folder: the one that can be written.
    """
    program = shutil.which("bwrap")
    if program is None:
        return []
    words = [program, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--new-session",
             "--proc", "/proc", "--dev", "/dev"]  # fmt: skip
    for path in [*map(str, readable), *LINKER]:
        if not path.startswith("/dev/"):
            words += ["--ro-bind-try", path, path]
    words += ["--bind", str(folder), str(folder), "--chdir", str(folder)]
    return words if _works(words) else []


def _works(words: Sequence[str]) -> bool:
    """Whether this machine lets it: in a container it often may not."""
    try:
        done = subprocess.run([*words, "true"], capture_output=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def walls(readable: Iterable[Path]) -> list[tuple[str, bool]]:
    """From inside the ring, before any other wall is put up: what is to be seen of the machine."""
    processes = [name for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    networks = {name for _, name in socket.if_nameindex()}
    there = {path.parts[1] for path in map(Path, readable) if len(path.parts) > 1}
    there |= {"proc", "dev", "etc", "tmp", *Path(os.getcwd()).parts[1:2]}  # noqa: PTH109
    return [
        ("bubblewrap: other processes", len(processes) <= MOST_PROCESSES),
        ("bubblewrap: a network", networks <= {"lo"}),
        ("bubblewrap: other folders", set(os.listdir("/")) <= there),  # noqa: PTH208
        ("bubblewrap: the list of users", not Path("/etc/passwd").exists()),
    ]
