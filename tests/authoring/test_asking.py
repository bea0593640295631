"""Tests that have a record: an edit of what they stood on brings them back, and only a pass leaves one."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from mi_tutor import asking
from mi_tutor.authoring import recording, standing
from mi_tutor.authoring.settings import Project, find_project
from mi_tutor.authoring.standing import Name

OURS = find_project(Path(__file__).parent)
MACHINERY = (
    "mi_tutor/__init__.py",
    "mi_tutor/asking.py",
    "mi_tutor/witness.py",
    "tests/plugins/choosing.py",
    "tests/plugins/costs.py",
)
LAB, TEST, NUMBERS = "mi_tutor/lab/norms.py", "tests/lab/norms/test_norms.py", "tests/numbers.txt"
FILES = {
    LAB: "def twice(x):\n    return 2 * x\n",
    "mi_tutor/lab/other.py": "",
    NUMBERS: "3 6",
    "tests/conftest.py": 'pytest_plugins = ("costs", "choosing")\n',
    TEST: """
from pathlib import Path
import pytest

def test_twice():
    from mi_tutor.lab.norms import twice
    x, y = map(int, Path("tests/numbers.txt").read_text().split())
    assert twice(x) == y
""",
    "tests/test_others.py": "def test_nothing(): pass\n",
    "pyproject.toml": """
[tool.mi_tutor]
recorded = ["tests/lab/*/"]
[tool.pytest.ini_options]
pythonpath = ["tests/plugins"]
addopts = "--strict-markers --import-mode=importlib"
markers = ["anew: .", "recorded(kind, name): .", "xdist_group: ."]
""",
}
ONE = Name("tests", "lab/norms")


@pytest.fixture
def house(tmp_path: Path) -> Project:
    """A project with what makes records, one function, and one test of it."""
    root = tmp_path / "house"
    for name in (*MACHINERY, *FILES):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
    for name in MACHINERY:
        shutil.copy(OURS.root / name, root / name)
    for name, text in FILES.items():
        (root / name).write_text(text, encoding="utf-8")
    return Project(root, "")


def changed(house: Project) -> list[str]:
    standing.look_again()
    return standing.changes(house.root, ONE)


def test_a_broken_function_brings_its_tests_back_and_they_fail(house: Project) -> None:
    assert recording.run(house, ONE) == []
    known = standing.read(house.root, ONE)
    files = set(known) - set(standing.versions())
    assert {LAB, TEST, NUMBERS, "tests/conftest.py"} <= files
    assert not any("plugins" in file or "other" in file for file in files)
    assert changed(house) == []
    # Not as long as before: Python takes a compiled file for current that has the source's size and second.
    (house.root / LAB).write_text("def twice(x):\n    return 2 * x + x\n", encoding="utf-8")
    assert changed(house) == [LAB]
    (said,) = recording.run(house, ONE)
    assert said == f"{TEST}::test_twice: assert 9 == 6"
    assert standing.read(house.root, ONE) == known  # what failed has left no record
    (house.root / LAB).write_text(f"# Right again.\n{FILES[LAB]}", encoding="utf-8")
    assert changed(house) == []
    (house.root / TEST).write_text(FILES[TEST] + "    assert y > 0\n", encoding="utf-8")
    (house.root / NUMBERS).write_text("1 2", encoding="utf-8")
    assert changed(house) == [TEST, NUMBERS]


def test_what_is_marked_stands_on_the_files_that_mark_it(house: Project) -> None:
    """The others are looked through for marks, too, but not by the run.

    This file has no such mark itself: all exercises of the course would stand on it.
    """
    text = """
import os, pytest
from mi_tutor.lab.norms import twice

@pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.recorded(KIND, "00")), 2])
def test_one(n):
    assert (twice(n), os.environ["MI_TUTOR_ASKED"]) == (2, "00")
"""
    text = text.replace("KIND", '"exercises"')
    (house.root / "tests" / "test_marked.py").write_text(text, encoding="utf-8")
    name = Name("exercises", "00")
    assert recording.run(house, name) == []
    files = {file for file in standing.read(house.root, name) if file.startswith("tests/")}
    assert files == {"tests/conftest.py", "tests/test_marked.py"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("def test_skipped(): pytest.skip('not here')", "not here"),
        ("import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])", "not witnessed"),
        ("import no_such_module", "no_such_module"),
        ("pytestmark = pytest.mark.anew", "NO_TESTS_COLLECTED"),
    ],
)
def test_less_than_a_pass_leaves_no_record(house: Project, more: str, said: str) -> None:
    with (house.root / TEST).open("a", encoding="utf-8") as file:
        file.write(f"\n{more}\n")
    wrong = recording.run(house, ONE)
    assert wrong and said in " ".join(wrong)
    assert standing.read(house.root, ONE) is None


def test_what_stands_is_not_even_collected(house: Project, request: pytest.FixtureRequest) -> None:
    choosing = request.config.pluginmanager.get_plugin("choosing")
    places = {place: ("tests", name) for name, place in asking.runs_by_place(house.root).items()}
    assert places == {house.root / "tests" / "lab" / "norms": ONE}
    config = SimpleNamespace(run_of_place=places, left_out={ONE})
    file, other = house.root / TEST, house.root / "tests" / "test_others.py"
    assert choosing.pytest_ignore_collect(file, config)
    assert not choosing.pytest_ignore_collect(other, config)
    config.left_out = set()  # it has changed, or is a spot check
    assert not choosing.pytest_ignore_collect(file, config)
    config.left_out = {ONE}
    file.write_text(f"{FILES[TEST]}\n@pytest.mark.anew\ndef test_b(): pass\n", encoding="utf-8")
    assert not choosing.pytest_ignore_collect(file, config)


def test_who_names_a_place_wants_it_run(request: pytest.FixtureRequest) -> None:
    choosing = request.config.pluginmanager.get_plugin("choosing")

    def whole(*args: str) -> bool:
        here = SimpleNamespace(dir=OURS.root)
        return choosing.is_whole(SimpleNamespace(invocation_params=here, args=args))

    assert whole("tests") and whole(str(OURS.root)) and whole(str(OURS.root / "tests"))
    assert not whole("tests/lab") and not whole("tests/test_wheel.py::test_what_is_in_it")


def test_every_place_that_is_listed_is_there() -> None:
    places = asking.runs_by_place(OURS.root)
    assert {"lab/superposition", "show/swaps", "teach/test_attacks", "world"} <= set(places)
    assert len(asking.files_that_mark(OURS.root, "exercises")) >= 3
