"""The README's table, and the settings it and the badges rest on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from mi_tutor.authoring.settings import checked_repository, find_project
from mi_tutor.authoring.source import Chapter, parse_chapter
from mi_tutor.authoring.table import BEGIN, END, promise, update_readme

README = f"# The course\n\n{BEGIN}\nold\n{END}\n\nMore.\n"


@pytest.fixture
def chapters(small: str) -> list[Chapter]:
    other = small.replace("07 · Doubling", "08 · Or | and")
    return [parse_chapter(small, Path("07_doubling.py")), parse_chapter(other, Path("08_or.py"))]


def test_the_table_has_a_row_per_chapter_and_keeps_figures(
    tmp_path: Path, chapters: list[Chapter]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(README, encoding="utf-8")
    took = SimpleNamespace(seconds=41.7, peak_bytes=700 * 2**20)
    assert update_readme(readme, chapters, {"07_doubling": took})
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("# The course\n\n") and text.endswith(f"{END}\n\nMore.\n")
    sentence = "Double a tensor, and say what doubling does to its norm."
    assert text.split("\n")[5:7] == [
        f"| [07 · Doubling](chapters/07_doubling.ipynb) | 20 min | {sentence} | 42 s, 0.68 GiB |",
        f"| [08 · Or \\| and](chapters/08_or.ipynb) | 20 min | {sentence} | not measured yet |",
    ]
    assert update_readme(readme, chapters, {"08_or": took})
    assert readme.read_text(encoding="utf-8").count("42 s, 0.68 GiB") == 2
    assert not update_readme(readme, chapters, {})
    assert update_readme(readme, chapters, {}, {"07": 5})
    assert "| 15 min, and 5 min that are optional |" in readme.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text", ["", BEGIN, f"{END}\n{BEGIN}", README + README, f"{BEGIN}\n{END}\n{END}"]
)
def test_a_readme_without_its_markers_is_left_alone(
    tmp_path: Path, chapters: list[Chapter], text: str
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"needs one line"):
        update_readme(readme, chapters, {})
    assert readme.read_text(encoding="utf-8") == text


def test_promise_is_the_first_paragraph_on_one_line(small: str) -> None:
    text = small.replace("Double a tensor, and", "Double a tensor,\nand")
    chapter = parse_chapter(text, Path("07_doubling.py"))
    assert promise(chapter) == "Double a tensor, and say what doubling does to its norm."


def test_the_project_is_found_from_any_folder_in_it(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    file = tmp_path / "pyproject.toml"
    file.write_text('[tool.mi_tutor]\nrepository = "someone/course"\n')
    project = find_project(inner)
    assert project == (tmp_path.resolve(), "someone/course")
    assert project.source_dir.name == "solutions" and project.chapters_dir.name == "chapters"
    file.write_text("[tool.mi_tutor]\n")
    assert find_project(tmp_path).repository == ""
    file.write_text('[tool.mi_tutor]\nrepository = "https://github.com/a/b"\n')
    with pytest.raises(ValueError, match=r"expected owner/name"):
        find_project(inner)
    file.write_text("[tool.mi_tutor\n")
    with pytest.raises(ValueError, match=r"pyproject.toml: "):
        find_project(inner)
    file.write_text("[tool.other]\n")
    with pytest.raises(FileNotFoundError, match=r"not in a clone of the course"):
        find_project(inner)


@pytest.mark.parametrize("bad", ["a", "a/b/c", "a b/c", "/", "https://github.com/a/b"])
def test_a_repository_is_owner_and_name(bad: str) -> None:
    with pytest.raises(ValueError, match=r"expected owner/name"):
        checked_repository(bad)
