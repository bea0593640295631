"""The grader's side of the workers: starting them, asking them, and ending them at their limits."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import mi_tutor
from mi_tutor.classroom.channel import Closed, Late, receive, send
from mi_tutor.classroom.folders import fits, remove
from mi_tutor.classroom.jail.bubblewrap import ring
from mi_tutor.teach.wire import Garbled

START_SECONDS = 180.0
GRACE = 5.0  # seconds after a limit, before a worker is killed


class Lost(Exception):
    """A worker is no more. why: "timeout", "died", "full" (it wrote too much) or "garbled"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NoJail(RuntimeError):
    """This machine has no jail, or one with a hole. The message says what."""


class Nursery(NamedTuple):
    """A process that forks workers (`inside.nursery`), with or without a chapter's cells run already."""

    control: socket.socket
    folder: Path
    jail: bool
    process: subprocess.Popen[bytes] | None = None
    ringed: bool = False

    @classmethod
    def start(cls, folder: Path, jail: bool = True) -> Nursery:
        """Start one, within bubblewrap's ring if there is one. It inherits nothing: no environment, no open
        files, no secrets.
        """
        around = ring(folder, readable()) if jail else []
        ours, theirs = socket.socketpair()
        home = folder / "home"
        home.mkdir(exist_ok=True)
        module = "mi_tutor.classroom.inside.nursery"
        command = [*around, sys.executable, "-m", module, str(theirs.fileno())]
        with (folder / "nursery.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                env=clean_environment(home),
                cwd=home,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        theirs.close()
        made = cls(ours, folder, jail, process, bool(around))
        ours.settimeout(START_SECONDS)
        if "ready" not in made._reply():
            said = (folder / "nursery.log").read_text(errors="replace").strip().splitlines()
            raise RuntimeError(f"The workers do not start: {said[-1] if said else 'no word why'}")
        return made

    def _order(self, order: dict[str, Any], handle: int | None = None) -> dict[str, Any]:
        text = json.dumps(order).encode()
        socket.send_fds(self.control, [text], [] if handle is None else [handle])
        return self._reply()

    def _reply(self) -> dict[str, Any]:
        try:
            text = self.control.recv(4096)
        except OSError:
            text = b""
        return json.loads(text) if text else {}

    def branch(self) -> Nursery:
        """Another one, forked from this: what is run in it stays out of this one."""
        ours, theirs = socket.socketpair()
        self._order({"do": "branch"}, theirs.fileno())
        theirs.close()
        ours.settimeout(START_SECONDS)
        return Nursery(ours, self.folder, self.jail, ringed=self.ringed)

    def warm(self, sources: list[str], slugs: list[str]) -> list[bool]:
        """Run cells of ours in it, and open what these exercises give, once for all workers: which cells ran."""
        file = self.folder / "warm.json"
        file.write_text(json.dumps({"sources": sources, "slugs": slugs}), encoding="utf-8")
        return self._order({"do": "warm", "file": str(file)}).get("ran", [])

    def worker(self, **more: Any) -> Worker:
        """A worker, in the jail, in an empty folder of its own."""
        folder = Path(tempfile.mkdtemp(dir=self.folder, prefix="worker-"))
        ours, theirs = socket.socketpair()
        order = {
            "do": "worker",
            "folder": str(folder),
            "readable": [str(path) for path in readable()],
            "jail": self.jail,
            **more,
        }
        reply = self._order(order, theirs.fileno())
        theirs.close()
        if "pid" not in reply:
            raise Lost("died")
        return Worker(self, ours, reply["pid"], folder)

    def probe(self) -> list[tuple[str, bool]]:
        """The walls of the jail, tried from inside: what was tried, and whether it was refused."""
        outside = self.folder / "outside"
        outside.write_text("out of reach")
        aim = {"outside": str(outside), "grader": os.getpid(), "ringed": self.ringed}
        worker = self.worker(do="probe", **aim)
        try:
            walls = receive(worker.channel, 60.0)["walls"]
        except (Closed, Late, Garbled, KeyError):
            raise NoJail("The jail cannot be entered here.") from None
        finally:
            worker.end()
        intact = outside.read_text() == "out of reach" and not (self.folder / "new").exists()
        return [*map(tuple, walls), ("the file outside is as it was", intact)]

    def try_jail(self, tell: Callable[[str, bool], None] = lambda what, holds: None) -> None:
        """Try every wall. tell: hears what was tried, and whether it was refused.

        Raises:
            NoJail: there is no jail, or one with a hole.
        """
        walls = self.probe()
        for what, holds in walls:
            tell(what, holds)
        holes = [what for what, holds in walls if not holds]
        if holes:
            raise NoJail(f"The jail has a hole: {', '.join(holes)}.")

    def reap(self, pid: int) -> None:
        """End a worker with its threads, and processes where it may have some."""
        self._order({"do": "reap", "pid": pid})

    def close(self) -> None:
        """It ends when its control is closed, and its workers with it."""
        self.control.close()
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)


def clean_environment(home: Path) -> dict[str, str]:
    """The environment of a worker: nothing of the grader's."""
    return {
        "PYTHONPATH": str(Path(mi_tutor.__file__).parent.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "HOME": str(home),
        "MI_TUTOR_HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
    }


def readable() -> list[Path]:
    """What a submission may read: Python, its libraries, the course's package; not its notebooks, nor /proc."""
    package = Path(mi_tutor.__file__).resolve().parent
    system = [
        Path(path) for path in ("/usr", "/lib", "/lib64", "/bin", "/dev/null", "/dev/urandom")
    ]
    python = {Path(path).resolve() for path in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    libraries = {Path(path).resolve() for path in sys.path if "site-packages" in path}
    return [*system, *sorted(python | libraries), package]


class Source(Protocol):
    """Where a worker comes from."""

    def reap(self, pid: int) -> None: ...


class Worker:
    """One worker, as its grader holds it."""

    def __init__(self, nursery: Source, channel: socket.socket, pid: int, folder: Path) -> None:
        self.nursery, self.channel, self.pid, self.folder = nursery, channel, pid, folder
        self.lost: str | None = None

    def ask(self, do: str, within: float, **request: Any) -> dict[str, Any]:
        """Have something done. The reply is read, not believed.

        Raises:
            Lost: no proper reply came in time; the worker has been killed.
        """
        if self.lost:
            raise Lost(self.lost)
        ticket = secrets.token_hex(8)
        try:
            send(self.channel, {"do": do, "ticket": ticket, **request})
            reply = receive(self.channel, within + GRACE, self._watch)
            if reply.pop("ticket", None) != ticket:
                raise Garbled("another ticket")
            return reply
        except (Closed, Late, Garbled, Lost) as error:
            kinds = {Closed: "died", Late: "timeout", Garbled: "garbled"}
            self.lost = kinds.get(type(error), str(error))
            self.end()
            raise Lost(self.lost) from None

    def _watch(self) -> None:
        if not fits(self.folder):
            raise Lost("full")

    def end(self) -> None:
        """Kill it, and take away what it wrote."""
        self.lost = self.lost or "ended"
        self.channel.close()
        if self.pid > 0:
            self.nursery.reap(self.pid)
            self.pid = 0
        remove(self.folder)
