"""`mi-tutor grade` as an instructor meets it: what it refuses, what it says, what it passes on."""

from __future__ import annotations

import sys

import pytest
from walled import Walled

from mi_tutor.classroom import whole_class
from mi_tutor.classroom.gradebook import Row
from mi_tutor.classroom.jail import entering
from mi_tutor.classroom.ledger import alone
from mi_tutor.classroom.marks import Graded, Mark, Status
from mi_tutor.classroom.whole_class import Progress
from mi_tutor.cli import grade as command
from mi_tutor.cli import main

FLAGGED = Mark("a", "A", "exercise", Status.PASSED, 3, 3, flags=("calls the library's a",))


@pytest.fixture
def mi_tutor(monkeypatch, capsys, tmp_path):
    """Run `mi-tutor grade`; grading itself is written down and does nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "00_x.ipynb").write_text("{}")
    rows = [
        Row("ada", "ada.ipynb", 0.0, Graded("ada", "01", (FLAGGED,))),
        Row("bob", "bob.ipynb", 0.0, Graded("bob", None, (), problem="bob.ipynb is empty.")),
    ]
    seen: list = []

    def pretend(places, out, chapters, options, tell, make):
        seen.append(options)
        tell(Progress(2, 2, rows[0].graded))
        return rows[: run.rows]

    monkeypatch.setattr(whole_class, "grade_class", pretend)
    monkeypatch.setattr(command, "_probe", lambda: seen.append("probed"))

    def run(*words: str):
        seen.clear()
        monkeypatch.setattr(sys, "argv", ["mi-tutor", "grade", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out + said.err, list(seen)

    run.rows = 2
    return run


def test_what_it_says(mi_tutor):
    status, said, seen = mi_tutor("in", "--out", "results")
    assert status == 1 and seen[0] == "probed"
    assert "2 submissions graded, 1 of them could not be read." in said
    assert "bob: bob.ipynb is empty." in said
    assert "1 learners have answers" in said and "summary.html" in said
    mi_tutor.rows = 1
    assert mi_tutor("in", "--out", "results")[0] == 0


def test_what_is_passed_on(mi_tutor, tmp_path):
    (tmp_path / "secret").write_text("some random words\n")
    words = "--secret secret --partial --anonymous --jobs 3 --due 2026-03-01T18:00 --late-per-day 5"
    _, _, (_, options) = mi_tutor("in", "--out", "results", *words.split())
    assert options.secret == b"some random words" and options.jobs == 3 and options.jail
    assert options.rules.partial and options.anonymous and options.late.per_day == 0.05
    _, _, seen = mi_tutor("in", "--out", "others", "--trust-submissions")
    assert len(seen) == 1 and not seen[0].jail


def test_a_second_run_goes_on_by_the_same_rules(mi_tutor):
    first = mi_tutor("in", "--out", "results", "--due", "2026-03-01", "--partial", "--anonymous")[2]
    status, said, again = mi_tutor("in", "--out", "results", "--resume", "--jobs", "2")
    assert again[-1] == first[-1]._replace(jobs=2)
    assert "as this folder was started: --partial --due 2026-03-01T00:00:00 --anonymous" in said
    status, said, seen = mi_tutor("in", "--out", "results", "--resume", "--no-partial")
    assert status != 0 and seen == [] and "would change marks" in said
    _, said, seen = mi_tutor("in", "--out", "results", "--resume", "--no-partial", "--change")
    assert seen[-1] == again[-1]._replace(jobs=1, rules=again[-1].rules._replace(partial=False))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("nowhere --out results", "There is no nowhere"),
        ("in --out old", "--resume"),
        ("in --out results --due soon", "is no date"),
        ("in --out results --secret none", "There is no file none"),
        ("in --out results --secret short", "too short"),
        ("in --out short", "short is a file"),
    ],
)
def test_what_it_refuses(mi_tutor, tmp_path, words, says):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "results.jsonl").write_text("")
    (tmp_path / "short").write_text("abc")
    status, said, seen = mi_tutor(*words.split())
    assert status != 0 and says in said and seen == []


def test_while_another_run_writes_there(mi_tutor, tmp_path):
    mi_tutor("in", "--out", "results")
    with alone(tmp_path / "results"):
        status, said, seen = mi_tutor("in", "--out", "results", "--resume")
        assert status == 2 and "Another run writes into results" in said and seen == []
    assert mi_tutor("in", "--out", "results", "--resume")[2] != []


def test_interrupted(mi_tutor, monkeypatch):
    """It says what became of the results, and leaves the folder to whoever comes next."""

    def interrupt(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as here:
        here.setattr(whole_class, "grade_class", interrupt)
        status, said, _ = mi_tutor("in", "--out", "results")
    assert status == 130 and "stays in results; --resume" in said and "Traceback" not in said
    assert mi_tutor("in", "--out", "results", "--resume")[0] == 1


def test_nothing_was_handed_in(mi_tutor, monkeypatch):
    def empty(*given):
        raise whole_class.NothingHandedIn("There is no file in in.")

    monkeypatch.setattr(whole_class, "grade_class", empty)
    status, said, _ = mi_tutor("in", "--out", "results")
    assert status == 2 and "There is no file in in. Expected notebooks" in said


def test_without_a_jail_it_refuses(monkeypatch):
    monkeypatch.setattr(entering, "can_hold", lambda: False)
    with pytest.raises(command.Trouble, match="--trust-submissions"):
        command._probe()


@pytest.mark.parametrize("holds", [True, False])
def test_the_probe_is_printed_and_a_hole_ends_it(monkeypatch, capsys, holds):
    from mi_tutor.classroom import workers

    walls = (("the network", holds), ("another process", True))
    monkeypatch.setattr(entering, "can_hold", lambda: True)
    monkeypatch.setattr(workers.Nursery, "start", lambda folder: Walled(walls, ringed=holds))
    if holds:
        command._probe()
    else:
        with pytest.raises(command.Trouble, match="a hole"):
            command._probe()
    said = capsys.readouterr().out
    assert f"the network: {'refused' if holds else 'NOT REFUSED'}" in said
    assert ("in bubblewrap's ring" in said) == holds
