"""Workers where a process that has imported torch cannot be forked (macOS, Windows): each is started anew.

There is no jail there, so submissions have to be trusted. One worker is always being started ahead, since
importing takes longer than marking.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mi_tutor.classroom.channel import Closed, Late, receive
from mi_tutor.classroom.folders import remove
from mi_tutor.classroom.workers import START_SECONDS, Lost, NoJail, Worker, clean_environment
from mi_tutor.teach.wire import Garbled

# What Python and torch need there to find their libraries.
_KEPT = ("SYSTEMROOT", "WINDIR", "PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")


class Started:
    """A process on its way to being a worker, and the port at which it will call."""

    def __init__(self, home: Path, warm: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=home.parent, prefix="worker-"))
        self.token = secrets.token_hex(16)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(START_SECONDS)
        self._called: tuple[socket.socket, list[bool]] | None = None
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own = {
            "MI_TUTOR_PORT": str(self.listener.getsockname()[1]),
            "MI_TUTOR_TOKEN": self.token,
            "MI_TUTOR_WARM": str(warm),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mi_tutor.classroom.inside.spawned"],
            env=kept | clean_environment(home) | own,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def channel(self) -> tuple[socket.socket, list[bool]]:
        """Wait for its call, if it has not come: the channel, and which of the chapter's cells ran.

        Raises:
            Lost: it did not call, or something else did.
        """
        if self._called:
            return self._called
        try:
            channel, _ = self.listener.accept()
            said = receive(channel, START_SECONDS)
        except (OSError, Closed, Late, Garbled):
            raise Lost("died") from None
        finally:
            self.listener.close()
        if not hmac.compare_digest(str(said.get("token")), self.token):
            channel.close()
            raise Lost("garbled")
        self._called = channel, said["ran"]
        return self._called

    def end(self) -> None:
        self.listener.close()
        if self._called:
            self._called[0].close()
        self.process.kill()
        self.process.wait()
        remove(self.folder)


class Spawner:
    """Does what `workers.Nursery` does, without a fork."""

    jail = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)
        self._warm = Path(tempfile.mkstemp(dir=folder, suffix=".json")[1])
        self._tell([], [])
        self._ahead: Started | None = None
        self._running: dict[int, Started] = {}

    @classmethod
    def start(cls, folder: Path, jail: bool = True) -> Spawner:
        """Raises NoJail if one is asked for."""
        if jail:
            raise NoJail("This machine has no jail for submissions.")
        return cls(folder)

    def branch(self) -> Spawner:
        """Another one, for another chapter."""
        return Spawner(self.folder)

    def warm(self, sources: list[str], slugs: list[str]) -> list[bool]:
        """Have every worker run cells of ours when it starts: which of them ran in the first one."""
        self._tell(sources, slugs)
        first = Started(self.home, self._warm)
        try:
            _, ran = first.channel()
        except Lost:
            first.end()
            raise
        self._ahead = first
        return ran

    def _tell(self, sources: list[str], slugs: list[str]) -> None:
        """Write down what a worker does when it starts."""
        self._warm.write_text(json.dumps({"sources": sources, "slugs": slugs}), encoding="utf-8")

    def worker(self, **more: Any) -> Worker:
        """The worker that was started ahead, in an empty folder of its own; the next one is started."""
        started = self._ahead or Started(self.home, self._warm)
        self._ahead = None
        try:
            channel, _ = started.channel()
        except Lost:
            started.end()
            raise
        self._running[started.process.pid] = started
        self._ahead = Started(self.home, self._warm)
        return Worker(self, channel, started.process.pid, started.folder)

    def reap(self, pid: int) -> None:
        """End a worker."""
        with contextlib.suppress(KeyError):
            self._running.pop(pid).end()

    def try_jail(self, tell: Callable[[str, bool], None] = lambda what, holds: None) -> None:
        """Raises NoJail."""
        raise NoJail("This machine has no jail for submissions.")

    def close(self) -> None:
        """End all that it started."""
        for started in [*self._running.values(), *([self._ahead] if self._ahead else [])]:
            started.end()
        self._running.clear()
        self._ahead = None
