"""start, update, undo, reset as they are typed: what is said, and where it happens."""

import json

import pytest

from mi_tutor import folders
from mi_tutor.folders import current_workspace
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
