"""Records of runs that passed: what they stood on brings the run back when it changes, nothing else does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mi_tutor import witness
from mi_tutor.authoring import recording, standing
from mi_tutor.authoring.execute import execute
from mi_tutor.authoring.settings import find_project
from mi_tutor.authoring.standing import Name

LAB, WORDS, SHELF = "mi_tutor/lab/norms.py", "mi_tutor/words.tsv", "mi_tutor/specimens/shelf/tiny/"
ONE = Name("chapters", "07_doubling")
CELLS = 'double(2)\nassert seen == 4, "twice"'
MODULE = '"""Norms."""\n\n\ndef norm(x):\n    return x * 2\n'


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A course in small, with a record of a run that stood on one file of each kind."""
    root = tmp_path / "clone"
    files = {LAB: MODULE, WORDS: "one\ntwo\n", f"{SHELF}card.json": "{}", f"{SHELF}card.md": "#"}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / SHELF / "weights.safetensors").write_bytes(b"\0\1\r\n\2")
    standing.write(root, ONE, standing.describe(root, [LAB, WORDS, SHELF], CELLS))
    return root


def changed(root: Path, cells: str = CELLS) -> list[str]:
    standing.look_again()
    return standing.changes(root, ONE, cells)


def test_nothing_has_changed(clone: Path) -> None:
    assert changed(clone) == []
    assert standing.in_short(clone, ONE).startswith("2 files, 1 specimens, torch ")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (LAB, MODULE.replace("2", "3").encode(), LAB),
        (LAB, MODULE.replace("Norms.", "Of rows.").encode(), LAB),
        (LAB, b"def norm(x:", LAB),
        (LAB, None, f"{LAB} is gone"),
        (WORDS, b"one\nthree\n", WORDS),
        (f"{SHELF}weights.safetensors", b"\0\1\n\2", SHELF),
        (f"{SHELF}card.json", b'{"name": 1}', SHELF),
        (f"{SHELF}cfg.json", b"{}", SHELF),
    ],
)
def test_what_it_stood_on_brings_the_run_back(
    clone: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is None:
        (clone / name).unlink()
    else:
        (clone / name).write_bytes(content)
    assert changed(clone) == [said]


@pytest.mark.parametrize("cells", [CELLS.replace("4", "5"), CELLS + " # more", ""])
def test_so_does_a_claim_or_a_cell(clone: Path, cells: str) -> None:
    assert changed(clone, cells) == ["the chapter's code or claims"]


def test_so_do_other_versions(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = standing.versions()
    monkeypatch.setattr(standing, "versions", lambda: now | {"torch": "9.0"})
    assert changed(clone) == [f"torch: {now['torch']} -> 9.0"]
    monkeypatch.setattr(standing, "versions", lambda: now | {"torch": "9.0", "python": "4.0"})
    assert changed(clone) == [f"python: {now['python']} -> 4.0"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (LAB, MODULE.replace("\n", "\r\n").encode()),
        (LAB, ("# A word.\n" + MODULE.replace("x * 2", "(x\n        * 2)")).encode()),
        (WORDS, b"one\r\ntwo\r\n"),
        (f"{SHELF}card.md", b"other words"),
        (f"{SHELF}.DS_Store", b"\0"),
        ("mi_tutor/lab/others.py", b"x = 1"),
    ],
)
def test_another_machine_or_layout_does_not(clone: Path, name: str, content: bytes) -> None:
    (clone / name).write_bytes(content)
    assert changed(clone) == []
    moved = clone.rename(clone.with_name("elsewhere"))
    assert changed(moved) == []


def test_what_has_the_same_bytes_is_not_read_again(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading eight hundred files took longer than most tests."""
    monkeypatch.setattr(standing, "_as_read", lambda path: pytest.fail(f"{path} was read"))
    standing._as_written.cache_clear()
    assert standing.changes(clone, ONE, CELLS) == []


def test_a_record_that_no_run_has_written_is_none(clone: Path) -> None:
    """Two branches each changed another file and ran; merged line by line, their record is of no run."""
    path = ONE.path(clone)
    known = json.loads(path.read_text(encoding="utf-8"))
    (clone / LAB).write_text("x = 1", encoding="utf-8")
    standing.look_again()
    known["stood_on"] |= standing.describe(clone, [LAB])
    path.write_text(json.dumps(known), encoding="utf-8")
    assert changed(clone) == ["there is no record of a run that passed"]
    for broken in ("", "{}", '{"stood_on": [], "seal": 1}', '{"stood_on": 3, "seal": ""}'):
        path.write_text(broken, encoding="utf-8")
        assert changed(clone) == ["there is no record of a run that passed"]


def test_a_file_that_is_written_during_the_run_is_noticed(clone: Path) -> None:
    started = (clone / LAB).stat().st_mtime - 1
    assert standing.edited_since(clone, [LAB, SHELF], started) == [LAB, SHELF]
    assert standing.edited_since(clone, [LAB, SHELF], started + 1e6) == []


def test_spot_checks_are_few_and_others_with_each_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = {kind for turn in standing.SPOT_CHECKS for kind in turn}
    known = [Name(kind, f"{i}") for kind in sorted(every) for i in range(20)]
    seen = set()
    for commit in "abcdef":
        monkeypatch.setattr(standing, "tree_of", lambda root, commit=commit: commit)
        chosen = standing.spot_checked(tmp_path, known)
        assert chosen == standing.spot_checked(tmp_path, reversed(known))
        kinds = [name.kind for name in chosen]
        assert {kind: kinds.count(kind) for kind in kinds} in standing.SPOT_CHECKS
        seen |= chosen
    assert {name.kind for name in seen} == every
    assert len(seen) > 2 * max(sum(turn.values()) for turn in standing.SPOT_CHECKS)


def test_outside_of_git_the_records_choose(clone: Path) -> None:
    standing.tree_of.cache_clear()
    assert len(standing.tree_of(clone)) == 16


def test_a_process_is_witnessed(tmp_path: Path) -> None:
    """Loaded and opened files of the package, and nothing of others; what went wrong leaves no record."""
    (tmp_path / "runs.py").write_text(
        "from pathlib import Path\n"
        "from mi_tutor import subjects\n"
        "from mi_tutor.specimens.opening.shelf import SHELF\n"
        "def passes():\n"
        "    (SHELF / 'primer' / 'card.json').read_text()\n"
        "    Path(__file__).read_text()\n"
        "    return []\n"
        "def fails(word):\n"
        "    return [f'no {word}']\n",
        encoding="utf-8",
    )
    out = tmp_path / "out.json"

    def start(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mi_tutor.witness", str(out), *words]
        paths = f"{tmp_path}{':' if sys.platform != 'win32' else ';'}{witness.PACKAGE.parent}"
        return subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
        )

    failed = start("runs:fails", "luck")
    assert (failed.returncode, failed.stdout.strip(), out.exists()) == (1, "no luck", False)
    assert start("runs:passes").returncode == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    assert {"mi_tutor/subjects.py", "mi_tutor/specimens/shelf/primer/"} <= set(found)
    assert "mi_tutor/witness.py" not in found
    assert not any("runs" in name or "torch" in name or name.endswith(".pyc") for name in found)


@pytest.mark.slow
def test_a_kernel_is_witnessed_and_the_count_of_all_exercises_is_not(
    course: Any, registry: Any
) -> None:
    more = "\n# %%\nfrom mi_tutor import subjects, progress\n\n# %%\nprogress()\n"
    course.source.write_text(course.source.read_text() + more, encoding="utf-8")
    done = execute(course.source, registry=registry, progress=False)
    assert {"mi_tutor/__init__.py", "mi_tutor/subjects.py"} <= set(done.stood_on)
    assert not any("exercises" in name for name in done.stood_on)
    assert "watch()" not in course.solution.read_text() and "chapter 00" in (
        course.solution.read_text()
    )


def test_records_are_of_runs_that_there_are() -> None:
    project = find_project(Path(__file__).parent)
    known = {str(name) for name in recording.names(project)}
    kept = project.root / "records"
    stored = {path.relative_to(kept).with_suffix("").as_posix() for path in kept.rglob("*.json")}
    assert stored <= known, f"git rm the records of what is gone: {sorted(stored - known)}"


def test_the_suite_leaves_out_what_stands_and_runs_what_does_not(
    clone: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """The plugin's own function, on three tests of which one has changed and one is spot-checked."""
    choosing = request.config.pluginmanager.get_plugin("choosing")
    found = {"a": [], "b": [], "c": [LAB]}
    monkeypatch.setattr(recording, "changes", lambda project, name: found[name.name])
    monkeypatch.setattr(standing, "SPOT_CHECKS", ({"chapters": 1},))
    monkeypatch.setattr(standing, "tree_of", lambda root: "this commit")

    class Item:
        def __init__(self, name: str) -> None:
            self.own, self.changed = [pytest.mark.recorded("chapters", name).mark], []

        def iter_markers(self, name: str) -> list[Any]:
            return [mark for mark in self.own if mark.name == name]

        def add_marker(self, added: Any) -> None:
            self.own.append(added.mark)

    class Config:
        class option:
            every_run, markexpr = False, ""

    monkeypatch.setattr(standing, "in_short", lambda root, name: "some files")
    items = [Item(name) for name in found]
    choosing.skip(items, choosing.marked_that_stand(items, Config))
    skipped = [len(item.iter_markers("skip")) for item in items]
    assert sorted(skipped[:2]) == [0, 1] and skipped[2] == 0
    assert items[2].changed == [LAB]
    (reason,) = [mark.kwargs["reason"] for item in items for mark in item.iter_markers("skip")]
    assert "stands as recorded, on" in reason and "make test-all" in reason
    Config.option.markexpr = "not slow"  # make test-fast: no spot checks
    items = [Item(name) for name in found]
    choosing.skip(items, choosing.marked_that_stand(items, Config))
    assert [len(item.iter_markers("skip")) for item in items] == [1, 1, 0]
    Config.option.every_run = True
    items = [Item(name) for name in found]
    choosing.skip(items, choosing.marked_that_stand(items, Config))
    assert not any(item.iter_markers("skip") for item in items)
