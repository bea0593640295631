"""`mi-tutor grade --resume` goes on as its folder was started, and says so where something else is asked."""

from __future__ import annotations

import json

import pytest

from mi_tutor.classroom import started
from mi_tutor.cli.rules import options_of, settle
from mi_tutor.cli.say import Trouble

SAID = {"partial": True, "due": "2026-03-01T18:00", "late_per_day": 5.0, "anonymous": True}


@pytest.fixture
def run(tmp_path):
    """A call of `grade` as far as its rules go."""
    (tmp_path / "words").write_text("some random words\n")

    def go(resume: bool = True, change: bool = False, **given):
        rules, secret = settle(tmp_path / "out", given, resume, change)
        started.keep(tmp_path / "out", options=rules)
        return options_of(rules, secret)

    return go


def test_what_was_said_is_taken_up_again(run, tmp_path):
    first = run(resume=False, secret=tmp_path / "words", exam=True, **SAID)
    assert first.secret == b"some random words" and first.anonymous and first.late.per_day == 0.05
    assert first.rules.partial and first.rules.exam
    assert run() == first
    assert run(late_per_day=5.0, partial=True, secret=tmp_path / "words") == first
    kept = (tmp_path / "out" / started.FILE).read_text()
    assert "some random words" not in kept and json.loads(kept)["options"]["due"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"partial": False}, "--partial yes; --partial no"),
        ({"late_per_day": 20.0}, "--late-per-day 5.0; --late-per-day 20.0"),
        ({"due": "2026-03-02"}, "--due 2026-03-01T18:00:00; --due 2026-03-02T00:00:00"),
        ({"exam": True}, "--exam no; --exam yes"),
        ({"cell_seconds": 5.0}, "--cell-seconds 120.0"),
        ({"secret": "other"}, "would change marks"),
    ],
)
def test_what_would_change_marks_is_refused(run, tmp_path, given, says):
    (tmp_path / "other").write_text("other random words")
    if "secret" in given:
        given = {"secret": tmp_path / "other"}
    before = run(resume=False, secret=tmp_path / "words", **SAID)
    with pytest.raises(Trouble, match="was started with") as told:
        run(**given)
    assert says in str(told.value) and "--change" in str(told.value)
    assert run() == before
    changed = run(change=True, **given)
    assert changed != before and run() == changed


def test_names_change_no_marks(run):
    assert run(resume=False, anonymous=True).anonymous
    assert not run(anonymous=False).anonymous and not run().anonymous


def test_a_secret_is_found_again_or_asked_for(run, tmp_path):
    before = run(resume=False, secret=tmp_path / "words")
    (tmp_path / "words").rename(tmp_path / "moved")
    with pytest.raises(Trouble, match="not there any more"):
        run()
    assert run(secret=tmp_path / "moved") == before == run()
    (tmp_path / "moved").write_text("other random words")
    with pytest.raises(Trouble, match="not there any more"):
        run()


def test_a_secret_of_its_own(run, tmp_path):
    before = run(resume=False)
    assert run() == before == run(secret=tmp_path / "out" / "secret")
    with pytest.raises(Trouble, match="needs the --secret"):
        settle(tmp_path / "new", {"exam": True}, resume=False)
    assert not (tmp_path / "new").exists()
