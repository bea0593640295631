"""The house as docs/architecture.md draws it: no circles, rooms by subject, faces that say what they show."""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path

import grimp
import pytest

from mi_tutor.subjects import SUBJECTS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FACES = sorted(
    str(path.parent.relative_to(ROOT)).replace("/", ".")
    for room in ("lab", "show", "specimens")
    for path in (ROOT / "mi_tutor" / room).rglob("__init__.py")
    if "__all__" in path.read_text(encoding="utf-8")
)


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("mi_tutor", cache_dir=None)


def circles() -> list[set[str]]:
    """Groups of files that import each other, however far around (Tarjan's strongly connected components)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[set[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        path.append(module)
        for other in sorted(graph().find_modules_directly_imported_by(module)):
            if other not in number:
                visit(other)
            if other in path:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == number[module]:
            circle = set(path[path.index(module) :])
            del path[path.index(module) :]
            if len(circle) > 1:
                found.append(circle)

    for module in sorted(graph().modules):
        if module not in number:
            visit(module)
    return found


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circles() == []


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def test_the_picture_is_the_house() -> None:
    """Each arrow of the page's picture is an import, and each import runs along its arrows."""
    drawn = set(re.findall(r"^    (\w+) --> (\w+)$", PAGE, re.MULTILINE))
    rooms = {end for arrow in drawn for end in arrow}
    imports = {
        (room(module), room(other))
        for module in graph().modules
        for other in graph().find_modules_directly_imported_by(module)
        if room(module) != room(other)
    }
    assert drawn <= imports, drawn - imports
    reached = set(drawn)
    while more := {(a, d) for a, b in reached for c, d in reached if b == c} - reached:
        reached |= more
    between_rooms = {(a, b) for a, b in imports if a in rooms and b in rooms}
    assert between_rooms <= reached, between_rooms - reached
    assert rooms == {path.parent.name for path in (ROOT / "mi_tutor").glob("*/__init__.py")}


def test_the_page_names_files_that_exist_and_functions_that_they_have() -> None:
    for path in re.findall(r"`(mi_tutor/[\w./-]+)`", PAGE):
        assert (ROOT / path).exists(), path
    walked = re.findall(r"`(mi_tutor/[\w./]+\.py)`[^`]{0,12}`(\w+)`", PAGE)
    assert len(walked) >= 8
    for path, name in walked:
        module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        assert hasattr(module, name), f"{path} has no {name}"


@pytest.mark.parametrize("subject", SUBJECTS.values())
def test_a_subject_has_the_same_word_in_every_room(subject: str) -> None:
    for room in ("mi_tutor/lab", "mi_tutor/teach/exercises", "tests/lab"):
        assert (ROOT / room / subject).is_dir(), f"{room}/{subject}"


@pytest.mark.parametrize("room", ["lab", "show", "teach/exercises"])
def test_every_room_is_a_subject_or_common_ground(room: str) -> None:
    rooms = {path.parent.name for path in (ROOT / "mi_tutor" / room).glob("*/__init__.py")}
    assert rooms <= {*SUBJECTS.values(), "ground", "drawing"}


@pytest.mark.parametrize("face", FACES)
def test_what_a_face_shows_is_documented_and_hides_no_file(face: str) -> None:
    module = importlib.import_module(face)
    files = {path.stem for path in Path(module.__file__).parent.glob("*.py")}
    for name in module.__all__:
        shown = getattr(module, name)
        if callable(shown):
            assert shown.__doc__, f"{face}.{name} has no docstring"
        is_file = name in files and getattr(shown, "__name__", "") == f"{face}.{name}"
        assert name not in files or is_file, f"{face}.{name} hides the file {name}.py"


def test_every_file_of_a_lab_room_is_in_its_table_of_contents() -> None:
    for face in (ROOT / "mi_tutor" / "lab").glob("*/__init__.py"):
        contents = importlib.import_module(f"mi_tutor.lab.{face.parent.name}").__doc__
        words = set(re.findall(r"\w+", contents))
        files = {path.stem for path in face.parent.glob("*.py")} - {"__init__"}
        assert files <= words, f"{face.parent.name}: {sorted(files - words)}"
