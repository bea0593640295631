"""Landlock: which files a process and its children may read and write, whoever they are. It cannot be undone."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from mi_tutor.classroom.jail.kernel import prctl, syscall

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_NO_NEW_PRIVS = 38
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_OF_FILES = (
    0b1_0000_0000_0110  # what can be allowed on a file: write, read, truncate (not: execute)
)
# How many kinds of access to files each version of landlock knows.
_KNOWN = {1: 13, 2: 14, 3: 15, 4: 15}
_KNOWN_SINCE_5 = 16
_NETWORK = 0b11  # bind and connect, from version 4
_SCOPES = 0b11  # abstract sockets and signals, from version 6


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """Of the kernel's landlock; 0 where there is none."""
    try:
        return syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    except OSError:
        return 0


def confine(readable: Iterable[Path], writable: Iterable[Path]) -> None:
    """From now on this process reads and writes there and nowhere else, and runs no other program.

    Raises:
        OSError: landlock is not there, or refuses.
    """
    known = version()
    everything = (1 << _KNOWN.get(known, _KNOWN_SINCE_5)) - 1
    ruleset = _Ruleset(everything, _NETWORK if known >= 4 else 0, _SCOPES if known >= 6 else 0)
    size = 8 if known < 4 else 16 if known < 6 else 24
    rules = syscall(
        _CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), ctypes.c_uint32(0)
    )
    try:
        for path in readable:
            _allow(rules, path, _READ_FILE | _READ_DIR)
        for path in writable:
            _allow(rules, path, everything & ~1)  # 1: running a file
        prctl(_NO_NEW_PRIVS, 1)
        syscall(_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
    finally:
        os.close(rules)


def _allow(rules: int, path: Path, access: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        found = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not path.is_dir():
                access &= _OF_FILES | 1 << 14
            beneath = _Beneath(access, found)
            syscall(
                _ADD_RULE,
                ctypes.c_int(rules),
                ctypes.c_int(_PATH_BENEATH),
                ctypes.byref(beneath),
                ctypes.c_uint32(0),
            )
        finally:
            os.close(found)
