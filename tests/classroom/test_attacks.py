"""Submissions that attack the grader, for real: none earns a point, costs anybody else one, or writes outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from attacks import ATTACKS, FORWARD, LOSS, WRONG

from mi_tutor.classroom import remote, workers
from mi_tutor.classroom.marks import Status
from mi_tutor.teach.registry import get


@pytest.fixture(autouse=True)
def impatient(monkeypatch, grader):
    """Limits of seconds, so that what runs for ever costs little here."""
    rules = remote.Rules(cell_seconds=2.0)
    monkeypatch.setattr(grader, "settings", grader.settings._replace(rules=rules))
    monkeypatch.setattr(remote, "PATIENCE", 1.0)
    monkeypatch.setattr(remote, "OPENING", 0.5)
    monkeypatch.setattr(workers, "GRACE", 1.0)
    exercise = get("toy-forward")
    before = exercise.time_limit
    object.__setattr__(exercise, "time_limit", 1.0)
    yield
    object.__setattr__(exercise, "time_limit", before)


@pytest.fixture(scope="module")
def outside(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("outside") / "marks.csv"
    file.write_text("everybody's marks")
    return file


def told(source: str, outside: Path) -> str:
    """An attack that knows where to aim."""
    return source.replace("{outside}", str(outside)).replace("{grader}", str(os.getpid()))


@pytest.mark.slow
@pytest.mark.parametrize("source", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_earns_nothing_and_costs_nobody(marks, outside, source):
    found = marks(toy_forward=told(source, outside), weighted_loss=LOSS, learner="eve")
    assert found["toy-forward"].earned == 0
    assert found["toy-forward"].status in (Status.WRONG, Status.STOPPED)
    assert len(found["toy-forward"].sentence) < 12_000
    honest = marks(toy_forward=FORWARD, weighted_loss=LOSS, learner="ada")
    assert [honest[slug].status for slug in ("toy-forward", "weighted-loss")] == [
        "passed",
        "passed",
    ]
    assert outside.read_text() == "everybody's marks"
    assert list(outside.parent.iterdir()) == [outside]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["an endless cell", "an exit of the cell", "a crash", "gigabytes", "an abort"]
)
def test_what_ends_the_worker_costs_its_own_exercise_only(marks, name):
    found = marks(toy_forward=ATTACKS[name], weighted_loss=LOSS)
    assert found["weighted-loss"].status is Status.PASSED


@pytest.mark.slow
def test_letters_that_are_worked_out_are_no_answer(marks, small):
    """A quick check is read, not run."""
    cells = small.cells({})
    for cell in cells:
        if cell["source"].startswith("quiz("):
            slug = cell["source"].split('"')[1]
            cell["source"] = f'quiz("{slug}", [c for c in "abcdef"][0])'
    assert marks(*cells)[slug].status is Status.UNANSWERED


def test_marks_that_are_no_marks(marks, small):
    """Metadata of any kind, and cells that say they are the check, count for nothing."""
    cells = small.cells({"toy-forward": WRONG})
    for odd in (
        3,
        [],
        {"role": "exercise", "exercise": ["toy-forward"]},
        {"role": "check", "exercise": "toy-forward"},
    ):
        cells.append(
            small.code("def toy_forward(x, W, b):\n    return passed")
            | {"metadata": {"mi_tutor": odd}}
        )
    assert marks(*cells)["toy-forward"].earned == 0
