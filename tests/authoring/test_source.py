"""Reading sources: cells, roles, lines, and what is refused where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mi_tutor.authoring.source import (
    Chapter,
    SourceError,
    find_sources,
    parse_chapter,
    read_chapter,
)

PATH = Path("07_doubling.py")
Parse = Callable[[str], Chapter]


def test_every_cell_has_its_role_slug_and_line(small: str) -> None:
    chapter = parse_chapter(small, PATH)
    lines = small.split("\n")
    assert [(cell.role, cell.slug) for cell in chapter.cells] == [
        ("prose", ""),
        ("setup", ""),
        ("task", "double"),
        ("exercise", "double"),
        ("check", "double"),
        ("exercise", "norm-ratio"),
        ("check", "norm-ratio"),
        ("code", ""),
        ("quiz", "twice"),
        ("prose", ""),
        ("quiz", "thrice"),
        ("prose", ""),
    ]
    for cell in chapter.cells:
        assert lines[cell.line - 1] == cell.source.split("\n")[0]
    assert (chapter.number, chapter.stem) == ("07", "07_doubling")
    assert (chapter.title, chapter.minutes) == ("07 · Doubling", 20)
    assert "\\hat x" in chapter.cells[0].source


def test_comments_that_look_like_magics_stay_comments(parse: Parse) -> None:
    text = "# cat the halves\n# %time\n# !ls\n# what?\nx = 1"
    assert parse(f"# %%\n{text}\n").cells[1].source == text


def test_a_cell_line_in_a_string_is_not_one(parse: Parse) -> None:
    chapter = parse('# %%\ntext = """\n# %% [markdown]\n"""\n')
    assert len(chapter.cells) == 2


def test_other_tags_are_kept(parse: Parse) -> None:
    text = '# %% tags=["nbval-skip", "setup"] id="imports"\nx = 1\n'
    cell = parse(text).cells[1]
    assert cell.tags == ("nbval-skip", "setup")
    assert (cell.role, cell.fixed_id) == ("setup", "imports")


@pytest.mark.parametrize("ending", ["\n", "", "\n\n\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_marks_do_not_matter(
    tmp_path: Path, small: str, ending: str, newline: str, mark: str
) -> None:
    path = tmp_path / PATH.name
    text = mark + (small.rstrip("\n") + ending).replace("\n", newline)
    path.write_bytes(text.encode())
    assert read_chapter(path).cells == parse_chapter(small, PATH).cells


EXERCISE = '# %% tags=["exercise"] slug="double"\nx = 1  # SOLUTION\n\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('# %% tags=["exercise"]\nx = 1\n', 7, "needs tags"),
        ('# %% tags=["exercise"] slug="Double"\nx = 1\n', 7, "small letters"),
        ('# %% tags=["exercise"] slug=double\nx = 1\n', 7, "values need quotes"),
        ('# %% tags=["exercise", "check"]\nx = 1\n', 7, "one role"),
        ('# %% tags="exercise"\nx = 1\n', 6, "'exercise' is not of type"),
        ("# %% A title\nx = 1\n", 7, "unknown 'title'"),
        ('# %% active="py"\nx = 1\n', 7, "raw cells"),
        ('# %% [raw]\nr"""\nx\n"""\n', 8, "raw cells"),
        ("# %% [markdown]\n# commented\n", 7, 'between r"""'),
        ('# %% [markdown]\n"""\nnot raw\n"""\n', 8, "backslashes"),
        ('# %% [markdown] tags=["check"]\nr"""\nx\n"""\n', 8, "is code"),
        ('# %% [markdown] minutes=3\nr"""\nx\n"""\n', 8, "first cell"),
        ('# %% [markdown] slug="double"\nr"""\nx\n"""\n', 8, "there is no exercise"),
        ('# %% slug="double"\nx = 1\n', 7, "a slug stands on"),
        ('# %% tags=["check"]\nx = 1\n', 7, "exactly one call"),
        ('# %% tags=["check"]\ncheck("a", 1)\ncheck("b", 1)\n', 7, "exactly one call"),
        ('# %% tags=["check"]\n\nx = 1\ncheck(x, x)\n', 9, "slug in quotes"),
        ('# %% tags=["check"] slug="b"\ncheck("a", 1)\n', 7, "'b'"),
        ('# %% tags=["check"]\ncheck("double", 1)\n', 7, "no exercise cell"),
        ('# %% tags=["quiz"]\nquiz()\n', 7, "slug in quotes"),
        ("# %%\nx = 1\nif x:\n# %%\n    y = 1\n", 8, "not valid Python on its own"),
        ("# %%\nx = \n", 7, "not valid Python"),
        ('# %% id="check-it"\nx = 1\n', 7, "the build gives itself"),
        (EXERCISE + EXERCISE, 10, "already at line 7"),
        (EXERCISE + '# %% id="a"\nx\n# %% id="a"\nx\n', 12, "already at line 10"),
        (EXERCISE + '# %% [markdown] slug="double"\nr"""\nx\n"""\n', 11, "below its exercise"),
        (EXERCISE.replace('"]', '"] id="mine"'), 7, "made of its slug"),
        ('# %%\nx = "a\u2028b"\n', 7, "U+2028"),
    ],
)
def test_refusals_name_file_and_line(parse: Parse, text: str, line: int, words: str) -> None:
    with pytest.raises(SourceError, match=f"^07_doubling.py:{line}: .*") as caught:
        parse(text)
    assert words in caught.value.problem
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "has to begin"),
        ("\n\nimport os\n# %%\nx = 1\n", 3, "has to begin"),
        ("# %%\nx = 1\n", 2, "the first cell"),
        ('# %% [markdown]\nr"""\nno title\n"""\n', 3, "the first cell"),
        ('# %% [markdown] minutes=0\nr"""# 07 · T"""\n', 2, "whole number"),
        ('# %% [markdown] minutes=true\nr"""# 07 · T"""\n', 2, "whole number"),
        ('# %% [markdown]\nr"""\n# 07 · never closed\n', 2, "not valid Python"),
        ("# %%\nx = '\0'\n", 1, "not valid Python"),
    ],
)
def test_refusals_of_the_beginning(text: str, line: int, words: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_chapter(text, PATH)
    assert (caught.value.line, words in caught.value.problem) == (line, True), caught.value


def test_a_file_that_is_not_utf8_or_badly_named_is_refused(tmp_path: Path) -> None:
    path = tmp_path / PATH.name
    path.write_bytes("# %%\nx = 'ä'\n".encode("latin-1"))
    with pytest.raises(SourceError, match="not UTF-8"):
        read_chapter(path)
    with pytest.raises(SourceError, match="named like"):
        parse_chapter("# %%\n", Path("doubling.py"))


def test_sources_are_found_in_order_and_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no chapter sources"):
        find_sources(tmp_path)
    for name in ("02_b.py", "01_a.py", "helper.py", "1_c.py", "03_d.ipynb"):
        (tmp_path / name).touch()
    assert [path.name for path in find_sources(tmp_path)] == ["01_a.py", "02_b.py"]


NASTY = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=60)


@settings(deadline=None, derandomize=True)
@given(NASTY, NASTY)
def test_any_text_is_read_or_refused_with_a_line(prose: str, code: str) -> None:
    title = '# %% [markdown]\nr"""\n# 07 · Doubling\n"""\n'
    text = f'{title}\n# %% [markdown]\nr"""\n{prose}\n"""\n\n# %%\n{code}\n'
    try:
        chapter = parse_chapter(text, PATH)
    except SourceError as error:
        assert 1 <= error.line <= text.count("\n") + text.count("\r") + 1
    else:
        everything = "\n".join(cell.source for cell in chapter.cells)
        assert set(code.split()) <= set(text.split())
        assert len(everything) <= len(text)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["x = 1", "    y = 'Ŵ'", "if x:", "\t", "", "# é", "(", ")"])))
def test_lines_are_right_whatever_is_around(lines: list[str]) -> None:
    title = '# %% [markdown]\nr"""# 07 · Doubling"""\n'
    text = title + "# %%\n" + "\n".join(lines) + "\n# %%\nlast = 1\n"
    try:
        chapter = parse_chapter(text, PATH)
    except SourceError:
        return
    assert text.split("\n")[chapter.cells[-1].line - 1] == "last = 1"
