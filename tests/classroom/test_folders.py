"""Folders that a submission filled: looked at within limits, and taken away however deep they are."""

from __future__ import annotations

import os

import pytest

from mi_tutor.classroom import folders
from mi_tutor.classroom.folders import fits, remove


def test_bytes_files_and_depth_count(tmp_path, monkeypatch):
    (tmp_path / "mine").write_bytes(bytes(1000))
    assert fits(tmp_path) and fits(tmp_path / "nowhere")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(folders.MOST + 1)
    assert not fits(tmp_path)
    (tmp_path / "sparse").unlink()
    monkeypatch.setattr(folders, "MOST", 100 * folders.EACH)
    for number in range(101):
        (tmp_path / str(number)).touch()
    assert not fits(tmp_path)
    (tmp_path / "deep").joinpath(*"d" * 25).mkdir(parents=True)
    assert not fits(tmp_path / "deep")


@pytest.mark.parametrize("depth", [3, 1500])
def test_however_deep(tmp_path, depth):
    """1,500 levels are deeper than a path can say, than Python calls, and than files may be open."""
    before = os.open(".", os.O_RDONLY)
    try:
        folder = tmp_path / "folder"
        folder.mkdir()
        os.chdir(folder)
        for _ in range(depth):
            os.mkdir("a")  # noqa: PTH102
            os.chdir("a")
        (folder / "file").touch()
    finally:
        os.fchdir(before)
        os.close(before)
    assert fits(folder) == (depth == 3)
    remove(folder)
    assert not folder.exists()
