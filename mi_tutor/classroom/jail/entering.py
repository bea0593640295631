"""Going into the jail, and trying its walls from inside."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from mi_tutor.classroom.jail import landlock, seccomp
from mi_tutor.classroom.jail.kernel import architecture, prctl, syscall

_DIE_WITH_PARENT, _DUMPABLE = 1, 4
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITIES_VERSION = 0x20080522
GIB = 2**30


class Limits(NamedTuple):
    """What one submission may use. memory: bytes above what is there when it starts."""

    memory: int = 3 * GIB  # of addresses: a whole chapter 06 in one worker takes more than 2
    cpu_seconds: int = 900
    file_bytes: int = 16 * 2**20
    files: int = 64


class Wall(NamedTuple):
    """What was tried from inside, and whether it was refused."""

    what: str
    holds: bool


def can_hold() -> bool:
    """Whether this machine has what a jail is made of. Whether it holds is for `try_walls` to say."""
    return architecture() is not None and landlock.version() > 0


def enter(folder: Path, readable: list[Path], limits: Limits) -> None:
    """Shut this process in: it reads `readable`, writes into `folder`, and dies with its parent.

    Raises:
        OSError: something of it is not to be had here. Nothing of a submission may be run then.
    """
    import resource

    parent = os.getppid()
    with contextlib.suppress(PermissionError):  # it leads a session already
        os.setsid()
    prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    prctl(_DUMPABLE, 0)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    memory = pages * os.sysconf("SC_PAGE_SIZE") + limits.memory
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file that is too long is an error, not an end
    os.chdir(folder)
    _drop_capabilities()
    landlock.confine(readable, [folder])
    seccomp.confine()


def _drop_capabilities() -> None:
    """Root without its powers, should the grader be root."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    none = (ctypes.c_uint32 * 6)()
    syscall(_CAPSET[os.uname().machine], ctypes.byref(header), ctypes.byref(none))


def try_walls(outside: Path, parent: int) -> list[Wall]:
    """From inside: everything that must not work, tried. `outside`: a file that must stay unread and unwritten."""
    tries: list[tuple[str, Callable[[], object]]] = [
        ("reading a file outside", lambda: outside.read_bytes()),
        ("writing a file outside", lambda: outside.write_bytes(b"x")),
        ("making a file beside it", lambda: (outside.parent / "new").write_bytes(b"x")),
        ("running a program", lambda: os.execv(sys.executable, [sys.executable, "-c", "0"])),
        ("another process", _fork),
        ("the network", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()),
        ("a signal to the grader", lambda: os.kill(parent, 0)),
        ("the grader's memory", lambda: _memory_of(parent)),
        ("shared memory", lambda: Path("/dev/shm/mi_tutor-probe").write_bytes(b"x")),
        ("a session of its own", os.setsid),
        ("more memory than its limit", lambda: bytearray(64 * GIB)),
    ]
    return [Wall(what, _refused(attempt)) for what, attempt in tries]


def _memory_of(pid: int) -> None:
    try:
        Path(f"/proc/{pid}/mem").open("rb").close()
    except FileNotFoundError:  # in bubblewrap's ring there is no such process
        raise PermissionError(errno.EACCES, "out of sight") from None


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except MemoryError:
        return True
    except OSError as error:
        return error.errno in {errno.EPERM, errno.EACCES, errno.ENOSYS}
    return False
