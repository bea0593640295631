"""Asking the machine: memory, and torch in a process of its own (it is slow to import, and it can crash)."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

TORCH_SECONDS = 90.0
NETWORK_SECONDS = 2.0
GIB = 2**30

_PROBE = """
import json, warnings
said = {}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import torch
    from mi_tutor.lab.ground.device import best_device
    said["version"], said["threads"] = torch.__version__, torch.get_num_threads()
    said["build"] = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU"
    device = best_device()
    said["device"] = device.type
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info()
        said["name"], said["free"], said["total"] = torch.cuda.get_device_name(), free, total
    try:
        x = torch.arange(6.0).reshape(2, 3)
        y = (x.to(device) @ x.to(device).T).cpu()
        said["works"] = bool(torch.allclose(y, x @ x.T))
    except Exception as error:
        said["works"], said["error"] = False, str(error).strip().splitlines()[0]
said["warnings"] = [str(w.message).strip().splitlines()[0] for w in caught if "CUDA" in str(w.message)]
print(json.dumps(said))
"""


class TorchProbe(NamedTuple):
    """What torch says of itself, or the sentence that says why it says nothing."""

    said: dict[str, Any]
    failure: str | None = None


def start_torch_probe() -> Callable[[], TorchProbe]:
    """Start asking torch; call what is returned to wait for the answer."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROBE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )

    def answer() -> TorchProbe:
        try:
            out, err = process.communicate(timeout=TORCH_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return TorchProbe({}, f"it did not answer within {TORCH_SECONDS:.0f} seconds")
        if process.returncode < 0:
            return TorchProbe({}, f"it crashed with signal {-process.returncode}")
        if process.returncode:
            lines = [line for line in err.splitlines() if line.strip()]
            return TorchProbe(
                {}, lines[-1] if lines else f"it ended with code {process.returncode}"
            )
        return TorchProbe(json.loads(out.splitlines()[-1]))

    return answer


def start_network_probe(address: str) -> Callable[[], str | None]:
    """Start asking whether a host answers; the function returned waits and gives None or why it does not.

    In a thread, because looking up a name cannot be given a time limit.
    """
    found: list[str | None] = []

    def ask() -> None:
        try:
            headers = {"User-Agent": "mi-tutor doctor"}
            request = urllib.request.Request(address, method="HEAD", headers=headers)
            with urllib.request.urlopen(request, timeout=NETWORK_SECONDS):
                found.append(None)
        except urllib.error.HTTPError as error:
            # Any answer of the host itself is an answer; 407 and 5xx are those of a proxy on the way.
            found.append(None if error.code < 500 and error.code != 407 else f"error {error.code}")
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            found.append(getattr(reason, "strerror", None) or str(reason) or type(error).__name__)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()

    def answer() -> str | None:
        thread.join(NETWORK_SECONDS)
        return found[0] if found else f"no answer within {NETWORK_SECONDS:.0f} seconds"

    return answer


class Memory(NamedTuple):
    """Bytes. `total` respects a container's limit; None where the system does not say."""

    total: int | None
    available: int | None


def memory() -> Memory:
    """The memory this process may use."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        total = None
    available = None
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            available = int(line.split()[1]) * 1024
    limit, used = _container()
    if limit is not None and (total is None or limit < total):
        total = limit
        if used is not None:
            free = max(limit - used, 0)
            available = free if available is None else min(available, free)
    return Memory(total, available)


def _container() -> tuple[int | None, int | None]:
    """A container's limit and what of it is used (version 2 of control groups, then version 1)."""
    for limit, used, stat in (
        ("memory.max", "memory.current", "memory.stat"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
    ):
        root = Path("/sys/fs/cgroup")
        numbers = [_text(root / name).strip() for name in (limit, used)]
        if numbers[0].isdigit():
            # Cached files count as used, but they make room when room is needed.
            lines = _text(root / stat).splitlines()
            cached = [line.split()[1] for line in lines if line.startswith("inactive_file ")]
            in_use = int(numbers[1]) - sum(map(int, cached)) if numbers[1].isdigit() else None
            return int(numbers[0]), in_use
    return None, None


def _text(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _windows_memory() -> Memory:  # pragma: no cover
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *(
                (name, ctypes.c_ulonglong)
                for name in ("total", "available", "a", "b", "c", "d", "e")
            ),
        )

    status = Status(length=ctypes.sizeof(Status))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return Memory(None, None)
    return Memory(status.total, status.available)
