"""A small chapter of real exercises, submissions to it, and one grader for all tests."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from mi_tutor.classroom.grader import Grader, Settings
from mi_tutor.classroom.jail.entering import can_hold

SETUP = """
import torch
from torch import Tensor

from mi_tutor import check, quiz
from mi_tutor.lab import superposition as lab
"""
STUB = 'def {name}({arguments}):\n    raise NotImplementedError("your code here")'
CALLS = {
    "toy-forward": ("toy_forward", "x, W, b"),
    "weighted-loss": ("weighted_loss", "x, x_hat, importance"),
}


def code(source: str, slug: str | None = None, role: str | None = None) -> dict:
    marks = {"quiz" if role == "quiz" else "exercise": slug, "role": role}
    metadata = {"mi_tutor": marks} if role else {}
    return {
        "cell_type": "code", "metadata": metadata, "execution_count": None, "outputs": [],
        "source": source,
    }  # fmt: skip


def notebook(*cells: dict, chapter: str = "01") -> dict:
    marks = {"chapter": chapter, "folder": "chapters"}
    return {
        "nbformat": 4, "nbformat_minor": 5, "metadata": {"mi_tutor": marks}, "cells": list(cells),
    }  # fmt: skip


def cells_with(answers: dict[str, str], letter: str = "?") -> list[dict]:
    """The small chapter with these answers, and stubs elsewhere."""
    found = [code(SETUP), code("def doubled(x):\n    return 2 * x")]
    for slug in ("toy-forward", "weighted-loss"):
        name, arguments = CALLS[slug]
        text = answers.get(slug, STUB.format(name=name, arguments=arguments))
        found += [code(text, slug, "exercise"), code(f'check("{slug}", {name})', slug, "check")]
    found.append(code(f'quiz("antipodal-cost", "{letter}")', "antipodal-cost", "quiz"))
    return found


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> SimpleNamespace:
    """The folder of the small chapter, and what makes submissions to it."""
    folder = tmp_path_factory.mktemp("chapters")
    (folder / "01_small.ipynb").write_text(json.dumps(notebook(*cells_with({}))))
    numbers = itertools.count()

    def submit(*cells: dict, **answers: str) -> Path:
        made = folder.parent / f"submission-{folder.name}-{next(numbers)}.ipynb"
        named = {name.replace("_", "-"): text for name, text in answers.items()}
        made.write_text(json.dumps(notebook(*(cells or cells_with(named)))))
        return made

    return SimpleNamespace(
        folder=folder, submit=submit, code=code, cells=cells_with, notebook=notebook
    )


@pytest.fixture(scope="session")
def grader(small):
    if not can_hold():
        pytest.skip("there is no jail on this machine")
    made = Grader(Settings(str(small.folder), b"a secret of the tests"))
    yield made
    made.close()


@pytest.fixture
def marks(grader, small):
    """What becomes of a submission, by slug."""

    def mark(*cells: dict, learner: str = "ada", **answers: str):
        graded = grader.grade(learner, small.submit(*cells, **answers))
        assert not graded.problem
        return {mark.slug: mark for mark in graded.marks}

    return mark
