"""An exam: value exercises that are each learner's own, by their name and a secret."""

from __future__ import annotations

import json
import sys

import pytest

from mi_tutor.classroom.exam import personal, versions
from mi_tutor.classroom.judge import CHAPTERS
from mi_tutor.classroom.marks import Status
from mi_tutor.classroom.remote import Rules
from mi_tutor.classroom.truth import Truth
from mi_tutor.cli import main
from mi_tutor.teach.exercise import ValueExercise
from mi_tutor.teach.registry import exercises, get

SECRET = b"a secret of the tests"
CLASS = [f"learner-{number}" for number in range(12)]
VARIED = [e for e in exercises() if isinstance(e, ValueExercise) and e.variant]


@pytest.fixture
def gates(small):
    """A chapter of one exercise with versions; what makes submissions to it."""

    def cells(answer):
        return [
            small.code(f"gates = {answer}", "read-the-gates", "exercise"),
            small.code('check("read-the-gates", gates)', "read-the-gates", "check"),
        ]

    blank = small.notebook(*cells("..."), chapter="04")
    file = small.folder / "04_small.ipynb"
    file.write_text(json.dumps(blank))
    yield blank, lambda answer: small.notebook(*cells(repr(answer)), chapter="04")
    file.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("item", VARIED, ids=lambda item: item.slug)
def test_versions_differ_and_their_answers_are_right(item):
    truth = Truth(SECRET)
    asked, right = set(), set()
    for learner in CLASS:
        own = truth.own(item, learner)
        assert truth.judge_value(item, own.expected(), learner).passed
        asked.add(own.otherwise)
        right.add(repr(own.expected()))
    assert len(asked) >= 4 and len(right) >= 4
    assert Truth(SECRET).own(item, CLASS[0]).otherwise == truth.own(item, CLASS[0]).otherwise
    others = {Truth(b"another one").own(item, learner).otherwise for learner in CLASS[:8]}
    assert others != {truth.own(item, learner).otherwise for learner in CLASS[:8]} or len(asked) < 7


def test_marks_by_version(grader, gates, monkeypatch, tmp_path):
    blank, handed_in = gates
    rules = Rules(exam=True)
    monkeypatch.setattr(grader, "settings", grader.settings._replace(rules=rules))
    item = get("read-the-gates")
    own = {learner: grader.truth.own(item, learner).expected() for learner in CLASS}
    learner = next(name for name, words in own.items() if words != item.expected())

    def mark(answer):
        file = tmp_path / "x.ipynb"
        file.write_text(json.dumps(handed_in(answer)))
        (found,) = (m for m in grader.grade(learner, file).marks if m.slug == item.slug)
        return found

    assert mark(own[learner]).status is Status.PASSED
    copied = mark(item.expected())
    assert copied.status is Status.WRONG and copied.flags == (CHAPTERS,)
    assert mark(("one", "one", "one")).flags == ()
    assert versions(blank) == [item.slug]
    note, answer = personal(blank, learner, SECRET)["cells"][:2]
    assert grader.truth.own(item, learner).otherwise in note["source"]
    assert answer == blank["cells"][0]


def test_the_command(gates, tmp_path, monkeypatch, capsys):
    blank, _ = gates
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "04_small.ipynb").write_text(json.dumps(blank))
    (tmp_path / "class.txt").write_text("ada\n\nJürgen X_17\n", encoding="utf-8")
    (tmp_path / "secret").write_text("some random words")

    def run(*words, command="exam"):
        monkeypatch.setattr(sys, "argv", ["mi-tutor", command, *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out + said.err

    status, said = run("04", "class.txt", "--secret", "secret")
    assert status == 0 and "2 notebooks in exam" in said and "read-the-gates" in said
    files = {file.name for file in (tmp_path / "exam").iterdir()}
    assert files == {"ada-04_small.ipynb", "Jürgen X_17-04_small.ipynb"}
    status, said = run("04", "class.txt", "--secret", "secret")
    assert status != 0 and "is not empty" in said
    files = [file.rename(tmp_path / file.name) for file in (tmp_path / "exam").iterdir()]
    plain = [cell for cell in blank["cells"] if cell["cell_type"] == "markdown"]
    (tmp_path / "chapters" / "01_plain.ipynb").write_text(json.dumps(blank | {"cells": plain}))
    status, said = run("01", "class.txt", "--secret", "secret")
    assert status != 0 and "no exercise of which there are versions" in said
    for written, sentence in [
        (b"../ada\n", "cannot be a file name"),
        (b"ada\nbob\nada\n", "ada stands there 2 times"),
        (b"\n \n", "no learners"),
        (b"\x89PNG\xd1\x00", "is no text in UTF-8"),
    ]:
        (tmp_path / "class.txt").write_bytes(written)
        status, said = run("04", "class.txt", "--secret", "secret")
        assert status == 2 and sentence in said
    status, said = run("chapters", "--out", "marks", "--exam", command="grade")
    assert status != 0 and "--exam needs the --secret" in said and not (tmp_path / "marks").exists()
    status, said = run("04", "none.txt", "--secret", "secret")
    assert status != 0 and "There is no file none.txt" in said
