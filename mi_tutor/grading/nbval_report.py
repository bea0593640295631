"""A pytest plugin that writes down, cell by cell, what nbval saw: one JSON line per event, while it runs.

`grading.run` starts pytest with it in a process of its own and reads the lines as they come:
{"event": "kernel", "pid": ...}, {"event": "start", "cell": 3}, {"event": "end", "cell": 3, "error": ...},
{"event": "died", "cell": 3}, {"event": "flooded", "cell": 3} (it printed too much), {"event": "failed",
"message": ...}. Cells count from 1.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, ClassVar

import pytest

from mi_tutor import quick_nbformat  # noqa: F401  (before nbval imports nbformat)
from mi_tutor.peak import peak_bytes

# Bytes. What a cell prints is held in this process's memory, and an endless loop can print without end.
FLOOD = 2**30
MOST_SCORED = 20  # lines of a cell that tell points


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mi_tutor")
    group.addoption("--mi-tutor-report", help="The file to append the events to.")
    group.addoption("--mi-tutor-folder", help="The folder in which the notebook's kernel runs.")


def pytest_configure(config: pytest.Config) -> None:
    from nbval import plugin

    class Kernel(plugin.RunningKernel):
        """nbval's kernel, but in the folder of the notebook whose copy runs, and with its last reply kept."""

        reply: ClassVar[dict[str, Any]] = {}

        def __init__(self, name: str, cwd: str | None = None, **options: Any) -> None:
            super().__init__(name, cwd=config.getoption("--mi-tutor-folder"), **options)

        def get_message(self, stream: str, timeout: float | None = None) -> Any:
            message = super().get_message(stream, timeout)
            if stream == "shell":
                self.reply = message["content"]
            return message

    plugin.RunningKernel = Kernel
    config.pluginmanager.register(_Report(Path(config.getoption("--mi-tutor-report"))))


class _Report:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.running: Any = None
        self.watching = False

    def write(self, event: str, **fields: Any) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"event": event, **fields}) + "\n")

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        for item in items:
            # Comments such as NBVAL_SKIP would make an exercise look as if it had passed.
            item.options = defaultdict(bool)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.write("failed", message=str(report.longrepr))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: Any) -> Any:
        self.write("start", cell=item.cell_num + 1)
        self.running = item
        item.parent.kernel.reply = {}
        self._watch(item)
        try:
            return (yield)
        finally:
            self.running = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: pytest.CallInfo[None]) -> Any:
        report = yield
        if call.when == "setup" and call.excinfo is not None:
            self.write("failed", message=str(call.excinfo.value))
            item.session.shouldstop = "the kernel did not start"
        elif call.when == "call":
            self._ended(item, call.excinfo.value if call.excinfo else None)
        return report

    def _ended(self, item: Any, error: BaseException | None) -> None:
        outputs = item.test_outputs or []
        shown = next((out for out in outputs if out.output_type == "error"), None)
        if shown is not None:
            told = {"name": shown.ename, "message": shown.evalue}
        elif error is not None:
            told = {"name": type(error).__name__, "message": str(error)}
        elif item.parent.kernel.reply.get("status") == "ok":
            told = None
        else:  # an error that was not shown, or could not be: nbval itself looks at what is shown only
            reply = item.parent.kernel.reply
            told = {"name": reply.get("ename", "Error"), "message": reply.get("evalue", "")}
        timed_out = bool(item.parent.timed_out)
        texts = (out.get("text", "") for out in outputs if out.output_type == "stream")
        scored = [line for text in texts for line in text.splitlines() if " points" in line][
            :MOST_SCORED
        ]
        self.write("end", cell=item.cell_num + 1, error=told, timed_out=timed_out, scored=scored)
        if timed_out:  # nbval would go on in a kernel whose state nobody knows
            item.session.shouldstop = "a cell took too long"

    def _give_up(self, why: str) -> None:
        if self.running is not None:
            self.write(why, cell=self.running.cell_num + 1)
            os._exit(3)

    def _watch(self, item: Any) -> None:
        """Notice that the kernel died: nbval itself would wait for the whole time limit."""
        process = getattr(getattr(item.parent.kernel.km, "provisioner", None), "process", None)
        if self.watching or process is None:
            return
        self.watching = True
        self.write("kernel", pid=process.pid)

        parent = os.getppid()

        def wait() -> None:
            while process.poll() is None:
                time.sleep(0.2)
                if os.getppid() != parent:  # whoever asked for this run has been killed
                    process.kill()
                    os._exit(3)
                if peak_bytes() > FLOOD:
                    self._give_up("flooded")
            if self.running is not None:
                time.sleep(1.0)  # its last messages may still be on their way
                self._give_up("died")

        threading.Thread(target=wait, daemon=True).start()
