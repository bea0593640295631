"""A small class of generated submissions: exactly the marks they deserve, though it is interrupted twice.

`make bench-grading` does the same with 300, a real chapter, and kills.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attacks import ATTACKS, FORWARD, LOSS
from here import Here

from mi_tutor.classroom import grader as grading
from mi_tutor.classroom.whole_class import Options, grade_class

ROOT = Path(__file__).parents[2]
RIGHT = {"toy-forward": FORWARD, "weighted-loss": LOSS}
QUICK = ("a forged verdict", "equal to everything", "the registry asked", "an abort")


class Interrupted(Exception):
    pass


@pytest.mark.slow
def test_exactly_the_marks_deserved(grader, small, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from grading import differs
    from grading_class import Course, generate

    blank = json.loads((small.folder / "01_small.ipynb").read_text())
    attacks = {name: ATTACKS[name] for name in QUICK}
    expected = generate(tmp_path / "in", 20, Course(blank, RIGHT), attacks, "toy-forward")
    assert sum(deserved is None for deserved in expected.values()) == 2

    monkeypatch.setitem(grading._kept, grader.settings, grader)
    options = Options(secret=grader.settings.secret)
    for stop in (6, 13, None):

        def tell(told, stop=stop):
            if told.done == stop:
                raise Interrupted

        try:
            grade_class([tmp_path / "in"], tmp_path / "out", small.folder, options, tell, Here)
        except Interrupted:
            assert stop
    lines = (tmp_path / "out" / "results.jsonl").read_text().splitlines()
    found = {graded["learner"]: graded for graded in (json.loads(line)["graded"] for line in lines)}
    assert len(lines) == len(found) == len(expected) == 20
    assert {n: differs(found[n], expected[n]) for n in expected} == dict.fromkeys(expected, "")
