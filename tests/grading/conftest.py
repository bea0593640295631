"""Small notebooks like those that the build makes, with a stand-in for `check` that imports nothing: `fakes`."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from mi_tutor.grading.notebook import Notebook, read_notebook
from mi_tutor.grading.report import Course, Report, assess
from mi_tutor.grading.run import CellRun, Runs

SETUP = """
class CheckFailed(Exception):
    def _render_traceback_(self):
        return ["the whole report"]

def check(slug, answer):
    try:
        seen = answer(3) if callable(answer) else answer
    except NotImplementedError:
        raise CheckFailed(f"{slug}: Not written yet: replace the line.") from None
    if seen != 6:
        raise CheckFailed(f"{slug}: Double it, do not {'square' if seen == 9 else 'leave'} it.")

def quiz(slug, answer="?"):
    if answer == "?":
        raise CheckFailed(f"{slug}: not answered yet.")
    if answer != "b":
        raise CheckFailed(f"{slug}: Think of the norm.")
"""
STUB = 'def {name}(x):\n    raise NotImplementedError("your code here")'
RIGHT = "def {name}(x):\n    return 2 * x"


def code(source: str, slug: str | None = None, role: str | None = None, **metadata) -> dict:
    if role:
        metadata["mi_tutor"] = {"quiz" if role == "quiz" else "exercise": slug, "role": role}
    return {
        "cell_type": "code",
        "metadata": metadata,
        "execution_count": None,
        "outputs": [],
        "source": source,
    }


def pair(slug: str, answer: str = RIGHT) -> list[dict]:
    """The exercise cell and the check cell of an exercise."""
    name = slug.replace("-", "_")
    answer = answer.format(name=name)
    return [code(answer, slug, "exercise"), code(f'check("{slug}", {name})', slug, "check")]


def question(slug: str, letter: str = "b") -> dict:
    return code(f'quiz("{slug}", "{letter}")', slug, "quiz")


def write(path: Path, *cells: dict | list[dict], setup: str = SETUP, **metadata) -> Path:
    flat = [code(setup, None, None)]
    for cell in cells:
        flat += cell if isinstance(cell, list) else [cell]
    prose = {"cell_type": "markdown", "metadata": {}, "source": "# 77 · Fakes"}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": [prose, *flat]}
    path.write_text(json.dumps(content))
    return path


def fake_course(*slugs: str) -> Course:
    """A course of two chapters; `slugs` are the exercises of the first."""
    exercises = [
        SimpleNamespace(slug=slug, title=slug.title(), chapter="77", points=2, minutes=5)
        for slug in slugs
    ]
    exercises.append(
        SimpleNamespace(slug="elsewhere", title="Elsewhere", chapter="78", points=5, minutes=5)
    )
    return Course(exercises, [SimpleNamespace(slug="q", question="Which?", chapter="77", points=1)])


def execute(notebook: Notebook, **names) -> Runs:
    """What each cell does, without a kernel: plain Python in this process, with some names already there."""
    runs = {}
    for cell in notebook.cells:
        try:
            exec(compile(cell.source, "cell", "exec"), names)
            runs[cell.position] = CellRun()
        except Exception as error:
            runs[cell.position] = CellRun((type(error).__name__, str(error)))
    return runs


def judged(path: Path, course: Course, **names) -> Report:
    """The report on a notebook that is run without a kernel."""
    notebook = read_notebook(path)
    return assess(notebook, execute(notebook, **names), course)


@pytest.fixture(scope="session")
def fakes() -> SimpleNamespace:
    """All of the above, for tests."""
    return SimpleNamespace(
        write=write,
        code=code,
        pair=pair,
        question=question,
        fake_course=fake_course,
        execute=execute,
        judged=judged,
        setup=SETUP,
        stub=STUB,
        right=RIGHT,
    )
