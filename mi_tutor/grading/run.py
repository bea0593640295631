"""Running a learner's notebook: every code cell once, from top to bottom, by nbval in a process of its own.

1. A bare copy (code only: no outputs, no tags) is written to a temporary folder; the notebook itself is only read.
2. `pytest --nbval-lax` runs the copy; `grading.nbval_report` writes down what happened, cell by cell.
3. A cell that takes too long or kills the kernel is left out and the copy is run again with a fresh kernel, so
   that one endless loop does not hide the other exercises. After a timeout nothing of the old kernel counts.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mi_tutor.grading.notebook import Notebook

KERNEL_START_SECONDS = 60.0
MAX_ROUNDS = 4
_MISSING_NAME = re.compile(r"name '(\w+)' is not defined")
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class RunError(Exception):
    """The notebook could not be run at all. The message is for the learner."""


class CellRun(NamedTuple):
    """What a cell did. `error`: (class name, message), or None. `stopped`: it took too long ("timeout"),
    killed the kernel ("died") or printed without end ("flooded"). `scored`: what it printed about points."""

    error: tuple[str, str] | None = None
    stopped: str | None = None
    scored: tuple[str, ...] = ()

    @property
    def fine(self) -> bool:
        return self.error is None and self.stopped is None

    @property
    def missing_name(self) -> str | None:
        """The name for want of which it stopped, if that is why."""
        if self.error is None or self.error[0] != "NameError":
            return None
        found = _MISSING_NAME.search(self.error[1])
        return found[1] if found else None


Runs = dict[int, CellRun]  # cell's position -> what it did; a cell that is missing was not reached


def run_notebook(
    notebook: Notebook, cell_seconds: float = 120.0, tell: Callable[[int], None] | None = None
) -> Runs:
    """Run all code cells.

    Args:
        cell_seconds: a cell that runs longer is stopped.
        tell: called with the position of each cell that starts.

    Raises:
        RunError: no kernel, or nbval is not installed.
    """
    runs: Runs = {}
    graded = [cell.position for cell in notebook.cells if cell.calls]
    for _ in range(MAX_ROUNDS):
        left_out = {number for number, run in runs.items() if run.stopped}
        runs |= _run_once(notebook, left_out, cell_seconds, tell or (lambda position: None))
        stopped = [number for number, run in runs.items() if run.stopped and number not in left_out]
        if not stopped or not any(number > stopped[0] and number not in runs for number in graded):
            break
    return runs


def _run_once(
    notebook: Notebook, left_out: set[int], seconds: float, tell: Callable[[int], None]
) -> Runs:
    """Run until the end or until the first cell that has to be stopped."""
    with tempfile.TemporaryDirectory(prefix="mi_tutor-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "notebook.ipynb").write_text(_bare(notebook, left_out), encoding="utf-8")
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        with (folder / "log").open("wb") as log:
            process = _start(folder, notebook, seconds, log)
        kernel: int | None = None
        runs: Runs = {}
        try:
            for event in _events(process, folder / "report", seconds):
                kernel = event.get("pid", kernel)
                if event["event"] == "start":
                    tell(event["cell"])
                elif event["event"] == "failed":
                    raise RunError(f"The notebook could not be run: {_last_line(event['message'])}")
                elif event["event"] != "kernel" and event["cell"] not in left_out:
                    runs[event["cell"]] = _cell_run(event)
        finally:
            _kill(process, kernel)
        if not runs and not left_out and notebook.cells:
            said = (folder / "log").read_text(encoding="utf-8", errors="replace")
            raise RunError(f"The notebook could not be run: {_last_line(said)}")
        return runs


def _bare(notebook: Notebook, left_out: set[int]) -> str:
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{cell.position}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": "" if cell.position in left_out else cell.source,
        }
        for cell in notebook.cells
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


def _start(folder: Path, notebook: Notebook, seconds: float, log: Any) -> subprocess.Popen[bytes]:
    options = (
        "--nbval-lax --nbval-current-env -p mi_tutor.grading.nbval_report -p nbval.plugin "
        "-p no:cacheprovider -p no:warnings --noconftest -q --color=no"
    )
    command = [sys.executable, "-m", "pytest", *options.split(), "-c", str(folder / "pytest.ini")]
    command.append(f"--nbval-cell-timeout={seconds}")
    command.append(f"--nbval-kernel-startup-timeout={KERNEL_START_SECONDS}")
    command.append(f"--mi-tutor-report={folder / 'report'}")
    command.append(f"--mi-tutor-folder={notebook.path.resolve().parent}")
    # The learner's own pytest settings and plugins have no say in this run.
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    if notebook.is_solution:  # what passes there was not passed by whoever runs this
        environment["MI_TUTOR_HOME"] = str(folder / "home")
    return subprocess.Popen(
        [*command, str(folder / "notebook.ipynb")],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _events(
    process: subprocess.Popen[bytes], report: Path, seconds: float
) -> Iterator[dict[str, Any]]:
    """The events as they are written, until pytest ends. A cell that even nbval cannot stop gets an event too."""
    read, running = 0, None
    patience = KERNEL_START_SECONDS + 60
    deadline = time.monotonic() + patience
    while True:
        ended = process.poll() is not None
        lines = report.read_text(encoding="utf-8").split("\n")[:-1] if report.exists() else []
        for line in lines[read:]:
            event = json.loads(line)
            if event["event"] != "kernel":
                running = event["cell"] if event["event"] == "start" else None
            # nbval interrupts at the limit and waits five seconds for an answer before it gives up.
            patience = seconds + 20 if running is not None else 60
            deadline = time.monotonic() + patience
            yield event
        read = len(lines)
        if ended:
            if running is not None:  # pytest itself was killed by what the cell did
                yield {"event": "died", "cell": running}
            return
        if time.monotonic() > deadline:
            if running is None:
                raise RunError(
                    f"The notebook could not be run: nothing happened for {patience:.0f} seconds."
                )
            yield {"event": "end", "cell": running, "error": None, "timed_out": True}
            return
        time.sleep(0.05)


def _cell_run(event: dict[str, Any]) -> CellRun:
    if event["event"] in ("died", "flooded"):
        return CellRun(stopped=event["event"])
    error = event["error"]
    told = (error["name"], _COLOUR.sub("", error["message"])) if error else None
    scored = tuple(_COLOUR.sub("", line) for line in event.get("scored", ()))
    return CellRun(told, "timeout" if event["timed_out"] else None, scored)


def _kill(process: subprocess.Popen[bytes], kernel: int | None) -> None:
    """End pytest and its kernel, which has a process group of its own, with whatever the kernel started."""
    if process.poll() is None:
        process.kill()
    process.wait()
    if kernel is not None:
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(kernel, signal.SIGKILL)
            else:
                os.kill(kernel, signal.SIGTERM)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in _COLOUR.sub("", text).splitlines() if line.strip()]
    return lines[-1] if lines else "pytest ended without a word."
