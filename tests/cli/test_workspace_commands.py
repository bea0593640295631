"""start, update, undo, reset as they are typed: what is said, and where it happens."""

import json

import pytest

from mi_tutor import folders
from mi_tutor.folders import current_workspace
from mi_tutor.teach.quiz_text import lettered
from mi_tutor.teach.registry import quizzes
from mi_tutor.workspace import folder


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(root):
    path = root / "chapters" / "00_start_here.ipynb"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("strongest = ...", "strongest = (1, 2)"), encoding="utf-8")
    return path


def test_from_start_to_undo(mi_tutor, elsewhere):
    code, out, err = mi_tutor("start", "my course")
    assert (code, err) == (0, "") and "my course has the course: " in out
    assert "mi-tutor learn" in out
    assert mi_tutor("update")[1].endswith("my course is up to date.\n")
    path = answer(elsewhere / "my course")
    code, out, _ = mi_tutor("reset", "strongest-head")
    assert code == 0 and "strongest-head is empty again in 00_start_here.ipynb" in out
    assert "The last reset is taken back." in mi_tutor("undo")[1]
    assert "strongest = (1, 2)" in path.read_text(encoding="utf-8")


def test_a_newer_course(mi_tutor, elsewhere, monkeypatch):
    mi_tutor("start", "mine")
    answer(elsewhere / "mine")
    newer = elsewhere / "newer"
    (newer / "chapters").mkdir(parents=True)
    notebook = json.loads(
        (folders.course_folder() / "chapters" / "00_start_here.ipynb").read_text()
    )
    notebook["cells"][0]["source"] = ["# 00 · Start\n", "\n", "Here."]
    notebook["metadata"]["mi_tutor"]["digest"] = "newer"
    (newer / "chapters" / "00_start_here.ipynb").write_text(json.dumps(notebook))
    monkeypatch.setattr(folder, "course_folder", lambda: newer)
    code, out, _ = mi_tutor("update", "--folder", "mine")
    assert code == 0
    assert "mine: 00_start_here.ipynb." in out and "1 answer kept" in out and "Reload" in out


def test_without_a_workspace(mi_tutor, elsewhere):
    for words in (("update",), ("undo",), ("reset", "toy-forward")):
        code, out, err = mi_tutor(*words)
        assert (code, out) == (2, "") and err.startswith("There is no workspace here.")
    assert "is not a workspace" in mi_tutor("update", "--folder", str(elsewhere))[2]


def test_which_workspace_is_meant(mi_tutor, elsewhere, monkeypatch):
    mi_tutor("start", "one")
    mi_tutor("start", "two")
    assert current_workspace().name == "two"
    monkeypatch.chdir(elsewhere / "one" / "chapters")
    assert current_workspace().name == "one"
    clone = elsewhere / "clone"
    (clone / "chapters").mkdir(parents=True)
    (clone / "chapters" / "01_superposition.ipynb").touch()
    monkeypatch.chdir(clone)
    assert current_workspace() is None


class TestReviewAndReport:
    def test_a_page_in_the_form_that_is_asked_for(self, mi_tutor, elsewhere):
        code, out, _ = mi_tutor("report", "--name", "Ann")
        assert code == 0 and "mi-tutor-report.html has your progress" in out
        assert "progress of Ann</title>" in (elsewhere / "mi-tutor-report.html").read_text("utf-8")
        mi_tutor("report", "mine.md")
        assert (elsewhere / "mine.md").read_text("utf-8").startswith("# mi_tutor: progress\n")
        code, _, err = mi_tutor("report", "no/such/folder.md")
        assert code == 2 and "cannot be written" in err
        code, _, err = mi_tutor("report", "mine.pdf")
        assert code == 2 and "ends in .html or .md" in err and not (elsewhere / "mine.pdf").exists()

    def test_reviews_in_a_terminal(self, mi_tutor, elsewhere, monkeypatch, home):
        assert "nothing to review yet" in mi_tutor("review")[1]
        item = quizzes("00")[0]
        home.mkdir(exist_ok=True)
        old = {"time": "2020-01-01T12:00:00+00:00", "slug": item.slug, "passed": True}
        (home / "progress.jsonl").write_text(json.dumps(old) + "\n")
        assert mi_tutor("review")[1].startswith(f"{item.slug}  (due 2020-01-02)")
        asked = item.in_other_words()
        right = next(letter for letter, option in lettered(asked).items() if option.right)
        typed = iter(["z", right])
        monkeypatch.setattr("sys.stdin.isatty", lambda: True)
        monkeypatch.setattr("builtins.input", lambda prompt: next(typed))
        assert f"({right}) is right." in mi_tutor("review")[1]
        assert "Nothing to review today" in mi_tutor("review")[1]
