"""What people read after grading: numbers in one form, code as code, tried apart from not tried."""

from __future__ import annotations

import csv
import re

import pytest

from mi_tutor.classroom import gradescope
from mi_tutor.classroom.feedback import write_feedback, write_summary
from mi_tutor.classroom.gradebook import Row, write_gradebooks
from mi_tutor.classroom.marks import Graded, Mark, Status

ONE = Mark("one", "What `x[..., 2]` is", "exercise", Status.PASSED, 2, 2)
TWO = Mark("two", "Two", "exercise", Status.WRONG, 0.0, 3, "`x < 1` is <b>not</b> what was asked.")
BLANK = TWO._replace(status=Status.UNANSWERED, earned=0, sentence="")
HINT = "Look at `torch.where`."


def row(name: str, *marks: Mark, **more) -> Row:
    notes = ("one: taken from `cell 3`.",)
    return Row(name, f"{name}.ipynb", 0.0, Graded(name, "01", marks, notes), **more)


ROWS = [
    row("ada", ONE, TWO),
    row("bob", ONE._replace(earned=2.0), TWO._replace(earned=1.5)),
    row("eve", ONE, BLANK, days=1, share=0.5),
    row("flo", ONE._replace(status=Status.MISSING, earned=0), BLANK._replace(by_hand="said aloud")),
]


def test_a_number_has_one_form(tmp_path):
    """Whole points without a fraction; an empty cell for what was not tried, 0 for what was."""
    write_gradebooks(tmp_path, ROWS)
    with (tmp_path / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["score"] for line in lines] == ["2", "3.5", "1", "0"]
    assert [line["one"] for line in lines] == ["2", "2", "2", ""]
    assert [line["two"] for line in lines] == ["0", "1.5", "", "0"]
    for file in tmp_path.glob("*.csv"):
        assert not re.search(r"(^|,)\d+\.0+(,|$)", file.read_text("utf-8"), re.M), file.name


def test_gradescope_writes_the_same_numbers_and_no_backticks():
    found = gradescope.results(ROWS[0].graded)
    numbers = [found["score"], *(test["score"] for test in found["tests"])]
    assert [repr(number) for number in numbers] == ["2", "2", "0"]
    said = [
        found["output"],
        *(test[part] for test in found["tests"] for part in ("name", "output")),
    ]
    assert said[1] == "What x[..., 2] is" and "`" not in "".join(said)


def test_code_is_shown_as_code(tmp_path):
    write_feedback(tmp_path / "feedback", ROWS[:1], {"two": [HINT]})
    (page,) = (tmp_path / "feedback").glob("*.html")
    text = page.read_text("utf-8")
    for code in ("x[..., 2]", "x &lt; 1", "torch.where", "cell 3"):
        assert f"<code>{code}</code>" in text
    assert "`" not in text and "&lt;b&gt;not&lt;/b&gt;" in text


@pytest.mark.parametrize("text", ["a ` alone", "two\n`lines` ` and\n one"])
def test_a_backtick_without_its_other_is_left_alone(tmp_path, text):
    write_feedback(tmp_path / "feedback", [row("ada", TWO._replace(sentence=text))], {})
    (page,) = (tmp_path / "feedback").glob("*.html")
    assert text.replace("`lines`", "<code>lines</code>") in page.read_text("utf-8")


def test_the_summary_tells_who_tried(tmp_path):
    write_summary(tmp_path / "summary.html", ROWS)
    text = (tmp_path / "summary.html").read_text("utf-8")
    assert '<th scope="col">tried, not passed</th>' in text
    lines = [
        "<td>two</td><td>0</td><td>3</td><td>1</td>",
        "<td>one</td><td>3</td><td>0</td><td>1</td>",
    ]
    assert [text.index(line) for line in lines] == sorted(text.index(line) for line in lines)
    assert "% of those who tried: two 0 and one 100" in text
    assert "<code>cell 3</code>" in text


def test_a_class_that_tried_nothing(tmp_path):
    write_summary(tmp_path / "summary.html", [row("eve", BLANK)])
    text = (tmp_path / "summary.html").read_text("utf-8")
    assert "Hardest first" not in text and "<td>two</td><td>0</td><td>0</td><td>1</td>" in text
