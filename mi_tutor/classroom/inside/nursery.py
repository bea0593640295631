"""The process that has imported everything, and forks a worker for each submission.

Started with a clean environment and the number of a socket, before anything secret is known. Over the socket come
orders, each with a socket of its own: "branch" (another such process, warmed with a chapter's cells), "worker",
"probe". A worker goes into the jail before it reads anything of a submission.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from mi_tutor.classroom.channel import send
from mi_tutor.classroom.inside.cells import Cells
from mi_tutor.classroom.inside.serving import serve
from mi_tutor.classroom.jail.bubblewrap import walls as ring_walls
from mi_tutor.classroom.jail.entering import Limits, enter, try_walls

MAX_ORDER = 4096
WARM_SECONDS = 120.0  # for one of the chapter's own cells


def main(number: int) -> None:
    control = socket.socket(fileno=number)
    import_everything()
    control.sendall(json.dumps({"ready": os.getpid()}).encode())
    _serve(control, Cells())


def import_everything() -> None:
    """What every submission needs, and nothing that only a judge needs."""
    import torch

    torch.set_num_threads(1)
    torch.optim.SGD([torch.zeros(1, requires_grad=True)])  # imports a great deal when first made
    import mi_tutor
    from mi_tutor import show  # noqa: F401
    from mi_tutor.teach.registry import exercises, quizzes

    for name in ("check", "quiz", "hint", "progress"):  # answers are judged elsewhere
        setattr(mi_tutor, name, lambda *arguments, **options: None)
    for item in exercises():
        for part in ("reference", "expected", "experiment", "mistakes", "styles", "properties"):
            if hasattr(item, part):
                object.__setattr__(item, part, None)
    for item in quizzes():
        object.__setattr__(item, "options", ())


def _serve(control: socket.socket, cells: Cells) -> None:
    branches: list[int] = []
    while True:
        text, handles, *_ = socket.recv_fds(control, MAX_ORDER, 1)
        if (
            not text
        ):  # the grader is gone; branches end with it, and what they took is counted as taken here
            for pid in branches:
                os.waitpid(pid, 0)
            os._exit(0)
        order = json.loads(text)
        reply: dict[str, Any] = {}
        if order["do"] == "reap":
            reap(order["pid"])
        elif order["do"] == "warm":
            text = Path(order["file"]).read_text(encoding="utf-8")
            reply["ran"] = warm_up(cells, **json.loads(text))
        else:
            gc.freeze()  # a worker's collector would copy every page of what all workers share
            reply["pid"] = _fork(control, handles[0], order, cells)
            os.close(handles[0])
            if order["do"] == "branch":
                branches.append(reply["pid"])
        control.sendall(json.dumps(reply).encode())


def warm_up(cells: Cells, sources: list[str], slugs: list[str]) -> list[bool]:
    """Run a chapter's cells, and open what its exercises give: workers find both done."""
    from mi_tutor.teach.exercise import Exercise, Handle
    from mi_tutor.teach.judging import make_cases
    from mi_tutor.teach.registry import get

    for item in map(get, slugs):
        if isinstance(item, Exercise):
            given = [value for case in make_cases(item, 0) for value in case.inputs.values()]
            for handle in (value for value in given if isinstance(value, Handle)):
                handle.open()
    return [cells.run(0, source, WARM_SECONDS) is None for source in sources]


def reap(pid: int) -> None:
    """End a worker: the group that it leads, or itself where it leads none yet."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _fork(control: socket.socket, handle: int, order: dict[str, Any], cells: Cells) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        control.close()
        channel = socket.socket(fileno=handle)
        if order["do"] == "branch":
            _serve(channel, cells)
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)  # 0 and 1 lead there already
        seen = ring_walls(map(Path, order["readable"])) if order.get("ringed") else []
        if order.get("jail", True):
            limits = Limits(memory=order["memory"]) if "memory" in order else Limits()
            enter(Path(order["folder"]), [Path(path) for path in order["readable"]], limits)
        else:
            os.setsid()
            os.chdir(order["folder"])
        if order["do"] == "probe":
            walls = try_walls(Path(order["outside"]), order["grader"])
            send(channel, {"walls": [*seen, *map(tuple, walls)]})
        else:
            serve(channel, cells)
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    main(int(sys.argv[1]))
