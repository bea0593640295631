"""A pytest plugin that writes down, cell by cell, what nbval saw: one JSON line per event, while it runs.

`grading.run` starts pytest with it in a process of its own and reads the lines as they come:
{"event": "kernel", "pid": ...}, {"event": "start", "cell": 3}, {"event": "end", "cell": 3, "error": ...},
{"event": "died", "cell": 3}, {"event": "failed", "message": ...}. Cells count from 1.
"""

from __future__ import annotations

import json
import os
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mi_tutor")
    group.addoption("--mi-tutor-report", help="The file to append the events to.")
    group.addoption("--mi-tutor-folder", help="The folder in which the notebook's kernel runs.")


def pytest_configure(config: pytest.Config) -> None:
    from nbval import plugin

    start_kernel, folder = plugin.RunningKernel, config.getoption("--mi-tutor-folder")

    def start_in_folder(name: str, cwd: str | None = None, **options: Any) -> Any:
        # What runs is a copy elsewhere, and nbval has no option for the folder of the kernel.
        return start_kernel(name, cwd=folder, **options)

    plugin.RunningKernel = start_in_folder
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
        else:
            told = None
        timed_out = bool(item.parent.timed_out)
        self.write("end", cell=item.cell_num + 1, error=told, timed_out=timed_out)
        if timed_out:  # nbval would go on in a kernel whose state nobody knows
            item.session.shouldstop = "a cell took too long"

    def _watch(self, item: Any) -> None:
        """Notice that the kernel died: nbval itself would wait for the whole time limit."""
        process = getattr(getattr(item.parent.kernel.km, "provisioner", None), "process", None)
        if self.watching or process is None:
            return
        self.watching = True
        self.write("kernel", pid=process.pid)

        def wait() -> None:
            process.wait()
            item = self.running
            if item is not None:
                threading.Event().wait(1.0)  # its last messages may still be on their way
                if self.running is item:
                    self.write("died", cell=item.cell_num + 1, code=process.returncode)
                    os._exit(3)

        threading.Thread(target=wait, daemon=True).start()
