"""Writing notebooks: same bytes twice, nothing half written, nobody's work lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_output

from mi_tutor.authoring.build import Built, build
from mi_tutor.authoring.notebook import make_notebooks
from mi_tutor.authoring.source import SourceError, read_chapter
from mi_tutor.authoring.stale import stale
from mi_tutor.files import (
    NotANotebook,
    keep_aside,
    notebook_text,
    read_notebook,
    write_atomically,
)


def run(course: Any, registry: Any, repository: str = "") -> Built:
    return build(course.sources, course.chapters, registry=registry, repository=repository)


def reasons(course: Any, registry: Any) -> list[str]:
    return [str(one) for one in stale(course.sources, course.chapters, registry=registry)]


def pretend_executed(course: Any, registry: Any) -> None:
    """Put a solution notebook there as an execution leaves it."""
    notebook = make_notebooks(read_chapter(course.source), registry).solution
    number = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            number += 1
            cell.execution_count = number
            text = f"output of {cell.id}\n"
            cell.outputs = [new_output("stream", text=text)]
    course.solution.write_text(notebook_text(notebook), encoding="utf-8")


@pytest.mark.parametrize("repository", ["", "someone/course"])
def test_building_twice_gives_the_same_bytes_and_writes_once(
    course: Any, registry: Any, repository: str
) -> None:
    first = run(course, registry, repository)
    assert first == Built([course.chapter], [], [course.solution])
    before, stamp = course.chapter.read_bytes(), course.chapter.stat().st_mtime_ns
    assert run(course, registry, repository) == Built([], [], [course.solution])
    assert course.chapter.stat().st_mtime_ns == stamp
    course.chapter.unlink()
    run(course, registry, repository)
    assert course.chapter.read_bytes() == before
    assert before.endswith(b"}\n") and b"\r" not in before
    json.loads(before)


def test_building_in_another_process_with_another_hash_seed_gives_the_same_bytes(
    course: Any, registry: Any
) -> None:
    run(course, registry)
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "import conftest; from mi_tutor.authoring.build import build\n"
        "root = Path(sys.argv[2])\n"
        "build(root / 'solutions', root / 'other', registry=conftest.FakeRegistry())\n"
    )
    environment = os.environ | {"PYTHONHASHSEED": "17"}
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(course.root)]
    subprocess.run(command, check=True, env=environment)
    other = course.root / "other" / course.chapter.name
    assert other.read_bytes() == course.chapter.read_bytes()


def test_a_mistake_in_one_source_leaves_everything_as_it_was(course: Any, registry: Any) -> None:
    run(course, registry)
    before = course.chapter.read_bytes()
    course.source.write_text(course.source.read_text().replace("Doubling", "Twice"))
    (course.sources / "08_broken.py").write_text("# %%\nx = 1  # SOLUTION\n")
    with pytest.raises(SourceError, match=r"^08_broken.py:2: "):
        run(course, registry)
    assert course.chapter.read_bytes() == before


@pytest.mark.parametrize("name", ["os.replace", "os.fsync"])
def test_an_interrupted_build_leaves_old_files_whole(
    course: Any, registry: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    run(course, registry)
    files, before = course.files(), course.chapter.read_bytes()
    course.source.write_text(course.source.read_text().replace("Doubling", "Twice"))

    def interrupted(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(course, registry)
    assert (course.files(), course.chapter.read_bytes()) == (files, before)
    run(course, registry)
    assert b"Twice" in course.chapter.read_bytes()


@pytest.mark.slow
def test_a_killed_writer_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text("old")
    code = (
        "import os, sys, time; from pathlib import Path\n"
        "from mi_tutor.files import write_atomically\n"
        "def stop(handle): print('ready', flush=True); time.sleep(60)\n"
        "os.fsync = stop\n"
        "write_atomically(Path(sys.argv[1]), 'new' * 100_000)\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
    assert path.read_text() == "old"
    assert write_atomically(path, "newer")
    assert path.read_text() == "newer"


def test_without_permission_the_error_is_the_systems_and_nothing_changes(
    course: Any, registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(course, registry)
    before = course.chapter.read_bytes()
    course.source.write_text(course.source.read_text().replace("Doubling", "Twice"))

    def refused(*arguments: Any, **options: Any) -> None:
        raise PermissionError(13, "Permission denied", str(course.chapter))

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(PermissionError):
        build(course.sources, course.chapters, registry=registry)
    monkeypatch.undo()
    assert course.chapter.read_bytes() == before


def test_new_files_are_readable_by_others_as_usual(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("x")
    write_atomically(tmp_path / "ours", "x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_answers_in_a_chapter_are_kept_aside(course: Any, registry: Any) -> None:
    run(course, registry)
    notebook = read_notebook(course.chapter)
    notebook.cells[3].source = "def double(x): return my_answer"
    course.chapter.write_text(notebook_text(notebook), encoding="utf-8")
    worked = course.chapter.read_bytes()
    (message,) = [text for text in reasons(course, registry) if "chapters/" in text]
    assert "your answers are safe" in message and message.endswith("run make build")
    built = run(course, registry)
    kept = course.chapters / "07_doubling.kept-1.ipynb"
    assert built.kept == [(course.chapter, kept)]
    assert kept.read_bytes() == worked
    assert b"my_answer" not in course.chapter.read_bytes()
    assert run(course, registry).kept == []


def test_outputs_alone_are_not_work(course: Any, registry: Any) -> None:
    run(course, registry)
    notebook = read_notebook(course.chapter)
    notebook.cells[1].execution_count = 1
    course.chapter.write_text(notebook_text(notebook), encoding="utf-8")
    (message,) = [text for text in reasons(course, registry) if "chapters/" in text]
    assert "outputs or metadata" in message
    assert run(course, registry).kept == []


@pytest.mark.parametrize(
    "text",
    [
        "<<<<<<< HEAD\n{}\n",
        "",
        "[]",
        '{"nbformat": 3}',
        '{"nbformat": 4, "cells": 1}',
        '{"nbformat": 4, "cells": [{"source": 1}], "metadata": []}',
        "[" * 100_000,
        "\ud800",
    ],
)
def test_what_is_not_a_notebook_is_kept_aside_too(course: Any, registry: Any, text: str) -> None:
    course.chapters.mkdir()
    course.chapter.write_bytes(text.encode(errors="surrogatepass"))
    course.solution.write_bytes(text.encode(errors="surrogatepass"))
    assert len(reasons(course, registry)) == 2
    built = run(course, registry)
    assert len(built.kept) == 1
    assert built.kept[0][1].read_bytes() == text.encode(errors="surrogatepass")
    assert built.to_execute == [course.solution]
    assert course.solution.read_bytes() == text.encode(errors="surrogatepass")
    assert all("solutions/" in reason for reason in reasons(course, registry))


def test_keep_aside_takes_the_first_free_name(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text("one")
    assert [keep_aside(path).name, keep_aside(path).name] == ["a.kept-1.ipynb", "a.kept-2.ipynb"]


def test_read_notebook_says_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text("{")
    with pytest.raises(NotANotebook, match=r"a.ipynb is not JSON"):
        read_notebook(path)


def test_new_prose_reaches_an_executed_solution_and_outputs_stay(
    course: Any, registry: Any
) -> None:
    run(course, registry)
    pretend_executed(course, registry)
    assert reasons(course, registry) == []
    text = course.source.read_text().replace("Everything doubles.", "Everything, truly.")
    course.source.write_text(text)
    assert [reason.split()[-1] for reason in reasons(course, registry)] == ["build", "build"]
    assert run(course, registry) == Built([course.chapter, course.solution], [], [])
    assert reasons(course, registry) == []
    written = course.solution.read_text()
    assert "Everything, truly." in written and "output of check-double" in written


def test_the_repository_setting_does_not_cost_an_execution(course: Any, registry: Any) -> None:
    run(course, registry)
    pretend_executed(course, registry)
    before = course.solution.read_bytes()
    assert run(course, registry, "someone/course").to_execute == []
    counts = [
        cell.execution_count
        for cell in read_notebook(course.solution).cells
        if cell.cell_type == "code"
    ]
    assert counts == list(range(1, len(counts) + 1))
    run(course, registry)
    assert course.solution.read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new"),
    [("2 * item", "item * 2"), ('"b")\n', '"c")\n'), ("end=", "sep="), ('"norm-ratio"', '"ratio"')],
)
def test_new_code_asks_for_an_execution(course: Any, registry: Any, old: str, new: str) -> None:
    run(course, registry)
    pretend_executed(course, registry)
    before = course.solution.read_bytes()
    course.source.write_text(course.source.read_text().replace(old, new))
    registry.listed[1].slug = "ratio" if new == '"ratio"' else "norm-ratio"
    built = run(course, registry)
    assert built.to_execute == [course.solution]
    assert course.solution.read_bytes() == before
    (message,) = reasons(course, registry)
    assert "solutions/07_doubling.ipynb" in message and message.endswith("run make execute")


def test_a_solution_that_was_never_executed_is_stale(course: Any, registry: Any) -> None:
    run(course, registry)
    notebook = make_notebooks(read_chapter(course.source), registry).solution
    course.solution.write_text(notebook_text(notebook), encoding="utf-8")
    (message,) = reasons(course, registry)
    assert "not executed" in message


def test_stale_names_what_is_missing_and_what_has_no_source(course: Any, registry: Any) -> None:
    assert [reason.split(":")[0] for reason in reasons(course, registry)] == [
        "chapters/07_doubling.ipynb is missing",
        "solutions/07_doubling.ipynb is missing",
    ]
    run(course, registry)
    pretend_executed(course, registry)
    (course.chapters / "09_gone.ipynb").touch()
    (course.chapters / "07_doubling.kept-1.ipynb").touch()
    (message,) = reasons(course, registry)
    assert message == "chapters/09_gone.ipynb has no source: run git rm chapters/09_gone.ipynb"
