"""The kernel's calls that Python has no name for."""

from __future__ import annotations

import ctypes
import os
import platform

# By machine: the name in seccomp's filters (AUDIT_ARCH_...).
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_libc = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None


def architecture() -> int | None:
    """Of this machine, as filters name it; None where no filter of ours fits."""
    return ARCHITECTURES.get(platform.machine()) if platform.system() == "Linux" else None


def syscall(number: int, *arguments: object) -> int:
    """Raises OSError."""
    assert _libc is not None
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments))


def prctl(option: int, *arguments: int) -> int:
    """Raises OSError."""
    assert _libc is not None
    padded = [*arguments, 0, 0, 0, 0][:4]
    return _checked(_libc.prctl(option, *(ctypes.c_ulong(each) for each in padded)))


def prctl_pointer(option: int, first: int, pointer: object) -> int:
    """The same with a structure as second argument."""
    assert _libc is not None
    return _checked(_libc.prctl(option, ctypes.c_ulong(first), pointer, 0, 0))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
