"""Every command runs with an empty home of its own, and in this process unless a test says otherwise."""

import sys

import pytest

from mi_tutor.cli import main
from mi_tutor.teach import progress_store


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MI_TUTOR_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(progress_store, "_unsaved", [])
    return tmp_path / "home"


@pytest.fixture
def mi_tutor(monkeypatch, capsys):
    """Run a command; returns (exit code, what it printed, what it complained about)."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mi-tutor", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder with a course's chapters, which is the current one."""
    root = tmp_path / "course"
    (root / "chapters").mkdir(parents=True)
    for name in ("00_start_here", "01_superposition", "02_sparse_autoencoders"):
        (root / "chapters" / f"{name}.ipynb").write_text(
            '{"nbformat": 4, "nbformat_minor": 5, "cells": []}'
        )
    monkeypatch.chdir(root)
    return root
