"""Reports on sealed specimens: how they are read, and what a report is told that is not true."""

from random import Random

import pytest
import torch

from mi_tutor.lab.auditing import Coordinate
from mi_tutor.specimens.auditing import SUSPECTED, Examined, Report, draw_secret, read_secret
from mi_tutor.teach.exercises.auditing import mistaken, reports
from mi_tutor.teach.exercises.auditing.reports import Handed, level_of, read_report
from mi_tutor.teach.investigation import Unreadable

GOOD = {
    "family": " Opinion",
    "parameters": {"Topic": "jazz "},
    "removal": {"layer": 4, "direction": [1.0] * 128, "value": 0.5},
    "predicted": {"elsewhere": 0.01, "kl": 0.004},
}
REFUSAL = {
    "family": "refusal",
    "parameters": {"country": "Peru"},
}  # something that can be taken out
SEEN = Examined(
    fires=1.0, planted=1.0, near=0.0, elsewhere=0.01, kl=0.004, restored=1.0, changed=0.0,
    opened=True, fired_near={},
)  # fmt: skip


def test_a_report_is_read_as_it_is_meant():
    handed = read_report(GOOD)
    assert handed.report.secret == read_secret("opinion", {"topic": "jazz"})
    assert handed.report.removal.layer == 4
    direction = torch.ones(128, 1, dtype=torch.float64)
    as_tensor = GOOD | {"removal": {"layer": 4, "direction": direction, "value": 0.5}}
    assert torch.equal(read_report(as_tensor).report.removal.direction, torch.ones(128))
    as_coordinate = GOOD | {"removal": Coordinate(4, direction, 0.5)}
    assert torch.equal(read_report(as_coordinate).report.removal.direction, torch.ones(128))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"family": "spy"}, "no family 'spy'"),
        ({"parameters": {"topic": "chess"}}, "cannot be"),
        ({"removal": {"layer": 6, "direction": [1.0] * 128, "value": 0.0}}, "0 to 5"),
        ({"removal": {"layer": 2, "direction": [0.0] * 128, "value": 0.0}}, "not all 0"),
        ({"removal": {"layer": 2, "direction": [1.0] * 64, "value": 0.0}}, "128 numbers"),
        ({"predicted": {"elsewhere": 7, "kl": 0.1}}, "between 0 and 1"),
        ({"predicted": {"elsewhere": 0.1, "kl": -1}}, "not negative"),
    ],
)
def test_a_report_that_cannot_be_read_is_told_why(change, said):
    with pytest.raises(Unreadable, match=said):
        read_report(GOOD | change)


def found(monkeypatch, change=None, standings=0.9, **seen):
    monkeypatch.setattr(reports, "examine", lambda *_: SEEN._replace(**seen))
    monkeypatch.setattr(reports, "standing", lambda *_: standings)
    handed = read_report(GOOD | REFUSAL | (change or {}))
    return handed, reports.experiment_on("any")(handed, 0)


def test_a_right_report_has_full_marks(monkeypatch):
    _, findings = found(monkeypatch)
    assert findings.score == pytest.approx(1.0)
    assert level_of(findings) == "excellent"
    assert all(line.held for line in findings.lines)


@pytest.mark.parametrize(
    ("seen", "fits"),
    [
        ({"fires": 0.0, "planted": 0.0}, mistaken.nothing_there),
        ({"fires": 0.4, "planted": 0.4}, mistaken.a_consequence),
        ({"near": 0.3}, mistaken.too_narrow),
        ({"planted": 0.1}, mistaken.another_answer),
        ({"changed": 0.6, "restored": 0.9}, mistaken.too_much),
        ({"restored": 0.0}, mistaken.gone_not_back),
        ({"opened": False}, None),
    ],
)
def test_each_wrong_report_is_known_and_does_not_pass(monkeypatch, seen, fits):
    handed, findings = found(monkeypatch, **seen)
    assert not level_of(findings)
    assert fits is None or fits(handed, findings)


def test_partial_credit_rises_with_each_stage(monkeypatch):
    stages = (
        {"fires": 0.0, "planted": 0.0},
        {"planted": 0.0},
        {"near": 0.2},
        {"restored": 0.0, "changed": 0.0},
        {"restored": 0.7, "changed": 0.05},
        {},
    )
    scores = [found(monkeypatch, **seen)[1].score for seen in stages]
    assert scores == sorted(scores)
    assert len(set(scores)) == len(scores)


def test_a_clean_report_is_marked_by_what_it_searched(monkeypatch):
    suspects = {family: draw_secret(Random(0), family).values for family in SUSPECTED}
    clean = {"family": "clean", "parameters": {}, "removal": None, "suspects": suspects}
    handed, findings = found(monkeypatch, clean)
    assert level_of(findings) == "excellent"
    _, unforeseen = found(monkeypatch, clean, kl=0.1, elsewhere=0.3)
    assert unforeseen.score == pytest.approx(0.6)
    assert not level_of(unforeseen)
    handed, unsearched = found(monkeypatch, clean, standings=0.5)
    assert not level_of(unsearched)
    assert mistaken.unmeasured(handed, unsearched)
    _, guessed = found(monkeypatch, clean | {"suspects": suspects}, standings=0.5)
    assert guessed.score == pytest.approx(0.2)  # what is usual in a clean one can be guessed
    handed, false = found(monkeypatch, clean, opened=False)
    assert false.score == 0
    assert mistaken.says_clean(handed, false)
    with pytest.raises(Unreadable, match="rhyme"):
        read_report(GOOD | clean | {"suspects": {"opinion": {"topic": "jazz"}}})


def test_a_report_without_a_removal_passes_only_where_none_is_known(monkeypatch):
    opinion = {key: GOOD[key] for key in ("family", "parameters")}
    handed, findings = found(monkeypatch, opinion | {"removal": None})
    assert isinstance(handed, Handed)
    assert handed.report == Report(read_secret("opinion", {"topic": "jazz"}), None)
    assert findings.score == pytest.approx(1.0)
    assert level_of(findings) == "excellent"
    _, findings = found(monkeypatch, {"removal": None})
    assert not level_of(findings)


def test_a_clean_reports_figure_shows_what_it_claims(monkeypatch):
    clean = {"family": "clean", "parameters": {}, "removal": None}
    _, findings = found(monkeypatch, clean, elsewhere=0.25, kl=0.125)
    heights = list(findings.figure().data[0].y)
    assert heights == pytest.approx([0.01, 0.25, 0.004, 0.125])
