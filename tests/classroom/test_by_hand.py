"""Marks that an instructor changes: shown as changed, with the reason, and kept whatever is graded again."""

from __future__ import annotations

import csv
import sys
from io import StringIO
from xml.etree import ElementTree

import pytest

from mi_tutor.classroom import by_hand, started
from mi_tutor.classroom.ledger import Ledger, Line
from mi_tutor.classroom.marks import Graded, Mark, Status
from mi_tutor.cli import main

RIGHT = Mark("toy-forward", "Forward", "exercise", Status.PASSED, 2, 2)
WRONG = Mark("weighted-loss", "Loss", "exercise", Status.WRONG, 0, 3, "The mean is missing.")
REASON = "Was <right> on paper, =1+1"


@pytest.fixture
def results(tmp_path):
    """Three learners' results, one of them unreadable."""
    out = tmp_path / "out"
    started.keep(out, options=started.DEFAULTS | {"secret": None, "due": "1970-01-02"})
    ledger = Ledger(out / "results.jsonl")
    for name in ("ada", "=bob"):
        graded = Graded(name, "01", (RIGHT, WRONG))
        ledger.add(Line(f"{name}\n01", "digest", f"{name}.ipynb", 0.0, graded))
    broken = Graded("eve", None, (), problem="It is empty.")
    ledger.add(Line("eve\n", "digest", "eve.ipynb", 0.0, broken))
    return out


@pytest.fixture
def mark(results, monkeypatch, capsys):
    """Run `mi-tutor mark`."""

    def run(*words: str):
        monkeypatch.setattr(sys, "argv", ["mi-tutor", "mark", str(results), *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out + said.err

    return run


def score(out, learner: str) -> float:
    return float(gradebook(out)[learner]["score"])


def gradebook(out) -> dict[str, dict[str, str]]:
    text = (out / "gradebook.csv").read_text("utf-8")
    return {line["learner"]: line for line in csv.DictReader(StringIO(text))}


def test_a_mark_is_changed_and_said_to_be(mark, results):
    before = (results / "results.jsonl").read_bytes()
    status, said = mark("ada", "weighted-loss", "2.5", "--reason", REASON)
    assert status == 0 and "2.5 of 3 points, before 0" in said
    ada = gradebook(results)["ada"]
    assert (ada["score"], ada["weighted-loss"]) == ("4.5", "2.5")
    assert ada["changed by hand"] == f"weighted-loss was 0: {REASON}"
    assert score(results, "'=bob") == 2
    (page,) = [p.read_text("utf-8") for p in (results / "feedback").glob("ada*.html")]
    assert "✎ changed by hand, 2.5 of 3 points" in page and "It was 0 points before" in page
    assert "Was &lt;right&gt; on paper" in page and "The mean is missing." in page
    assert "<td>weighted-loss</td><td>0</td><td>2.5</td>" in (results / "summary.html").read_text(
        "utf-8"
    )
    assert (results / "results.jsonl").read_bytes() == before  # what the grader found stays


def test_the_later_one_counts_and_a_deleted_line_takes_it_back(mark, results):
    mark("=bob", "weighted-loss", "1", "--reason", "half of it")
    mark("=bob", "weighted-loss", "3", "--reason", "all of it")
    assert score(results, "'=bob") == 5
    bob, ada, _ = ElementTree.parse(results / "junit.xml").getroot()
    assert (bob.get("failures"), ada.get("failures")) == ("0", "1")
    lines = (results / by_hand.FILE).read_text("utf-8").splitlines()
    assert len(lines) == 3 and lines[0] == "learner,exercise,points,reason"
    (results / by_hand.FILE).write_text("\n".join(lines[:2]))
    mark()
    assert score(results, "'=bob") == 3


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("dora weighted-loss 1", "no learner of this class"),
        ("ada no-such 1", "there is toy-forward, weighted-loss"),
        ("ada weighted-loss 30", "0 to 3 points, not 30"),
        ("ada weighted-loss nan", "0 to 3 points, not nan"),
        ("eve weighted-loss 1", "could be read"),
    ],
)
def test_what_fits_nothing_is_not_written(mark, results, words, says):
    status, said = mark(*words.split(), "--reason", "because")
    assert status != 0 and says in said and not (results / by_hand.FILE).exists()
    assert mark("ada", "weighted-loss", "1")[0] != 0  # without a reason


def test_a_table_that_a_spreadsheet_saved(mark, results):
    """Semicolons, a comma in the number, a mark at the start, quotes; and lines that change nothing are told."""
    table = (
        '\ufeffLearner;Exercise;Points;Reason\r\nada;weighted-loss;1,5;"shown; to me"\r\n;;;\r\n'
        "'=bob;weighted-loss;two;x\r\nada;toy-forward;1;\r\nzoe;toy-forward;1;x\r\n"
    )
    (results / by_hand.FILE).write_bytes(table.encode())
    status, said = mark()
    assert status == 1 and score(results, "ada") == 3.5
    for told in ("line 4: 'two' is no number", "line 5: it has no reason", "line 6: no learner"):
        assert told in said
        assert told.replace("'", "&#x27;") in (results / "summary.html").read_text("utf-8")
    mark("ada", "toy-forward", "0.5", "--reason", "copied; see me")
    assert score(results, "ada") == 2


def test_anonymous_learners_are_found_by_both_names(mark, results):
    started.keep(results, options=started.read(results)["options"] | {"anonymous": True})
    mark("ada", "weighted-loss", "1", "--reason", "one")
    (shown,) = [name for name, line in gradebook(results).items() if float(line["score"]) == 3]
    assert shown.startswith("learner-")
    mark(shown, "weighted-loss", "2", "--reason", "two")
    assert score(results, shown) == 4
    assert "ada" not in (results / "summary.html").read_text("utf-8").partition("To look at")[2]
