"""Whose a file is, and what archives may do: nothing but be read."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from mi_tutor.classroom import archive
from mi_tutor.classroom.archive import Refused, unpacked
from mi_tutor.classroom.reading import MAX_CELLS, MAX_FILE, read_submission
from mi_tutor.classroom.submissions import collect, learner_of
from mi_tutor.grading.notebook import NotebookError


@pytest.mark.parametrize(
    ("path", "learner"),
    [
        ("ada.ipynb", "ada"),
        ("ada_01_superposition.ipynb", "ada"),
        ("ada lovelace - 01_superposition-2.ipynb", "ada lovelace"),
        ("ada/01_superposition.ipynb", "ada"),
        ("01_superposition.ipynb", "01_superposition"),
        ("submitted/ada/ps1/anything.ipynb", "ada"),
        ("course/submitted/ada/ps1/01_x.ipynb", "ada"),
        ("lovelaceada_1234_5678_01_superposition.ipynb", "lovelaceada_1234"),
        ("lovelaceada_LATE_1234_5678_01_superposition-1.ipynb", "lovelaceada_1234"),
        ("Ada Lovelace_1234_assignsubmission_file_/01_x.ipynb", "Ada Lovelace_1234"),
        ("Ada Lovelace_1234_assignsubmission_file/01_x.ipynb", "Ada Lovelace_1234"),
        ("assignment_1_export/submission_77/01_x.ipynb", "submission_77"),
        ("e\u0301ve.ipynb", "\u00e9ve"),
    ],
)
def test_whose_a_file_is(path, learner):
    assert learner_of(PurePosixPath(path)) == learner


def test_of_two_files_the_newest_counts_with_a_note(tmp_path):
    for name, time in (("ada/01_x.ipynb", 100), ("ada/old/01_x.ipynb", 50), ("ada/00_y.ipynb", 10)):
        file = tmp_path / "in" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
        os.utime(file, (time, time))
    (tmp_path / "in" / "ada" / "notes.txt").write_text("x")
    first, second = collect([tmp_path / "in"], tmp_path / "work")
    assert (first.chapter, second.chapter) == ("00", "01")
    assert second.shown == "ada/01_x.ipynb" and "2 files" in second.notes[-1]


def test_links_are_not_followed(tmp_path):
    (tmp_path / "secret.ipynb").write_text("{}")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "eve.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (found,) = collect([tmp_path / "in"], tmp_path / "work")
    assert "link" in found.problem and found.learner == "eve"


def test_a_folder_that_may_not_be_opened_is_told(tmp_path, monkeypatch):
    """What is in it would else be left out without a word."""
    (tmp_path / "in" / "ada" / "handed-in").mkdir(parents=True)
    (tmp_path / "in" / "bob_7_assignsubmission_file_").mkdir()
    (tmp_path / "in" / "eve.ipynb").write_text("{}")
    monkeypatch.setattr(os, "access", lambda path, mode: path.name == "ada")  # root may open all
    found = collect([tmp_path / "in"], tmp_path / "work")
    assert [(one.learner, one.shown, one.problem != "") for one in found] == [
        ("ada", "ada/handed-in", True),
        ("bob_7", "bob_7_assignsubmission_file_", True),
        ("eve", "eve.ipynb", False),
    ]


def zipped(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries:
            file.writestr(name, data)
    return path


def test_archives_of_three_places(tmp_path):
    canvas = zipped(tmp_path / "canvas.zip", ("eve_12_99_01_x.ipynb", b"{}"))
    moodle = zipped(
        tmp_path / "moodle.zip", ("Bob B_7_assignsubmission_file_/01_x.ipynb", b"{}"),
        ("Zoe Z_8_assignsubmission_file_/essay.pdf", b"%PDF"),
    )  # fmt: skip
    gradescope = zipped(
        tmp_path / "g.zip", ("assignment_5_export/submission_3/01_x.ipynb", b"{}"),
        ("assignment_5_export/submission_metadata.yml", b"x: 1"), ("__MACOSX/._a.ipynb", b"?"),
    )  # fmt: skip
    found = {one.learner: one for one in collect([canvas, moodle, gradescope], tmp_path / "w")}
    assert set(found) == {"eve_12", "Bob B_7", "Zoe Z_8", "submission_3"}
    assert "no notebook" in found["Zoe Z_8"].problem
    assert found["eve_12"].file.read_bytes() == b"{}"


def test_names_that_lead_out_of_an_archive(tmp_path):
    link = zipfile.ZipInfo("link.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    names = [
        "../out.ipynb",
        "/etc/out.ipynb",
        "a/../../out.ipynb",
        "..\\out.ipynb",
        "C:\\out.ipynb",
    ]
    entries = [*((name, b"{}") for name in names), (link, b"/etc/passwd"), ("ada.ipynb", b"{}")]
    made = list(unpacked(zipped(tmp_path / "x.zip", *entries), tmp_path / "deep" / "work"))
    assert [bool(entry.problem) for entry in made] == [True] * 6 + [False]
    written = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {tmp_path / "x.zip", made[-1].file}


def test_a_bomb_is_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILE", 2**20)
    bomb = zipped(tmp_path / "x.zip", ("ada.ipynb", bytes(2**25)), ("bob.ipynb", b"{}"))
    ada, bob = unpacked(bomb, tmp_path / "w")
    assert ada.file.stat().st_size <= 2**20 + 2**16 and bob.file.read_bytes() == b"{}"
    monkeypatch.setattr(archive, "MAX_TOTAL", 2**19)
    with pytest.raises(Refused):
        list(unpacked(bomb, tmp_path / "w2"))
    monkeypatch.setattr(archive, "MAX_ENTRIES", 1)
    with pytest.raises(Refused):
        list(unpacked(bomb, tmp_path / "w3"))


def test_a_broken_archive_is_one_problem(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 no zip")
    (found,) = collect([tmp_path / "x.zip"], tmp_path / "w")
    assert "cannot be read as a zip" in found.problem


LONG = "x" * 200_000


def cells(*texts: str) -> str:
    return f'{{"nbformat": 4, "cells": [{", ".join(texts)}]}}'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (cells(*['{"cell_type": "code", "source": ""}'] * (MAX_CELLS + 1)), "code cells"),
        (cells(f'{{"cell_type": "code", "source": "{LONG}"}}'), "characters"),
        (cells(f'{{"source": "{LONG}"}}'), "characters"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["%s"]}]}' % ("x" * 200_000), "characters"),
        ("[" * 100_000, "not a notebook"),
        ('{"nbformat": 4, "cells": ' + "[" * 50_000 + "]" * 50_000 + "}", "not a notebook"),
        ("", "empty"),
        ("\ufeff{}", "not a notebook"),
        ('{"nbformat": 4, "cells": [1, 2]}', "not a notebook"),
        ("\x00" * 100, "not a notebook"),
    ],
    ids=[
        "cells", "cell", "no kind", "list", "nested", "nested cells", "empty", "mark", "numbers", "nul",
    ],
)  # fmt: skip
def test_what_is_too_much_or_no_notebook(tmp_path, content, says):
    path = tmp_path / "x.ipynb"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(NotebookError, match=says):
        read_submission(path)


def test_a_huge_file_is_not_opened(tmp_path):
    path = tmp_path / "x.ipynb"
    with path.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(NotebookError, match=f"at most {MAX_FILE >> 20}"):
        read_submission(path)
