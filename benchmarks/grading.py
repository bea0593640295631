"""A class of generated submissions, graded by one command: are the marks just those deserved, and how fast?

Right answers, every known mistake, stubs, every attack of the tests, files that cannot be read; killed without a
warning and resumed. Then, where other graders are installed, one notebook in all of them (`grading_peers`).

    python benchmarks/grading.py --n 300 --jobs 2 [--nbgrader PYTHON] [--otter PYTHON]
    python benchmarks/grading.py --chapters 07 08 --n 60 --memory 3

Attacks are chapter 01's; in others known mistakes of each function that calls no other answer are handed in.

PYTHON is the interpreter of an environment with the course and `pip install nbgrader` (or `otter-grader`) in it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import grading_peers
import grading_run
from grading_class import CHAPTER, SLUGS, Course, Expected, course, generate, mistaken

ATTACKS = Path(__file__).resolve().parents[1] / "tests" / "classroom"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--chapters", nargs="*", default=[CHAPTER])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--memory", type=float, default=0.5, help="GB that a submission may use")
    parser.add_argument("--nbgrader", help="the interpreter that has nbgrader")
    parser.add_argument("--otter", help="the interpreter that has otter-grader")
    chosen = parser.parse_args()
    fine = True
    for chapter in chosen.chapters if chosen.n else ():
        with tempfile.TemporaryDirectory() as name:
            fine &= grade_all(Path(name), chapter, chosen)
    if chosen.nbgrader or chosen.otter:
        grading_peers.compare(chosen.nbgrader, chosen.otter)
    sys.exit(not fine)


def grade_all(folder: Path, chapter: str, chosen: argparse.Namespace) -> bool:
    """Generate, grade, kill, go on, compare and print; whether everything is as deserved."""
    sys.path.insert(0, str(ATTACKS))
    from attacks import ATTACKS as attacks

    ours = chapter == CHAPTER  # the attacks answer one of its exercises
    asked = course(chapter, SLUGS if ours else ())
    aim = (attacks, SLUGS[0]) if ours else ({}, "")
    expected = generate(folder / "in", chosen.n, asked, *aim)
    print(f"chapter {chapter}: {handed_in(expected, asked)}", flush=True)
    (folder / "secret").write_text("a secret of the benchmark")
    (folder / "temporary").mkdir()
    command = [
        sys.executable, "-m", "mi_tutor.cli", "grade", str(folder / "in"), "--out", str(folder / "out"),
        "--secret", str(folder / "secret"), "--jobs", str(chosen.jobs), "--resume",
        "--cell-seconds", "5", "--memory", str(chosen.memory),
    ]  # fmt: skip
    environment = os.environ | {"TMPDIR": str(folder / "temporary")}
    ledger = folder / "out" / "results.jsonl"
    runs = []
    for kill in range(chosen.kills + 1):
        after = (kill + 1) * chosen.n // (chosen.kills + 1)
        until = (ledger, after) if kill < chosen.kills else None
        runs.append(grading_run.run(command, environment, until))
        there = ledger.read_bytes().count(b"\n") if ledger.exists() else 0
        print(f"run {kill + 1}: {runs[-1].seconds:.0f} s, {there} results", flush=True)
    return report(ledger, expected, runs, chosen)


def handed_in(expected: Expected, asked: Course) -> str:
    """How many known mistakes are handed in, of how many."""
    given = {
        (slug, each.said)
        for one in expected.values() if one
        for slug, each in one.items() if slug in asked.right and each.said
    }  # fmt: skip
    known = {(slug, sentence) for slug in asked.right for sentence, _ in mistaken(slug)}
    return f"{len(given)} of {len(known)} known mistakes of {len(asked.right)} exercises"


def report(
    ledger: Path, expected: Expected, runs: list[grading_run.Ran], chosen: argparse.Namespace
) -> bool:
    """Print what came out; whether it is what was deserved."""
    lines = [json.loads(line) for line in ledger.read_text("utf-8").splitlines()]
    graded = {line["graded"]["learner"]: line["graded"] for line in lines}
    wrong = {name: said for name in expected if (said := differs(graded[name], expected[name]))}
    once = len(lines) == len(graded) == len(expected)
    left = sum(run.left for run in runs)
    folders = [path.name for path in (ledger.parents[1] / "temporary").iterdir()]
    each = sorted(one["seconds"] for one in graded.values() if not one["problem"])
    seconds = sum(run.seconds for run in runs)
    print(f"{chosen.n} submissions, {chosen.jobs} jobs, killed {chosen.kills} times and resumed")
    print(f"each graded once: {once}; processes left after a kill: {left}, folders {len(folders)}")
    print(f"exactly the marks deserved: {len(expected) - len(wrong)} of {chosen.n}")
    print(f"memory of all processes at most {max(run.memory for run in runs) / 2**30:.2f} GiB")
    print(f"{seconds:.0f} s in all, {chosen.jobs * seconds / chosen.n:.2f} s of a grader for each")
    print(f"one submission: median {each[len(each) // 2]:.3f} s, {each[0]:.3f} to {each[-1]:.0f} s")
    for name, said in list(wrong.items())[:10]:
        print(f"  {name}: {said}")
    return not wrong and once and not left and not folders


def differs(graded: dict[str, Any], deserved: Any) -> str:
    """How a learner's marks are not what was deserved, or ""."""
    if deserved is None or graded["problem"]:
        return "" if (deserved is None) == bool(graded["problem"]) else graded["problem"] or "read"
    for mark in graded["marks"]:
        points, said = deserved.get(mark["slug"], (0, ""))
        if mark["earned"] != points or not mark["sentence"].startswith(said):
            got = f"{mark['earned']} points ({mark['sentence']!r})"
            return f"{mark['slug']}: {points} points ({said!r}) deserved, {got} given"
    missing = set(deserved) - {mark["slug"] for mark in graded["marks"]}
    return f"no marks for {sorted(missing)}" if missing else ""


if __name__ == "__main__":
    main()
