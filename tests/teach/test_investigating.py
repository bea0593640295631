"""The mechanism of investigations, on one that takes no time: which of eight boxes hold a coin?"""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace

import pytest
import torch

from mi_tutor.authoring.additions import exercise_header
from mi_tutor.grading.report import _partial
from mi_tutor.grading.run import CellRun
from mi_tutor.grading.verdict import Status
from mi_tutor.teach import CheckFailed, checking, draws, registry
from mi_tutor.teach.investigating import in_one_line, investigate, report
from mi_tutor.teach.investigation import (
    GRADERS_FIRST,
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)
from mi_tutor.teach.progress import summary


def read(value):
    if not isinstance(value, list) or len(value) != 8:
        raise Unreadable(f"This has {len(value)} entries, and there are eight boxes.")
    return [float(entry) for entry in value]


def experiment(hypothesis, draw):
    coins = [random.Random(f"{draw} {box}").random() < 0.1 * box for box in range(8)]
    loss = sum((h - c) ** 2 for h, c in zip(hypothesis, coins, strict=True)) / 8
    lines = (Line(f"squared error {loss:.2f} (wanted: at most 0.25)", loss <= 0.25),)
    return Findings(1 - loss, lines, figure=lambda: torch.tensor(coins))


COINS = Investigation(
    slug="coins",
    title="Which boxes hold a coin?",
    chapter="01",
    points=10,
    minutes=5,
    difficulty=4,
    objective="Predict with probabilities.",
    hints=("Count.",),
    question="Which boxes hold a coin?",
    form="a list of eight probabilities",
    read=read,
    experiment=experiment,
    levels=Levels(0.6, 0.75, 0.8),
    mistakes=(
        WrongHypothesis(
            name="all of them",
            example=lambda: [1.0] * 8,
            fits=lambda hypothesis, findings: min(hypothesis) == 1.0,
            sentence="You say that every box holds a coin. Look into the first.",
        ),
    ),
    styles=(Worked(name="rates", hypothesis=lambda: [0.1 * b for b in range(8)], level="passed"),),
)


@pytest.fixture
def coins(monkeypatch):
    monkeypatch.setattr(registry, "get", lambda slug: COINS)
    monkeypatch.setattr(checking, "_draws", {})


def test_the_same_draw_gives_the_same_findings_and_another_gives_others():
    rates = COINS.styles[0].hypothesis()
    scores = [investigate(COINS, rates, draw).findings.score for draw in range(6)]
    assert scores == [investigate(COINS, rates, draw).findings.score for draw in range(6)]
    assert len(set(scores)) > 3


def test_levels_and_points():
    def level(score, sure=True):
        findings = Findings(score, (), sure=sure)
        return COINS.level(findings), COINS.earned(findings)

    assert level(0.8) == ("excellent", 10)
    assert level(0.75) == ("good", 8)
    assert level(0.6) == ("passed", 7)
    assert level(0.599) == ("", 4)
    assert level(0.3) == ("", 2)
    assert level(-2.0) == ("", 0)
    assert level(1.0, sure=False) == ("", 5)


def test_what_a_learner_reads():
    text = report(COINS, investigate(COINS, [1.0] * 8))
    assert "not yet" in text and "of 10 points" in text
    assert "✗ squared error" in text
    assert COINS.mistakes[0].sentence in " ".join(text.split())
    assert "Draw 1 of this exercise." in text
    good = report(COINS, investigate(COINS, COINS.styles[0].hypothesis()))
    assert "✓ squared error" in good and "passed from 0.60" in good


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([1, 2], "2 entries"),
        (..., "in place of the dots"),
        (None, "None"),
        (object(), "a object"),
        (lambda: 1, "function"),
        (["x"] * 8, "list of 8"),
        ({1: 2}, "1 entries"),
    ],
    ids=["short", "dots", "None", "object", "function", "words", "dict"],
)
def test_what_cannot_be_read_is_told_and_costs_nothing(coins, value, says):
    with pytest.raises(CheckFailed) as failure:
        checking.check("coins", value)
    assert says in failure.value.report.replace("an object", "a object")
    assert checking._draws == {}


def test_each_try_is_a_new_draw(coins, capsys):
    rates = COINS.styles[0].hypothesis()
    for number in (1, 2, 3):
        try:
            checking.check("coins", rates)
            said = capsys.readouterr().out
        except CheckFailed as failure:
            said = failure.report
        assert f"Draw {number} of this exercise." in said


def test_where_a_notebook_is_marked_by_running_it_its_draws_are_the_graders(
    coins, capsys, monkeypatch, tmp_path
):
    """As `mi-tutor grade --draws` has it; the learner is told that, and not which."""
    (tmp_path / "words").write_text("words that nobody says\n")
    monkeypatch.setenv(draws.VARIABLE, str(tmp_path / "words"))
    best = replace(COINS.styles[0], hypothesis=lambda: [0.5] * 8)  # passes whatever is drawn
    sure = replace(COINS, styles=(best,))
    monkeypatch.setattr(registry, "get", lambda slug: sure)
    checking.check("coins", [0.5] * 8)
    said = capsys.readouterr().out
    expected = draws.graders_draw(sure, b"words that nobody says")
    assert checking._draws == {"coins": expected + 1} and expected >= GRADERS_FIRST
    assert "drawn for marking" in said and str(expected) not in said and "words that" not in said


def test_a_graders_file_that_is_not_there_is_told(coins, monkeypatch, tmp_path):
    monkeypatch.setenv(draws.VARIABLE, str(tmp_path / "none"))
    with pytest.raises(CheckFailed, match="cannot be read"):
        checking.check("coins", [0.5] * 8)
    assert checking._draws == {}


def test_a_grader_reads_the_points(coins, capsys):
    checking.check("coins", COINS.styles[0].hypothesis())
    line = capsys.readouterr().out.splitlines()[0]
    level = next(word for word in ("excellent", "good", "passed") if word in line)
    earned = {"excellent": 10, "good": 8, "passed": 7}[level]
    assert _partial(COINS, Status.PASSED, "", CellRun(scored=(line,))) == earned
    judged = investigate(COINS, [1.0] * 8)
    assert _partial(COINS, Status.WRONG, in_one_line(COINS, judged), CellRun()) == judged.earned > 0
    assert _partial(COINS, Status.UNANSWERED, "", CellRun()) == 0


def test_its_header_says_how_it_is_marked():
    header = exercise_header(COINS)
    assert header.startswith("### Investigation: Which boxes")
    assert "**Question:** Which boxes hold a coin?" in header
    assert "passed from 0.60, good from 0.75, excellent from 0.80" in header


def test_levels_have_to_rise():
    with pytest.raises(ValueError, match="expected them to rise"):
        Investigation(**{**vars(COINS), "levels": Levels(0.8, 0.6, 0.9)})


def test_progress_counts_the_best_try(coins):
    rates = COINS.styles[0].hypothesis()
    worth = []
    for hypothesis in ([1.0] * 8, rates, [1.0] * 8):
        worth.append(investigate(COINS, hypothesis, len(worth)).earned)
        with contextlib.suppress(CheckFailed):
            checking.check("coins", hypothesis)
    (chapter,) = summary([COINS]).chapters
    assert (chapter.points, chapter.points_total) == (max(worth), 10)
    assert 0 < min(worth) < max(worth)
