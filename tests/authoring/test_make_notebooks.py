"""What the notebooks look like: cells, ids, metadata, and what the build adds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

from mi_tutor.authoring.additions import colab_setup
from mi_tutor.authoring.ids import cell_ids
from mi_tutor.authoring.markers import STUB
from mi_tutor.authoring.notebook import (
    Notebooks,
    digest,
    is_claim,
    is_untouched,
    make_notebooks,
    make_proof,
    without_claims,
)
from mi_tutor.authoring.registry import Registry
from mi_tutor.authoring.source import Cell, Chapter, SourceError, parse_chapter
from mi_tutor.files import notebook_text

PATH = Path("07_doubling.py")


@pytest.fixture
def made(small: str, registry: Registry) -> Notebooks:
    return make_notebooks(parse_chapter(small, PATH), registry)


def by_id(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    return {cell.id: cell for cell in notebook.cells}


def test_both_notebooks_are_valid_and_have_the_same_cells(made: Notebooks) -> None:
    for notebook in made:
        nbformat.validate(notebook)
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
        assert notebook.metadata.kernelspec.name == "python3"
        assert notebook.metadata.language_info.name == "python"
        assert notebook.metadata.mi_tutor.chapter == "07"
    described = [
        [(cell.id, cell.cell_type, cell.metadata) for cell in notebook.cells] for notebook in made
    ]
    assert described[0] == described[1]
    assert [cell.id for cell in made.chapter.cells] == [
        "07-doubling",
        "setup",
        "task-double",
        "ex-double",
        "check-double",
        "task-norm-ratio",
        "ex-norm-ratio",
        "check-norm-ratio",
        "norm-ratio-code-1",
        "quiz-twice",
        "common-misreadings",
        "quiz-thrice",
        "further-reading",
    ]


def test_the_chapter_asks_and_the_solution_answers(made: Notebooks) -> None:
    asked, solved = by_id(made.chapter), by_id(made.solution)
    assert asked["ex-double"].source.endswith(STUB)
    assert "return [2 * item" in solved["ex-double"].source
    assert asked["ex-norm-ratio"].source == "ratio = ..."
    assert solved["ex-norm-ratio"].source == "ratio = 2.0"
    assert asked["quiz-twice"].source == 'quiz("twice", "?")'
    assert solved["quiz-twice"].source == 'quiz("twice", "b")'
    assert "SOLUTION" not in notebook_text(made.chapter) + notebook_text(made.solution)
    for cell in made.chapter.cells + made.solution.cells:
        assert cell.cell_type == "markdown" or (cell.outputs, cell.execution_count) == ([], None)


def test_headers_and_times_come_from_the_registry(made: Notebooks) -> None:
    cells = by_id(made.chapter)
    assert cells["07-doubling"].source.split("\n")[:4] == [
        "# 07 · Doubling",
        "",
        "*About 20 min · 2 exercises · 2 quick checks*",
        "",
    ]
    text = cells["task-double"].source
    assert text.startswith(
        "### Exercise: A title\n\n**Difficulty** ●●●○○ (3 of 5) · **about** 5 min"
    )
    assert "2 points" in text and "**Objective:** Do it." in text and 'hint("double")' in text
    assert text.endswith("Write `double`. What you should see: a list twice as large.")
    assert cells["task-norm-ratio"].source.endswith('hint("norm-ratio")` in a cell of your own.')


def test_metadata_say_whose_a_cell_is_and_protect_it(made: Notebooks) -> None:
    cells = by_id(made.chapter)
    exercise, check, quiz = (
        cells[f"{role}-{slug}"].metadata
        for role, slug in (("ex", "double"), ("check", "double"), ("quiz", "twice"))
    )
    assert exercise["mi_tutor"] == {"exercise": "double", "role": "exercise"}
    assert check["mi_tutor"] == {"exercise": "double", "role": "check"}
    assert quiz["mi_tutor"] == {"quiz": "twice", "role": "quiz"}
    assert [one["deletable"] for one in (exercise, check, quiz)] == [False] * 3
    assert [one.get("editable") for one in (exercise, check, quiz)] == [None, False, None]
    assert cells["07-doubling"].metadata == {}
    assert cells["setup"].metadata == {"tags": ["setup"]}


def test_nbgrader_metadata_follow_its_schema(made: Notebooks) -> None:
    """The rules of nbgrader.nbgraderformat.v3: which keys, of which types, and ids used once."""
    types = {
        "schema_version": int,
        "grade_id": str,
        "cell_type": str,
        "grade": bool,
        "solution": bool,
        "locked": bool,
        "task": bool,
    }
    graded = [cell for cell in made.chapter.cells if "nbgrader" in cell.metadata]
    assert len(graded) == 6
    assert len({cell.metadata.nbgrader.grade_id for cell in graded}) == 6
    for cell in graded:
        data = cell.metadata.nbgrader
        assert {key: type(data[key]) for key in types} == types
        assert data.schema_version == 3
        assert data.cell_type == cell.cell_type
        assert data.grade_id == cell.id
        assert data.grade == ("points" in data) == data.locked
        assert data.grade != data.solution
        assert data.get("points", 2) == 2


def test_repository_adds_badges_and_the_colab_cell(small: str, registry: Registry) -> None:
    chapter = parse_chapter(small, PATH)
    plain = make_notebooks(chapter, registry)
    for notebook, folder, without in zip(
        make_notebooks(chapter, registry, "someone/course"),
        ("chapters", "solutions"),
        plain,
        strict=True,
    ):
        nbformat.validate(notebook)
        first = notebook.cells[0].source
        colab = f"github/someone/course/blob/main/{folder}/07_doubling.ipynb"
        assert f"https://colab.research.google.com/{colab}" in first
        binder = f"gh/someone/course/main?urlpath=lab/tree/{folder}/07_doubling.ipynb"
        assert f"https://mybinder.org/v2/{binder}" in first
        assert "\n\n# 07 · Doubling\n" in first
        assert [cell.id for cell in notebook.cells].index("colab-setup") == 1
        assert "colab" not in notebook_text(without).lower()
        assert "binder" not in notebook_text(without).lower()


@pytest.mark.parametrize(("on_colab", "installed"), [(0, 0), (0, 1), (1, 1), (1, 0)])
def test_the_colab_cell_installs_the_course_only_there_and_alone(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    on_colab: int,
    installed: int,
) -> None:
    """With stand-ins for what is found; tests/test_wheel.py runs it with a real pip."""
    ran: list[list[str]] = []
    found = {"google": 1, "google.colab": on_colab, "mi_tutor": installed}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: found[name] or None)
    monkeypatch.setattr("mi_tutor.colab.complete", lambda had: print("complete"))
    monkeypatch.setattr(
        "subprocess.run", lambda command: ran.append(command) or SimpleNamespace(returncode=0)
    )
    exec(colab_setup("someone/course"), {})
    said = capsys.readouterr().out
    assert ("complete" in said) == bool(on_colab) and bool(said) == bool(on_colab)
    if not on_colab or installed:
        assert ran == []
    else:
        (command,) = ran
        assert command[1:4] == ["-m", "pip", "install"]
        archive = "https://github.com/someone/course/archive/refs/heads/main.zip"
        assert command[-2:] == ["--no-deps", f"mi_tutor @ {archive}"]


def test_a_network_that_fails_on_colab_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"google": 1, "google.colab": 1, "mi_tutor": None}
    monkeypatch.setattr("importlib.util.find_spec", found.get)
    monkeypatch.setattr("subprocess.run", lambda command: SimpleNamespace(returncode=1))
    with pytest.raises(SystemExit, match=r"could not be installed .* Run this cell again"):
        exec(colab_setup("someone/course"), {})


def test_an_exercise_that_the_registry_does_not_know(
    parse: Callable[[str], Chapter], registry: Registry
) -> None:
    chapter = parse('# %% tags=["exercise"] slug="duoble"\nx = 1  # SOLUTION\n')
    with pytest.raises(SourceError, match=r"^07_doubling.py:7: .*did you mean 'double'\?"):
        make_notebooks(chapter, registry)


def test_digest_sees_what_cells_say_and_not_what_they_printed(made: Notebooks) -> None:
    notebook = nbformat.from_dict(json.loads(notebook_text(made.chapter)))
    for cell in notebook.cells:
        cell.source = "".join(cell.source)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="hello")]
    notebook.cells[1].execution_count = 3
    assert is_untouched(notebook)
    notebook.cells[3].source += "  # mine"
    assert not is_untouched(notebook)
    assert digest(notebook) != digest(made.chapter)


def prose(text: str) -> Cell:
    return Cell("markdown", "prose", "", text, 1)


CODE = Cell("code", "code", "", "x", 1)


def test_ids_of_a_section_do_not_change_with_cells_of_another() -> None:
    before = (prose("# T"), CODE, prose("## A"), CODE, prose("more"), prose("## B"), CODE)
    after = (*before[:2], CODE, CODE, *before[2:])
    assert (
        cell_ids(before)[2:]
        == cell_ids(after)[4:]
        == ["a", "a-code-1", "a-text-1", "b", "b-code-1"]
    )


def test_ids_are_unique_and_valid_whatever_the_headings_say() -> None:
    cells = (
        prose("# ΔW · größer → «Σ»"),
        prose("## 日本"),
        prose("## 日本"),
        prose("## check double"),
        prose("## Task double"),
        prose("## colab setup"),
        prose("## " + "long " * 40),
        prose("## a code 1"),
        prose("## a"),
        CODE,
        Cell("code", "exercise", "double", "x", 1),
        Cell("code", "check", "double", "x", 1),
        CODE._replace(fixed_id="mine"),
        prose("## mine"),
        Cell("code", "setup", "", "x", 1),
        Cell("code", "setup", "", "x", 1),
        prose("```python\n# not a heading\n```\n\ntext"),
    )
    ids = cell_ids(cells)
    assert len(set(ids)) == len(ids)
    assert ids[9] == "a-code-1-2"
    assert [ids[0], ids[3], ids[4], ids[13]] == [
        "w-groer",
        "check-double-2",
        "task-double-2",
        "mine-2",
    ]
    assert ids[-3:] == ["setup", "setup-2", "mine-text-1"]
    new_cells = [nbformat.v4.new_code_cell("x", id=one) for one in ids]
    nbformat.validate(nbformat.v4.new_notebook(cells=new_cells))


def test_the_example_in_the_documentation_is_a_source(registry: Registry) -> None:
    text = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")
    source = text.split("```python\n", 1)[1].split("\n```\n", 1)[0]
    cells = by_id(make_notebooks(parse_chapter(source, PATH), registry).chapter)
    assert cells["ex-double"].source.endswith(STUB)
    assert cells["ex-norm-ratio"].source == "ratio = ..."
    assert cells["quiz-doubling-twice"].source == 'quiz("doubling-twice", "?")'


CLAIM = '# %% tags=["claim"]\nassert double([3]) == [6], "Doubling doubles."\n\n'


def test_a_claim_is_in_neither_notebook_and_changes_no_id(small: str, registry: Any) -> None:
    with_claim = small.replace('# %% tags=["quiz"]', CLAIM + '# %% tags=["quiz"]', 1)
    chapter, plain = parse_chapter(with_claim, PATH), parse_chapter(small, PATH)
    assert make_notebooks(chapter, registry) == make_notebooks(plain, registry)
    proof = make_proof(chapter, registry)
    assert [cell.id for cell in proof.cells if is_claim(cell)] == ["claim-1-1"]
    assert without_claims(proof) == make_notebooks(plain, registry).solution
