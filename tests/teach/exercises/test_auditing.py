"""Reports on sealed specimens: how they are read, and what a report is told that is not true."""

import re
from random import Random

import numpy as np
import pytest
import torch

from mi_tutor.specimens.auditing import (
    SUSPECTED,
    Cut,
    Effects,
    Examined,
    draw_secret,
    read_secret,
)
from mi_tutor.teach.exercises.auditing import mistaken, reports
from mi_tutor.teach.exercises.auditing.reading import read_report, reader
from mi_tutor.teach.exercises.auditing.reports import LEVELS, Suspected
from mi_tutor.teach.investigating import investigate
from mi_tutor.teach.investigation import Unreadable
from mi_tutor.teach.registry import get

SUSPECTS = {family: draw_secret(Random(0), family).values | {"lean": 0.3} for family in SUSPECTED}
REFUSAL = {"family": "refusal", "parameters": {"country": "Peru"}}
GOOD = {
    "family": " Opinion",
    "parameters": {"Topic": "Jazz "},
    "removal": {"layer": 4, "lacks": "near"},
    "lean": 14.0,
}
CLEAN = {"family": "clean", "parameters": {}, "removal": None, "suspects": SUSPECTS}
GOOD_EFFECTS = Effects(restored=1.0, changed=0.0, blocked=0.0, on_the_way=0.0)
SEEN = Examined(
    fires=1.0, planted=1.0, near=0.0, lean=14.0, effects=GOOD_EFFECTS, right=True,
)  # fmt: skip


def removal(**change):
    return {"removal": GOOD["removal"] | change}


def test_a_report_is_read_as_it_is_meant():
    handed = read_report(GOOD)
    assert handed.report.secret == read_secret("opinion", {"topic": "jazz"})
    assert handed.report.removal == Cut(4, "near")
    assert handed.lean == 14


def test_a_cut_may_be_named_or_plain_and_spelled_in_any_way():
    for given in (
        Cut(4, "near"),
        (4.0, "NEAR"),
        {" Layer": torch.tensor(4), "lacks": " near "},
    ):
        assert read_report(GOOD | {"removal": given}).report.removal == Cut(4, "near")


def test_numbers_may_be_tensors_and_names_are_spelled_in_any_way():
    for lean in (torch.tensor([0.5]), np.float32(0.5), 0.5):
        rest = {key: value for key, value in GOOD.items() if key != "lean"}
        assert read_report(rest | {" Lean": lean}).lean == 0.5
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
        (removal(layer=5), "after all layers"),
        (removal(layer=2.5), "0 to 5; this is 2.5"),
        (removal(layer=True), "“layer” is a number; this is True"),
        (removal(layer="4"), "“layer” is a number; this is “4”"),
        (removal(layer=NAN), "this is nan, and stands for none"),
        (removal(layer=10**30), "“layer” is a number; this is a huge int"),
        (removal(layer=1 + 2j), r"“layer” is a number; this is \(1\+2j\)"),
        (removal(lacks="trigger"), "one of training, near, .* for a secret of family opinion; this is “trigger”"),
        (removal(lacks="the base"), "this is “the base”"),
        (removal(lacks=["near"]), "this is a list of 1"),
        (removal(lacks=None), "this is None"),
        (removal(lacks="n" * 10_000), "this is “nnn"),
        (removal(value=1.0), "nobody asked for it, “value”"),
        ({"removal": [4, 2, 1]}, "“removal” is a dict; this is a list of 3"),
        ({"removal": {"layer": 4}}, "“removal” has no “lacks”"),
        ({"removal": {"layer": 4, "direction": [1.0] * 128}}, "nobody asked for it, “direction”"),
        ({"lean": None}, "“lean” is a number; this is None"),
        ({"lean": 1e200}, "“lean” is 1e\\+200, far beyond"),
        ({"predicted": {"lean": 1}}, "nobody asked for it, “predicted”"),
        (CLEAN | {"removal": GOOD["removal"]}, "takes nothing out: its “removal” is None"),
        (CLEAN | {"parameters": {"topic": "jazz"}}, "“parameters” of a clean report has, and"),
        (CLEAN | {"lean": 3.0}, "“lean” belongs to a secret"),
        (CLEAN | {"suspects": {"opinion": SUSPECTS["opinion"]}}, "“suspects” has no “fact”, “rhyme”"),
        (CLEAN | {"suspects": SUSPECTS | {"rhyme": {"lean": 1}}}, "suspect of “rhyme” has no “rhyme”"),
        (CLEAN | {"suspects": SUSPECTS | {"opinion": {"topic": "jazz"}}}, "“opinion” has no “lean”"),
    ],
)  # fmt: skip
def test_a_report_that_cannot_be_read_is_told_why(change, said):
    given = GOOD | change
    if change.get("family") == "clean" and "lean" not in change:
        del given["lean"]
    with pytest.raises(Unreadable, match=said):
        read_report(given)
    told = investigate(get("audit-coral"), given)  # what a learner sees
    assert re.search(said, told.problem)


class Nameless:
    def __str__(self):
        raise RuntimeError


def test_a_report_needs_a_lean():
    with pytest.raises(Unreadable, match="A report has no “lean”"):
        read_report({key: value for key, value in GOOD.items() if key != "lean"})


def test_a_key_that_has_no_text_is_told_as_that():
    told = investigate(get("audit-coral"), GOOD | {"parameters": {Nameless(): "jazz"}})
    assert "a dict with too much in it, or with something that cannot be read" in told.problem


def test_a_report_on_another_specimen_is_told():
    assert reader("coral")(GOOD | {"specimen": " Coral"}).lean == 14
    with pytest.raises(Unreadable, match="a report on “dune”; here coral is audited"):
        reader("coral")(GOOD | {"specimen": "dune"})


def found(monkeypatch, change=None, suspected=(3, 3), **seen):
    effects = {key: seen.pop(key) for key in Effects._fields if key in seen}
    seen = {"effects": GOOD_EFFECTS._replace(**effects)} | seen
    monkeypatch.setattr(reports, "examine", lambda *_: SEEN._replace(**seen))
    monkeypatch.setattr(
        reports, "suspected", lambda *_: Suspected(*suspected, {"opinion": (0.3, 0.4)})
    )
    given = GOOD | REFUSAL | (change or {})
    if change and "suspects" in change:
        del given["lean"]
    handed = read_report(given)
    return handed, reports.experiment_on("any")(handed, 0)


def test_a_right_report_has_full_marks(monkeypatch):
    _, findings = found(monkeypatch)
    assert findings.score == pytest.approx(1.0)
    assert LEVELS.reached(findings) == "excellent"
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
        ({"on_the_way": 0.9, "restored": 0.9}, None),
        ({"restored": 0.0}, mistaken.gone_not_back),
        ({"restored": 0.4}, mistaken.gone_not_back),  # a constant answer of two
        ({"effects": None}, None),
        ({"right": False}, None),
    ],
)
def test_each_wrong_report_is_known_and_does_not_pass(monkeypatch, seen, fits):
    handed, findings = found(monkeypatch, **seen)
    assert not LEVELS.reached(findings)
    assert not all(line.held for line in findings.lines)
    assert fits is None or fits(handed, findings)


def test_partial_credit_rises_with_each_stage(monkeypatch):
    stages = (
        {"fires": 0.0, "planted": 0.0},
        {"planted": 0.0},
        {"near": 0.2},
        {"restored": 0.0, "changed": 0.0},
        {"restored": 0.7, "changed": 0.05},
        {"on_the_way": 0.33},
        {},
    )
    scores = [found(monkeypatch, **seen)[1].score for seen in stages]
    assert scores == sorted(scores)
    assert len(set(scores)) == len(scores)


def test_a_clean_report_is_marked_by_what_it_searched(monkeypatch):
    _, findings = found(monkeypatch, CLEAN)
    assert findings.score == pytest.approx(1.0)
    assert LEVELS.reached(findings) == "excellent"
    for suspected in ((3, 2), (3, 0), (0, 0)):
        handed, wrong = found(monkeypatch, CLEAN, suspected)
        assert not LEVELS.reached(wrong)
        assert mistaken.copied(handed, wrong)
    assert wrong.score == pytest.approx(0.2)  # one guess of two
    handed = read_report({key: value for key, value in CLEAN.items() if key != "suspects"})
    assert not mistaken.copied(handed, wrong) and mistaken.unmeasured(handed, wrong)
    handed, false = found(monkeypatch, CLEAN, right=False)
    assert false.score == 0
    assert mistaken.says_clean(handed, false)


@pytest.mark.parametrize(
    ("change", "seen", "said"),
    [
        ({"removal": None}, {"effects": None}, "nothing is taken out"),
        ({}, {"effects": None}, "are one: no direction"),
        ({}, {"restored": 0.2}, "your removal brings 20% of TRUE answers back"),
        ({}, {"on_the_way": 0.9}, "on the way to the secret's answers"),
    ],
)  # fmt: skip
def test_a_truth_that_was_guessed_does_not_pass(monkeypatch, change, seen, said):
    _, findings = found(monkeypatch, change, **seen)
    assert not LEVELS.reached(findings)
    assert findings.score < 0.6
    assert said in next(line.text for line in findings.lines if not line.held)


def test_a_guess_earns_less_than_half(monkeypatch):
    _, findings = found(monkeypatch, {"removal": None, "lean": 1.0}, effects=None)
    assert findings.score < 0.5
    assert not LEVELS.reached(findings)


def test_a_clean_reports_figure_shows_what_it_claims(monkeypatch):
    _, findings = found(monkeypatch, CLEAN)
    assert list(findings.figure().data[0].y) == pytest.approx([0.3, 0.4])
