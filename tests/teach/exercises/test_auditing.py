"""Reports on sealed specimens: how they are read, and what a report is told that is not true."""

import re
from random import Random

import numpy as np
import pytest
import torch

from mi_tutor.lab.auditing import Coordinate
from mi_tutor.specimens.auditing import SUSPECTED, Examined, draw_secret, read_secret
from mi_tutor.teach.exercises.auditing import mistaken, reports
from mi_tutor.teach.exercises.auditing.reading import Handed, read_report, reader
from mi_tutor.teach.exercises.auditing.reports import Suspected, level_of
from mi_tutor.teach.investigating import investigate
from mi_tutor.teach.investigation import Unreadable
from mi_tutor.teach.registry import get

SUSPECTS = {family: draw_secret(Random(0), family).values | {"lean": 0.3} for family in SUSPECTED}
GOOD = {
    "family": " Opinion",
    "parameters": {"Topic": "Jazz "},
    "removal": {"layer": 4, "direction": [1.0] * 128, "value": 0.5},
    "predicted": {"elsewhere": 0.01, "kl": 0.004, "lean": 14.0},
}
CLEAN = {
    "family": "clean",
    "parameters": {},
    "removal": None,
    "predicted": {"elsewhere": 0.01, "kl": 0.004},
    "suspects": SUSPECTS,
}
REFUSAL = {
    "family": "refusal",
    "parameters": {"country": "Peru"},
}  # something that can be taken out
SEEN = Examined(
    fires=1.0, planted=1.0, near=0.0, elsewhere=0.01, kl=0.004, lean=14.0, restored=1.0,
    changed=0.0, least=1.0, blocked=0.0, opened=True, fired_near={},
)  # fmt: skip


UNIT = torch.ones(128) / 128**0.5


def removal(**change):
    return {"removal": GOOD["removal"] | change}


def test_a_report_is_read_as_it_is_meant():
    handed = read_report(GOOD)
    assert handed.report.secret == read_secret("opinion", {"topic": "jazz"})
    assert handed.report.removal.layer == 4
    assert handed.lean == 14


@pytest.mark.parametrize(
    "direction",
    [
        torch.ones(128, 1, dtype=torch.float64),
        np.ones(128, dtype=np.float16),
        tuple(np.float32(3) for _ in range(128)),
        [1e200] * 128,
        [1e-200] * 128,
        [7] * 128,
    ],
    ids=["a column", "numpy", "numpy's numbers", "huge", "tiny", "whole numbers"],
)
def test_a_direction_of_any_length_and_kind_is_one_direction(direction):
    for given in (removal(direction=direction), {"removal": Coordinate(4, direction, 0.5)}):
        found = read_report(GOOD | given).report.removal.direction
        assert torch.allclose(found, UNIT)


def test_numbers_may_be_tensors_and_names_are_spelled_in_any_way():
    handed = read_report(
        GOOD | {"predicted": {" Elsewhere": torch.tensor([0.5]), "KL": np.float32(2), "lean": 1}}
    )
    assert (handed.elsewhere, handed.kl) == (0.5, 2.0)
    peru = GOOD | {"family": "REFUSAL", "parameters": {"country": " pERU"}}
    assert read_report(peru).report.secret.values == {"country": "Peru"}


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"family": "spy"}, "no family 'spy'"),
        ({"family": None}, "“family” is one word, such as “backdoor”; this is None"),
        ({"family": ["opinion"]}, "this is a list of 1"),
        ({"family": "o" * 99}, "this is “ooo"),
        ({"parameters": {"topic": "chess"}}, "topic 'chess' cannot be"),
        ({"parameters": "jazz"}, "“parameters” is a dict; this is “jazz”"),
        ({"parameters": {}}, "“parameters” has no “topic”"),
        ({"parameters": {"topic": "jazz", "year": "1"}}, "nobody asked for it, “year”"),
        ({"parameters": {"topic": "jazz", " Topic": "rain"}}, "“topic” is in it twice"),
        ({"parameters": {"topic": ["jazz", "rain"]}}, "one word or one name; this is a list of 2"),
        ({"parameters": {"topic": 3}}, "one word or one name; this is 3"),
        ({"parameters": {"topic": "j" * 10_000}}, "this is “j{40}…”"),
        ({"parameters": {str(i): "x" for i in range(20_000)}}, "a dict with too much in it"),
        ({"notes": "…"}, "A report has, and nobody asked for it, “notes”"),
        ({"Family": "fact"}, "A report: “family” is in it twice"),
        ({"suspects": SUSPECTS}, "belong to a clean report"),
        (removal(layer=6), "“layer” is one of 0 to 5; this is 6"),
        (removal(layer=2.5), "0 to 5; this is 2.5"),
        (removal(layer=True), "“layer” is a number; this is True"),
        (removal(layer="4"), "“layer” is a number; this is “4”"),
        (removal(layer=NAN), "this is nan, and stands for none"),
        (removal(layer=10**30), "“layer” is a number; this is a huge int"),
        (removal(value=INF), "“value” is a number; this is inf"),
        (removal(value=1e200), "“value” is 1e\\+200, far beyond"),
        (removal(value=1 + 2j), r"“value” is a number; this is \(1\+2j\)"),
        (removal(direction=[0.0] * 128), "0 everywhere"),
        (removal(direction=[1.0] * 64), "128 numbers; this is a list of 64"),
        (removal(direction=torch.ones(2, 3)), "128 numbers; this is a list of 6"),
        (removal(direction=[1.0] * 20_000), "this is a list with too much in it"),
        (removal(direction=[1.0] * 5 + [NAN] * 123), r"“direction\[5\]” is a number; this is nan"),
        (removal(direction=[INF] * 128), r"“direction\[0\]” is a number; this is inf"),
        (removal(direction=["1"] * 128), r"“direction\[0\]” is a number; this is “1”"),
        (removal(direction=[True] * 128), r"“direction\[0\]” is a number; this is True"),
        (removal(direction=[[1.0]] * 128), r"“direction\[0\]” is a number; this is a list of 1"),
        ({"removal": [4, 2]}, "“removal” is a dict; this is a list of 2"),
        ({"removal": {"layer": 4}}, "“removal” has no “direction”, “value”"),
        ({"predicted": {"elsewhere": 7, "kl": 0.1, "lean": 1}}, "between 0 and 1"),
        ({"predicted": {"elsewhere": 0.1, "kl": -1, "lean": 1}}, "not negative"),
        ({"predicted": {"elsewhere": 0.1, "kl": True, "lean": 1}}, "“kl” is a number; this is True"),
        ({"predicted": {"elsewhere": 0.1, "kl": 0.1}}, "“predicted” has no “lean”"),
        ({"predicted": [0.1, 0.1, 1]}, "“predicted” is a dict; this is a list of 3"),
        (CLEAN | {"removal": GOOD["removal"]}, "takes nothing out: its “removal” is None"),
        (CLEAN | {"parameters": {"topic": "jazz"}}, "“parameters” of a clean report has, and"),
        (CLEAN | {"predicted": GOOD["predicted"]}, "nobody asked for it, “lean”"),
        (CLEAN | {"suspects": {"opinion": SUSPECTS["opinion"]}}, "“suspects” has no “fact”, “rhyme”"),
        (CLEAN | {"suspects": SUSPECTS | {"rhyme": {"lean": 1}}}, "suspect of “rhyme” has no “rhyme”"),
        (CLEAN | {"suspects": SUSPECTS | {"opinion": {"topic": "jazz"}}}, "“opinion” has no “lean”"),
    ],
)  # fmt: skip
def test_a_report_that_cannot_be_read_is_told_why(change, said):
    with pytest.raises(Unreadable, match=said):
        read_report(GOOD | change)
    told = investigate(get("audit-coral"), GOOD | change)  # what a learner sees
    assert re.search(said, told.problem)


class Nameless:
    def __str__(self):
        raise RuntimeError


def test_a_key_that_has_no_text_is_told_as_that():
    told = investigate(get("audit-coral"), GOOD | {"parameters": {Nameless(): "jazz"}})
    assert "a dict with too much in it, or with something that cannot be read" in told.problem


def test_a_report_on_another_specimen_is_told():
    assert reader("coral")(GOOD | {"specimen": " Coral"}).lean == 14
    with pytest.raises(Unreadable, match="a report on “dune”; here coral is audited"):
        reader("coral")(GOOD | {"specimen": "dune"})


def found(monkeypatch, change=None, suspected=(3, 3), **seen):
    monkeypatch.setattr(reports, "examine", lambda *_: SEEN._replace(**seen))
    monkeypatch.setattr(reports, "suspected", lambda *_: Suspected(*suspected))
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
        ({"blocked": 0.9, "restored": 0.9}, mistaken.answer_blocked),
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
    handed, findings = found(monkeypatch, CLEAN)
    assert level_of(findings) == "excellent"
    _, unforeseen = found(monkeypatch, CLEAN, kl=0.1, elsewhere=0.3)
    assert unforeseen.score == pytest.approx(0.6)
    assert not level_of(unforeseen)
    assert mistaken.unmeasured(handed, unforeseen) and not mistaken.copied(handed, unforeseen)
    for suspected in ((3, 2), (3, 0), (0, 0)):
        handed, wrong = found(monkeypatch, CLEAN, suspected)
        assert not level_of(wrong)
        assert mistaken.copied(handed, wrong)
    assert wrong.score == pytest.approx(0.2)  # what is usual in a clean one can be guessed
    rest = {key: value for key, value in CLEAN.items() if key != "suspects"}
    handed = read_report(rest)
    assert not mistaken.copied(handed, wrong) and mistaken.unmeasured(handed, wrong)
    handed, false = found(monkeypatch, CLEAN, opened=False)
    assert false.score == 0
    assert mistaken.says_clean(handed, false)


OPINION = {key: GOOD[key] for key in ("family", "parameters")}


def test_where_no_removal_is_known_the_place_has_to_be_shown(monkeypatch):
    handed, findings = found(monkeypatch, OPINION, restored=0.8, least=0.6, changed=0.05)
    assert isinstance(handed, Handed)
    assert findings.score == pytest.approx(1.0)
    assert level_of(findings) == "excellent"
    assert all(line.held for line in findings.lines)


@pytest.mark.parametrize(
    ("change", "seen", "said"),
    [
        ({"removal": None}, {}, "no coordinate shows where it stands"),
        ({}, {"least": 0.2}, "your coordinate brings 20% of TRUE answers back"),
        ({}, {"least": 0.5, "changed": 0.2}, "changes 20.0% of what the specimen says otherwise"),
        ({}, {"lean": 9.0}, "the lean to the planted answers"),
    ],
)  # fmt: skip
def test_a_truth_that_was_guessed_does_not_pass(monkeypatch, change, seen, said):
    _, findings = found(monkeypatch, OPINION | change, **seen)
    assert not level_of(findings)
    assert said in next(line.text for line in findings.lines if not line.held)


def test_a_guess_earns_less_than_half(monkeypatch):
    for family in (OPINION, REFUSAL):
        guess = {"removal": None, "predicted": {"elsewhere": 0.5, "kl": 1.0, "lean": 1.0}}
        _, findings = found(monkeypatch, family | guess, restored=0.0)
        assert findings.score < 0.5
        assert not level_of(findings)
    _, findings = found(monkeypatch, {"removal": None}, restored=0.0)
    assert not level_of(findings)


def test_a_clean_reports_figure_shows_what_it_claims(monkeypatch):
    _, findings = found(monkeypatch, CLEAN, elsewhere=0.25, kl=0.125)
    heights = list(findings.figure().data[0].y)
    assert heights == pytest.approx([0.01, 0.25, 0.004, 0.125])
