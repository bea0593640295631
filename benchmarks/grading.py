"""A class of generated submissions, graded by one command: are the marks just those expected, and how fast?

Right answers, known wrong ones, stubs, attacks and broken files; killed in the middle and resumed. Ours alone is
measured: nbgrader and otter need environments of their own (shared measurements: 6 s and 16 s for one submission).

    python benchmarks/grading.py --n 300 --jobs 2
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = "01"
SLUGS = (
    "toy-forward",
    "weighted-loss",
    "interference",
    "almost-orthogonal",
)
ATTACKS = (
    "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "import os; os._exit(0)",
    "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
    "import torch; torch.allclose = torch.equal = lambda *a, **k: True",
    "print('x' * 10**8)",
    "kept = bytearray(8 * 2**30)",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--kills", type=int, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = generate(folder / "in", chosen.n)
        (folder / "secret").write_text("a secret of the benchmark")
        command = [sys.executable, "-m", "mi_tutor.cli", "grade", str(folder / "in"),
                   "--out", str(folder / "out"), "--secret", str(folder / "secret"),
                   "--jobs", str(chosen.jobs), "--resume"]  # fmt: skip
        started, before = time.monotonic(), cpu_seconds()
        for kill in range(chosen.kills):
            after = (kill + 1) * chosen.n // (chosen.kills + 1)
            killed_after(command, folder / "out" / "results.jsonl", after)
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        spent, cpu = time.monotonic() - started, cpu_seconds() - before
        report(folder / "out" / "results.jsonl", expected, spent, cpu, chosen)


def generate(folder: Path, n: int) -> dict[str, int | None]:
    """Submissions, and the points that each deserves (None: a file that cannot be read)."""
    from mi_tutor.teach.registry import get

    folder.mkdir()
    solved = json.loads(next((ROOT / "solutions").glob(f"{CHAPTER}_*.ipynb")).read_text("utf-8"))
    blank = json.loads(next((ROOT / "chapters").glob(f"{CHAPTER}_*.ipynb")).read_text("utf-8"))
    right = {slug: text_of(solved, slug) for slug in SLUGS}
    chance, expected = random.Random(0), {}
    for number in range(n):
        learner = f"learner-{number:03}"
        if number % 50 == 49:
            (folder / f"{learner}.ipynb").write_text('{"cells": [' * (number % 3))
            expected[learner] = None
            continue
        points, answers = 0, {}
        for slug in SLUGS:
            kind = chance.choice(("right", "right", "right", "mistake", "stub"))
            if kind == "right":
                answers[slug], points = right[slug], points + get(slug).points
            elif kind == "mistake":
                answers[slug] = (
                    f"{right[slug]}\n\ndef {name_of(right[slug])}(*given):\n    return given[0]"
                )
        if number % 10 == 3 and "toy-forward" in answers:
            attack = ATTACKS[(number // 10) % len(ATTACKS)]
            points -= get("toy-forward").points * (answers["toy-forward"] == right["toy-forward"])
            answers["toy-forward"] = f"{attack}\ndef toy_forward(x, W, b):\n    return x"
        made = json.loads(json.dumps(blank))
        for cell in made["cells"]:
            marks = cell["metadata"].get("mi_tutor", {})
            if marks.get("role") == "exercise" and marks["exercise"] in answers:
                cell["source"] = answers[marks["exercise"]]
        (folder / f"{learner}.ipynb").write_text(json.dumps(made))
        expected[learner] = points
    return expected


def text_of(notebook: dict[str, Any], slug: str) -> str:
    marks = {"exercise": slug, "role": "exercise"}
    (cell,) = (c for c in notebook["cells"] if c["metadata"].get("mi_tutor") == marks)
    return "".join(cell["source"])


def name_of(source: str) -> str:
    return source.partition("def ")[2].partition("(")[0]


def killed_after(command: list[str], ledger: Path, lines: int) -> None:
    """Start, and kill the whole of it without a warning once so many results are there."""
    process = subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None:
        if ledger.exists() and ledger.read_bytes().count(b"\n") >= lines:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        time.sleep(0.05)


def cpu_seconds() -> float:
    return sum(os.times()[2:4])


def report(
    ledger: Path,
    expected: dict[str, int | None],
    spent: float,
    cpu: float,
    chosen: argparse.Namespace,
) -> None:
    lines = [json.loads(line) for line in ledger.read_text("utf-8").splitlines()]
    found = {
        line["graded"]["learner"]: None if line["graded"]["problem"]
        else sum(mark["earned"] for mark in line["graded"]["marks"])
        for line in lines
    }  # fmt: skip
    wrong = {
        name: (points, found.get(name))
        for name, points in expected.items()
        if found.get(name) != points
    }
    each = sorted(line["graded"]["seconds"] for line in lines if not line["graded"]["problem"])
    print(f"{chosen.n} submissions, {chosen.jobs} jobs, killed {chosen.kills} times and resumed")
    fine, middle = len(expected) - len(wrong), each[len(each) // 2]
    print(f"graded once: {len(lines) == len(expected)}; marks as expected: {fine} of {chosen.n}")
    print(f"{spent:.1f} s in all, {chosen.n / spent:.2f} submissions per second, start-up included")
    print(f"one submission: median {middle:.3f} s, {each[0]:.3f} to {each[-1]:.1f} s")
    print(f"processor time of the graders, without their workers: {cpu:.1f} s")
    for name, (points, seen) in list(wrong.items())[:10]:
        print(f"  {name}: expected {points}, got {seen}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
