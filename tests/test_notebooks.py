"""The course's own notebooks: up to date, well formed, solutions pass and stubs fail.

If one is missing or old, `test_no_notebook_is_stale` names the command that mends it. Two tests run
notebooks with `pytest --nbval-lax`, as an instructor or CI would: every solution that does not stand as
recorded (docs/decisions/0009), and one stub.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest

from mi_tutor.authoring.build import Rendered, render
from mi_tutor.authoring.ids import COLAB_ID
from mi_tutor.authoring.lint import lint, lint_stubs
from mi_tutor.authoring.notebook import make_proof
from mi_tutor.authoring.registry import course_registry
from mi_tutor.authoring.settings import find_project
from mi_tutor.authoring.source import find_sources
from mi_tutor.authoring.stale import stale
from mi_tutor.files import notebook_text, read_notebook
from mi_tutor.teach import CheckFailed
from mi_tutor.teach import registry as exercise_registry

PROJECT = find_project(Path(__file__).parent)
SOURCES = sorted(PROJECT.source_dir.glob("[0-9][0-9]_*.py"))
each_chapter = pytest.mark.parametrize("stem", [path.stem for path in SOURCES])
# The longest first: two processes share the chapters, and should end together.
longest_first = pytest.mark.parametrize(
    "stem",
    [
        pytest.param(path.stem, marks=pytest.mark.recorded("chapters", path.stem))
        for path in sorted(SOURCES, key=lambda path: -path.stat().st_size)
    ],
)


@cache
def rendered() -> dict[str, Rendered]:
    made = render(PROJECT.source_dir, PROJECT.chapters_dir, repository=PROJECT.repository)
    return {one.chapter.stem: one for one in made}


@pytest.mark.parametrize("repository", ["", "someone/course"])
@pytest.mark.slow
def test_one_setting_stamps_every_notebook_or_none(repository: str) -> None:
    """Unset: no badge, no link, no setup cell. Set: one of each in every notebook, with the right name."""
    for one in render(PROJECT.source_dir, PROJECT.chapters_dir, repository=repository):
        for notebook in one.notebooks:
            text = "\n".join(cell.source for cell in notebook.cells)
            code = [cell for cell in notebook.cells if cell.cell_type == "code"]
            stamped = 1 if repository else 0
            for mark in ("colab-badge.svg", "mybinder.org/badge", "archive/refs/heads/main.zip"):
                assert text.count(mark) == stamped, (one.chapter.stem, mark)
            assert (code[0].id == COLAB_ID) == bool(repository)
            assert text.count("someone/course") == 3 * stamped


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
def test_no_heading_is_folded_away(stem: str) -> None:
    """A section that begins inside of an answer is read by those only who open it."""
    cells = rendered()[stem].notebooks.chapter.cells
    for cell in (each for each in cells if each.cell_type == "markdown"):
        for folded in re.findall(r"<details>.*?(?:</details>|\Z)", cell.source, re.DOTALL):
            assert not re.search(r"^#{1,6} ", folded, re.MULTILINE), folded


@each_chapter
def test_a_hint_can_be_asked_for(stem: str) -> None:
    """Each exercise's text says to run hint("..."), so the first cell of code brings it."""
    first = rendered()[stem].chapter.cells
    setup = next(cell.source for cell in first if cell.role == "setup")
    brought = [
        alias.asname or alias.name
        for node in ast.parse(setup).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert "hint" in brought


@each_chapter
def test_what_we_found_is_folded_away(stem: str) -> None:
    """Below the check of an investigation, where it would be read before the first try."""
    cells = rendered()[stem].notebooks.chapter.cells
    for cell in (each for each in cells if each.cell_type == "markdown"):
        opened = re.sub(r"<details>.*?</details>", "", cell.source, flags=re.DOTALL)
        assert "What we found" not in opened, cell.id


@each_chapter
def test_a_drawing_in_the_text_fits_a_laptop(stem: str) -> None:
    """Beside the file browser, 1280 pixels wide, 90 characters fit; JupyterLab breaks what is longer."""
    cells = rendered()[stem].notebooks.chapter.cells
    for cell in (each for each in cells if each.cell_type == "markdown"):
        for drawn in re.findall(r"^```[^\n]*\n(.*?)^```", cell.source, re.DOTALL | re.MULTILINE):
            assert max(map(len, drawn.splitlines())) <= 90, drawn


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
@longest_first
def test_nbval_passes_every_cell_and_claim_of_the_solution(stem: str, tmp_path: Path) -> None:
    """The only run of a chapter from start to end in the suite; its cells are those of the stored notebook."""
    proof = make_proof(rendered()[stem].chapter, course_registry(), PROJECT.repository)
    path = tmp_path / f"{stem}.ipynb"
    path.write_text(notebook_text(proof), encoding="utf-8")
    outcomes = nbval(path, tmp_path)
    failed = [cell for cell, passed in outcomes.items() if not passed]
    assert outcomes and not failed, f"cells that fail: {', '.join(failed)}; run make execute"


@pytest.mark.slow
@each_chapter
def test_every_check_and_quiz_fails_without_an_answer(stem: str) -> None:
    """Setup, exercises and questions alone, here: what the other cells compute is no answer (below)."""
    stub = rendered()[stem].notebooks.chapter
    namespace: dict[str, Any] = {"__name__": "__main__"}
    outcomes: dict[str, Exception | None] = {}
    for cell in stub.cells:
        if role_of(cell) in ("setup", "ex", "check", "quiz"):
            outcomes[cell.id] = failure(cell, namespace)
    assert outcomes.pop("setup") is None
    asked = {cell: error for cell, error in outcomes.items() if not cell.startswith("ex-")}
    passed = [
        cell for cell, error in asked.items() if not isinstance(error, CheckFailed | NameError)
    ]
    assert asked and not passed, f"cells that pass without an answer: {', '.join(passed)}"
    # A value that is not there yet: its exercise stops before it, so that Python itself says what is missing.
    nameless = [cell for cell, error in asked.items() if isinstance(error, NameError)]
    stopped = [cell.replace("check-", "ex-") for cell in nameless]
    assert all(isinstance(outcomes[cell], NotImplementedError) for cell in stopped), stopped


@each_chapter
def test_no_other_cell_binds_what_a_check_is_given(stem: str) -> None:
    code = [cell for cell in rendered()[stem].notebooks.chapter.cells if role_of(cell)]
    for check in code:
        if role_of(check) == "check":
            own = {check.id.replace("check-", "ex-"), "setup"}
            given = bound_or_used(check.source, ast.Load)
            others = [cell.id for cell in code if given & bound_or_used(cell.source, ast.Store)]
            assert set(others) <= own, f"{check.id}: {others}"


@pytest.mark.slow
def test_nbval_fails_every_check_and_quiz_of_a_stub(tmp_path: Path) -> None:
    """In a real kernel, the shortest chapter."""
    stem = SOURCES[0].stem
    stub = tmp_path / f"{stem}.ipynb"
    stub.write_text(notebook_text(rendered()[stem].notebooks.chapter), encoding="utf-8")
    outcomes = nbval(stub, tmp_path)
    asked = [cell for cell in outcomes if cell.startswith(("check-", "quiz-"))]
    passed = [cell for cell in asked if outcomes[cell]]
    assert asked and not passed, f"cells that pass without an answer: {', '.join(passed)}"


def role_of(cell: nbformat.NotebookNode) -> str:
    """The first word of a code cell's id ("setup", "ex", "check", "quiz" ...); nothing for prose."""
    return cell.id.split("-")[0] if cell.cell_type == "code" else ""


def failure(cell: nbformat.NotebookNode, namespace: dict[str, Any]) -> Exception | None:
    """What a cell raises, run in this process."""
    try:
        exec(compile(cell.source, cell.id, "exec"), namespace)
    except Exception as error:
        return error
    return None


def bound_or_used(source: str, context: type) -> set[str]:
    """The names that a cell binds (ast.Store) or reads (ast.Load) itself, `check` apart."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, context):
            found.add(node.id)
        elif context is ast.Store and isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif context is ast.Store and isinstance(node, ast.alias):
            found.add(node.asname or node.name)
    return found - {"check"}


def nbval(notebook: Path, tmp_path: Path) -> dict[str, bool]:
    """Run a notebook with nbval: cell id -> whether it passed, for every code cell."""
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-q"]
    command += [
        "-c",
        str(PROJECT.root / "pyproject.toml"),
        "-p",
        "nbval.plugin",
        "-p",
        "no:cacheprovider",
    ]
    command += [f"--junitxml={report}", str(notebook)]
    # A learner's progress is no business of a test. Notebooks that run side by side share the cores: with two
    # threads each, on two cores, most of the time goes into waiting for each other.
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    threads = max(1, (os.cpu_count() or 1) // workers)
    environment = os.environ | {"MI_TUTOR_HOME": str(tmp_path), "OMP_NUM_THREADS": str(threads)}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # no other plugin has to do with it
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
