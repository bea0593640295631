"""One notebook with one exercise in torch, marked by nbgrader, by otter and by `mi-tutor grade` in the same run.

Theirs is the time for one submission of several, started as their documentation says; ours is what each further
submission of a class takes, and the start beside it: the course's workers are warm from the second one on.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mi_tutor.classroom.workers import clean_environment

ROOT = Path(__file__).resolve().parents[1]
ANSWER = "def toy_forward(x, W, b):\n    return torch.relu(x @ W.T @ W + b)"
STUB = 'def toy_forward(x, W, b):\n    raise NotImplementedError("your code here")'
CHECK = 'check("toy-forward", toy_forward)'
FEW, MANY = 10, 70  # submissions of two classes: what the difference takes, no start is in
OF_PEERS = 3
CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "x"\nc.ClearSolutions.enabled = False\n'
OTTER_TEST = f"""
OK_FORMAT = True
test = {{"name": "toy-forward", "points": 2, "suites": [{{"type": "doctest", "cases": [{{"code": r'''
>>> import contextlib, io
>>> with contextlib.redirect_stdout(io.StringIO()):
...     _ = {CHECK}
'''}}]}}]}}
"""


class Took(NamedTuple):
    """By the clock, and of the processor with all processes that it started."""

    seconds: float
    cpu: float

    def __sub__(self, other: Took) -> Took:  # type: ignore[override]
        return Took(self.seconds - other.seconds, self.cpu - other.cpu)

    def over(self, count: int) -> Took:
        """For each of so many."""
        return Took(self.seconds / count, self.cpu / count)


def compare(nbgrader: str | None, otter: str | None) -> None:
    """Print a line for each grader, and how many times as long as ours the others take."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = {}
        for jobs in (1, 2):
            few, many = (of_ours(folder / f"{jobs}-{n}", n, jobs) for n in (FEW, MANY))
            ours[jobs] = (many - few).over(MANY - FEW)
            start = few.seconds - FEW * ours[jobs].seconds
            say(f"mi-tutor, {jobs} at once", ours[jobs], f"start {start:.1f} s, once")
        for python, peer, grade in (
            (nbgrader, "nbgrader", of_nbgrader),
            (otter, "otter", of_otter),
        ):
            if python:
                took = grade(folder / peer, python)
                ratios = [
                    f"{took.seconds / each.seconds:.0f} times ours with {n}"
                    for n, each in ours.items()
                ]
                of_cpu = f"of the processor {took.cpu / ours[1].cpu:.0f} times"
                say(peer, took, ", ".join([*ratios, of_cpu]))


def say(who: str, took: Took, more: str) -> None:
    print(f"{who:<20}{took.seconds:8.3f} s  {took.cpu:7.3f} CPU s   {more}", flush=True)


def of_ours(folder: Path, n: int, jobs: int) -> Took:
    """A whole run of the command on n submissions."""
    (folder / "in").mkdir(parents=True)
    (folder / "chapters").mkdir()
    write(folder / "chapters" / "01_one.ipynb", notebook(STUB))
    for number in range(n):
        write(folder / "in" / f"learner-{number}.ipynb", notebook(ANSWER))
    mi_tutor = [sys.executable, "-m", "mi_tutor.cli"]
    command = [*mi_tutor, "grade", "in", "--out", "out", "--jobs", str(jobs)]
    took = timed(command, folder, {})
    text = (folder / "out" / "results.jsonl").read_text("utf-8")
    earned = [json.loads(line)["graded"]["marks"][0]["earned"] for line in text.splitlines()]
    assert earned == [2] * n, earned
    return took


def of_nbgrader(folder: Path, python: str) -> Took:
    """`nbgrader autograde` of some submissions; releasing them is not counted."""
    source = folder / "source" / "ps"
    source.mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(CONFIG)
    write(source / "one.ipynb", notebook(STUB))
    more = {"PATH": os.pathsep.join([str(Path(python).parent), os.environ["PATH"]])}
    timed([python, "-m", "nbgrader", "generate_assignment", "ps"], folder, more)
    released = json.loads((folder / "release" / "ps" / "one.ipynb").read_text("utf-8"))
    for cell in released["cells"]:
        if "NotImplementedError" in "".join(cell["source"]):
            cell["source"] = ANSWER
    for number in range(OF_PEERS):
        handed_in = folder / "submitted" / f"learner-{number}" / "ps"
        handed_in.mkdir(parents=True)
        write(handed_in / "one.ipynb", released)
    took = timed([python, "-m", "nbgrader", "autograde", "ps"], folder, more)
    timed([python, "-m", "nbgrader", "export", "--to=grades.csv"], folder, more)
    rows = [line.split(",") for line in (folder / "grades.csv").read_text().splitlines()]
    assert [float(row[rows[0].index("score")]) for row in rows[1:]] == [2.0] * OF_PEERS, rows
    return took.over(OF_PEERS)


def of_otter(folder: Path, python: str) -> Took:
    """`otter run` for each of some submissions; making the autograder is not counted."""
    (folder / "tests").mkdir(parents=True)
    (folder / "tests" / "q1.py").write_text(OTTER_TEST)
    write(folder / "one.ipynb", notebook(ANSWER))
    otter = [python, "-m", "otter"]
    timed([*otter, "generate", "-t", "tests", "-o", "autograder.zip"], folder, {})
    total = Took(0.0, 0.0)
    for number in range(OF_PEERS):
        (folder / f"out-{number}").mkdir()
        command = [*otter, "run", "one.ipynb", "-a", "autograder.zip", "-o", f"out-{number}"]
        took = timed(command, folder, {})
        total = Took(total.seconds + took.seconds, total.cpu + took.cpu)
        found = json.loads((folder / f"out-{number}" / "results.json").read_text("utf-8"))
        assert sum(test["score"] for test in found["tests"] if test.get("score")) == 2, found
    return total.over(OF_PEERS)


def timed(command: Sequence[str], folder: Path, more: dict[str, str]) -> Took:
    """Run it with an environment of its own, and to its end."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {"PATH": os.environ["PATH"]} | clean_environment(home) | more
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    shutil.rmtree(home, ignore_errors=True)
    return Took(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def notebook(answer: str) -> dict[str, Any]:
    """The notebook: imports, the exercise, its check; with the marks of all three graders."""

    def code(source: str, role: str | None, **nbgrader: Any) -> dict[str, Any]:
        own = {"mi_tutor": {"exercise": "toy-forward", "role": role}} if role else {}
        theirs = {"schema_version": 3, "locked": False, "task": False, **nbgrader}
        return {
            "cell_type": "code", "id": role or "setup", "execution_count": None, "outputs": [],
            "metadata": own | ({"nbgrader": theirs} if nbgrader else {}), "source": source,
        }  # fmt: skip

    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "nbformat": 4, "nbformat_minor": 5,
        "metadata": {"mi_tutor": {"chapter": "01", "folder": "chapters"}, "kernelspec": kernel},
        "cells": [
            code("import torch\nfrom mi_tutor import check", None),
            code(answer, "exercise", grade=False, solution=True, grade_id="toy-forward"),
            code(CHECK, "check", grade=True, solution=False, points=2, grade_id="toy-forward-check"),
        ],
    }  # fmt: skip


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")
