"""A grading run: what is written, resuming, gradebooks, and pages that hostile names cannot break."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from io import StringIO
from unittest.mock import Mock
from xml.etree import ElementTree

import pytest
from here import Here

from mi_tutor.classroom import grader as grading
from mi_tutor.classroom import ledger
from mi_tutor.classroom.alike import pairs, print_of
from mi_tutor.classroom.ledger import InUse, Ledger, alone
from mi_tutor.classroom.marks import Graded
from mi_tutor.classroom.running import Job, run_all
from mi_tutor.classroom.whole_class import Late, NothingHandedIn, Options, grade_class

FORWARD = "def toy_forward(x, W, b):\n    return torch.relu(x @ W.T @ W + b)"
NAMES = ["ada", "=1+1", "<script>alert(1)</script>", "@SUM(A1)", "Jürgen 'x'", "a\u202eb"]


@pytest.fixture
def run(grader, small, tmp_path, monkeypatch):
    """Grade what is in `tmp_path/in`, with the tests' own grader."""
    monkeypatch.setitem(grading._kept, grader.settings, grader)
    options = Options(secret=grader.settings.secret)

    def go(**more):
        Here.ran = 0
        rows = grade_class(
            [tmp_path / "in"], tmp_path / "out", small.folder, options._replace(**more), make=Here
        )
        return {row.name: row for row in rows}, Here.ran

    (tmp_path / "in").mkdir()
    return go


def hand_in(tmp_path, small, learner: str, **answers: str):
    file = tmp_path / "in" / f"{learner}.ipynb"
    small.submit(**answers).rename(file)
    return file


@pytest.mark.slow
def test_a_class(run, small, tmp_path):
    for name in NAMES:
        if "/" not in name:
            hand_in(tmp_path, small, name, toy_forward=FORWARD)
    (tmp_path / "in" / "broken.ipynb").write_text('{"cells": <b>')
    rows, ran = run()
    assert ran == 6 and len(rows) == 6
    assert rows["ada"].score > 0 and rows["broken"].graded.problem
    out = tmp_path / "out"
    for name in (
        "gradebook.csv",
        "gradebook-canvas.csv",
        "gradebook-moodle.csv",
        "gradebook-nbgrader.csv",
    ):
        cells = [
            cell for line in csv.reader(StringIO((out / name).read_text("utf-8"))) for cell in line
        ]
        assert not any(cell.startswith(("=", "@", "+", "\t")) for cell in cells)
        assert "'=1+1" in cells
    suites = ElementTree.parse(out / "junit.xml").getroot()
    assert len(suites) == 6 and sum(int(s.get("errors")) for s in suites) == 1
    pages = list((out / "feedback").glob("*.html"))
    assert len(pages) == 6
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert "<script" not in text and "<b>" not in text
    summary = (out / "summary.html").read_text(encoding="utf-8")
    assert 'aria-label="A bar for each' in summary and "broken" in summary
    assert (out / "secret").exists() is False  # one was given


@pytest.mark.slow
def test_nothing_is_graded_twice_and_nothing_is_lost(run, small, tmp_path):
    """Cut off after any byte, the results go on from there and end the same."""
    for name in ("ada", "bob", "eve"):
        hand_in(tmp_path, small, name, toy_forward=FORWARD if name != "bob" else "toy_forward = 1")
    whole, ran = run()
    assert ran == 3 and run()[1] == 0
    ledger = tmp_path / "out" / "results.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    for cut, again in ((len(lines[0]), 2), (len(lines[0]) + 40, 2), (3, 3), (0, 3)):
        ledger.write_bytes(b"".join(lines)[:cut])
        rows, ran = run()
        assert ran == again
        assert {n: r.score for n, r in rows.items()} == {n: r.score for n, r in whole.items()}
        assert len(Ledger(ledger).lines) == 3
    hand_in(tmp_path, small, "bob", toy_forward=FORWARD)
    rows, ran = run()
    assert ran == 1 and rows["bob"].score == rows["ada"].score
    assert all(
        json.loads(line) for line in ledger.read_text().splitlines() if line.startswith('{"key')
    )


def test_two_at_once_do_not_mix_their_results(tmp_path, monkeypatch):
    out = tmp_path / "out"
    with alone(out), alone(tmp_path / "other"), pytest.raises(InUse, match="out"), alone(out):
        pass
    with alone(out):
        assert list(out.iterdir()) == []  # nothing that would have to be tidied up
        refuse = OSError(errno.EBADF, "as network drives do")
        monkeypatch.setattr(ledger.fcntl, "flock", Mock(side_effect=refuse))
        with alone(out):  # no locks there, and no reason not to grade
            pass


def test_where_nothing_is_nothing_is_written(run, tmp_path):
    (tmp_path / "in" / ".DS_Store").touch()
    with pytest.raises(NothingHandedIn, match="in"):
        run()
    assert not (tmp_path / "out" / "gradebook.csv").exists()


def test_late_anonymous_and_partial(run, small, tmp_path, monkeypatch, grader):
    file = hand_in(tmp_path, small, "ada", toy_forward=FORWARD)
    os.utime(file, (200_000, 200_000))
    rows, _ = run(late=Late(due=100_000, per_day=0.1))
    assert (rows["ada"].days, rows["ada"].share) == (2, 0.8)
    assert rows["ada"].score == pytest.approx(0.8 * rows["ada"].graded.earned)
    rows, ran = run(anonymous=True)
    assert ran == 0 and "ada" not in rows and next(iter(rows)).startswith("learner-")
    told = [file for file in (tmp_path / "out").rglob("*.*") if file.name != "results.jsonl"]
    assert len(told) == 8 and not [f for f in told if re.search(r"\bada\b", f.read_text())]


def test_alike():
    long = "def f(x):\n" + "".join(f"    x{i} = x + {i}\n" for i in range(20)) + "    return x"
    renamed = long.replace("x", "y").replace("def f", "def g") + "  # mine"
    assert print_of([long]) == print_of([renamed]) != ""
    assert print_of([long.replace("+ 3", "+ 4")]) != print_of([long])
    assert print_of(["x = 1"]) == "" and print_of(["x ="]) == ""
    learners = [
        ("ada", {"a": "1", "b": "2"}),
        ("bob", {"a": "1", "b": "2"}),
        ("eve", {"a": "1", "b": "3"}),
    ]
    learners += [(f"l{i}", {"a": f"x{i}", "b": "common"}) for i in range(40)]
    assert pairs(learners) == [("ada", "bob", ("a", "b"))]
    three = [
        (name, {"a": "1", "b": "2"}) for name in ("ada", "bob", "eve")
    ]  # in a small class, too
    assert len(pairs([*three, *learners[3:23]])) == 3


class Dies(Here):
    """An executor whose process is killed by one job, once or always; what waits behind it is lost as well."""

    deaths = 0

    def submit(self, function, /, settings, learner, path):
        future = Future()
        if learner == "mallory" and Dies.deaths < self.most:
            Dies.deaths += 1
            future.set_exception(BrokenProcessPool("killed"))
        else:
            future.set_result(Graded(learner, "01", ()).as_data())
        return future


@pytest.mark.parametrize(("most", "problem"), [(1, ""), (9, "It ended the grader, twice.")])
def test_a_grader_that_dies_is_replaced(monkeypatch, most, problem):
    monkeypatch.setattr(Dies, "most", most, raising=False)
    monkeypatch.setattr(Dies, "deaths", 0)
    jobs = [Job(name, name, "") for name in ("ada", "mallory", "eve")]
    found = {job.key: graded.problem for job, graded in run_all(jobs, None, Dies)}
    assert found == {"ada": "", "eve": "", "mallory": problem}
