"""The course's own notebooks: up to date, well formed, solutions pass and stubs fail.

If one is missing or old, `test_no_notebook_is_stale` names the command that mends it. The last two
tests run the notebooks with `pytest --nbval-lax`, as an instructor or CI would.
"""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from functools import cache
from pathlib import Path

import nbformat
import pytest

from mi_tutor.authoring.build import Rendered, render
from mi_tutor.authoring.files import notebook_text, read_notebook
from mi_tutor.authoring.lint import lint, lint_stubs
from mi_tutor.authoring.registry import course_registry
from mi_tutor.authoring.settings import find_project
from mi_tutor.authoring.source import find_sources
from mi_tutor.authoring.stale import stale
from mi_tutor.teach import registry as exercise_registry

PROJECT = find_project(Path(__file__).parent)
SOURCES = sorted(PROJECT.source_dir.glob("[0-9][0-9]_*.py"))
each_chapter = pytest.mark.parametrize("stem", [path.stem for path in SOURCES])


@cache
def rendered() -> dict[str, Rendered]:
    made = render(PROJECT.source_dir, PROJECT.chapters_dir, repository=PROJECT.repository)
    return {one.chapter.stem: one for one in made}


def test_there_is_a_source_for_every_chapter_of_the_registry() -> None:
    numbers = {path.stem[:2] for path in find_sources(PROJECT.source_dir)}
    assert numbers >= set(exercise_registry.chapters())


def test_no_notebook_is_stale() -> None:
    found = stale(PROJECT.source_dir, PROJECT.chapters_dir, repository=PROJECT.repository)
    if not os.environ.get("CI"):  # a learner's answers are no fault of the course
        found = [
            one for one in found if "worked in" not in one.reason and "outputs" not in one.reason
        ]
    assert not found, "\n" + "\n".join(map(str, found))


@each_chapter
def test_the_source_has_what_a_chapter_needs(stem: str) -> None:
    found = lint(rendered()[stem].chapter, course_registry())
    assert not found, "\n" + "\n".join(map(str, found))


@each_chapter
def test_the_chapter_asks_and_has_no_outputs(stem: str) -> None:
    item = rendered()[stem]
    assert "NotImplementedError" in notebook_text(item.notebooks.chapter)
    assert not lint_stubs(item.notebooks.chapter, item.chapter_path)


@each_chapter
@pytest.mark.parametrize("folder", ["chapters", "solutions"])
def test_the_notebook_is_valid(stem: str, folder: str) -> None:
    notebook = nbformat.read(PROJECT.root / folder / f"{stem}.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.nbformat_minor == 5


@pytest.mark.slow
@each_chapter
def test_nbval_passes_every_cell_of_the_solution(stem: str, tmp_path: Path) -> None:
    outcomes = nbval(PROJECT.source_dir / f"{stem}.ipynb", tmp_path)
    failed = [cell for cell, passed in outcomes.items() if not passed]
    assert outcomes and not failed, f"cells that fail: {', '.join(failed)}; run make execute"


@pytest.mark.slow
@each_chapter
def test_nbval_fails_every_check_and_quiz_of_the_stubs(stem: str, tmp_path: Path) -> None:
    stub = tmp_path / f"{stem}.ipynb"
    stub.write_text(notebook_text(rendered()[stem].notebooks.chapter), encoding="utf-8")
    outcomes = nbval(stub, tmp_path)
    asked = [cell for cell in outcomes if cell.startswith(("check-", "quiz-"))]
    passed = [cell for cell in asked if outcomes[cell]]
    assert asked and not passed, f"cells that pass without an answer: {', '.join(passed)}"


def nbval(notebook: Path, tmp_path: Path) -> dict[str, bool]:
    """Run a notebook with nbval: cell id -> whether it passed, for every code cell."""
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-q"]
    command += ["-p", "no:cacheprovider", f"--junitxml={report}", str(notebook)]
    # A learner's progress is no business of a test. Notebooks that run side by side share the cores: with two
    # threads each, on two cores, most of the time goes into waiting for each other.
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    threads = max(1, (os.cpu_count() or 1) // workers)
    environment = os.environ | {"MI_TUTOR_HOME": str(tmp_path), "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        command, cwd=PROJECT.root, env=environment, capture_output=True, text=True, timeout=1200
    )
    assert report.exists(), done.stdout + done.stderr
    cases = {
        case.attrib["name"]: {child.tag for child in case}
        for case in ElementTree.parse(report).iter("testcase")
    }
    code = [cell for cell in read_notebook(notebook).cells if cell.cell_type == "code"]
    names = {f"Cell {number}": cell.id for number, cell in enumerate(code)}
    assert set(cases) == set(names), done.stdout + done.stderr
    assert not any("skipped" in tags for tags in cases.values()), done.stdout
    return {names[name]: not tags & {"failure", "error"} for name, tags in cases.items()}
