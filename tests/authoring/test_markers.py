"""From solutions to stubs: what goes, what stays, and what is refused where."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mi_tutor.authoring.markers import STUB, solution, stub
from mi_tutor.authoring.source import Chapter, SourceError, parse_chapter

Parse = Callable[[str], Chapter]
HEAD = '# %% tags=["exercise"] slug="double"\n'


def both(parse: Parse, body: str) -> tuple[str, str]:
    chapter = parse(HEAD + body)
    return stub(chapter, chapter.cells[1]), solution(chapter, chapter.cells[1])


def test_a_region_becomes_a_stub_and_signature_and_docstring_stay(parse: Parse) -> None:
    body = '''\
def double(x: "Tensor", by=2):
    """Twice x, Ŵ."""
    # Mind the copy.
    # BEGIN SOLUTION
    y = x * by

    return y
    # END SOLUTION
'''
    asked, solved = both(parse, body)
    assert asked == (
        'def double(x: "Tensor", by=2):\n    """Twice x, Ŵ."""\n    # Mind the copy.\n    ' + STUB
    )
    assert solved == (
        'def double(x: "Tensor", by=2):\n    """Twice x, Ŵ."""\n    # Mind the copy.\n'
        "    y = x * by\n\n    return y"
    )


def test_several_regions_in_a_class_with_decorators_and_tabs(parse: Parse) -> None:
    body = (
        "class A:\n\t@property\n\tdef a(self):\n\t\t# BEGIN SOLUTION\n\t\treturn 1\n"
        "\t\t# END SOLUTION\n\n\t@staticmethod\n\tdef b():\n\t\t# BEGIN SOLUTION\n\t\treturn 2\n"
        "\t\t# END SOLUTION\n"
    )
    asked, solved = both(parse, body)
    assert asked == (
        f"class A:\n\t@property\n\tdef a(self):\n\t\t{STUB}\n\n"
        f"\t@staticmethod\n\tdef b():\n\t\t{STUB}"
    )
    assert solved == (
        "class A:\n\t@property\n\tdef a(self):\n\t\treturn 1\n\n"
        "\t@staticmethod\n\tdef b():\n\t\treturn 2"
    )


def test_regions_next_to_each_other_and_at_the_margin(parse: Parse) -> None:
    region = "# BEGIN SOLUTION\n{}\n# END SOLUTION\n"
    asked, solved = both(parse, region.format("x = 1") + region.format("y = 2"))
    assert asked == f"{STUB}\n{STUB}"
    assert solved == "x = 1\ny = 2"


@pytest.mark.parametrize(
    ("body", "asked", "solved"),
    [
        ("ratio = 2.0  # SOLUTION", "ratio = ...", "ratio = 2.0"),
        ("ratio: float = 2.0 # SOLUTION", "ratio: float = ...", "ratio: float = 2.0"),
        ("a = b = (1, 2)  # SOLUTION", "a = b = ...", "a = b = (1, 2)"),
        ("Ŵ, é = 'ñ', 'ü'  # SOLUTION", "Ŵ, é = ...", "Ŵ, é = 'ñ', 'ü'"),
        ("head = (\n    1,\n    2,\n)  # SOLUTION", "head = ...", "head = (\n    1,\n    2,\n)"),
        ("d['='] = '#'  # SOLUTION", "d['='] = ...", "d['='] = '#'"),
        (
            "if x:\n    y = 1  # SOLUTION\nz = 3",
            "if x:\n    y = ...\nz = 3",
            "if x:\n    y = 1\nz = 3",
        ),
        ("a = 1  # SOLUTION\nb = 2  # SOLUTION", "a = ...\nb = ...", "a = 1\nb = 2"),
        (
            "a = [\n  1]  # SOLUTION\n# BEGIN SOLUTION\nf()\n# END SOLUTION",
            f"a = ...\n{STUB}",
            "a = [\n  1]\nf()",
        ),
    ],
)
def test_values(parse: Parse, body: str, asked: str, solved: str) -> None:
    assert both(parse, body + "\n") == (asked, solved)


def test_markers_in_strings_are_text(parse: Parse) -> None:
    body = 'text = """\n# BEGIN SOLUTION\n"""\nx = "# SOLUTION"  # SOLUTION\n'
    assert both(parse, body)[0] == 'text = """\n# BEGIN SOLUTION\n"""\nx = ...'


@pytest.mark.parametrize(
    ("cell", "asked"),
    [
        ('quiz("twice", "b")', 'quiz("twice", "?")'),
        (
            'quiz( "twice",   answer = "b" )  # pick one',
            'quiz( "twice",   answer = "?" )  # pick one',
        ),
        (
            'Ŵ = "é"; mi.quiz(\n    "twice",\n    "b",\n)',
            'Ŵ = "é"; mi.quiz(\n    "twice",\n    "?",\n)',
        ),
    ],
)
def test_a_quiz_loses_its_letter_and_nothing_else(parse: Parse, cell: str, asked: str) -> None:
    chapter = parse(f'# %% tags=["quiz"]\n{cell}\n')
    assert stub(chapter, chapter.cells[1]) == asked
    assert solution(chapter, chapter.cells[1]) == cell


@pytest.mark.parametrize("answer", ['"?"', '"B"', '"bc"', "1", "x", "", '"g"'])
def test_a_quiz_without_a_letter_is_refused(parse: Parse, answer: str) -> None:
    chapter = parse(f'# %% tags=["quiz"]\n\nx = 1\nquiz("twice", {answer})\n')
    with pytest.raises(SourceError, match=r"^07_doubling.py:9: the answer is a letter"):
        stub(chapter, chapter.cells[1])


BEGIN, END = "# BEGIN SOLUTION\n", "# END SOLUTION\n"


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("x = 1\n" + BEGIN + "y = 2\n", 8, "without # END"),
        ("x = 1\n" + END, 8, "without # BEGIN"),
        (BEGIN + "x = 1\n" + BEGIN + "y = 1\n" + END + END, 9, "nested"),
        (BEGIN + "x = 1  # SOLUTION\n" + END, 8, "inside a solution region"),
        (BEGIN + "\n# only words\n" + END, 7, "empty"),
        (BEGIN + END, 7, "empty"),
        ("def f():\n    " + BEGIN + "    x = 1\n" + END, 10, "not indented like"),
        ("x = 1  " + BEGIN + "y = 2\n" + END, 7, "line of its own"),
        ("# Begin Solution\nx = 1\n" + END, 7, "looks like a marker"),
        ("#BEGIN SOLUTION\nx = 1\n" + END, 7, "looks like a marker"),
        ("x = 1  # noqa  # SOLUTION\n", 7, "looks like a marker"),
        ("x = 1  # solution\n", 7, "looks like a marker"),
        ("x = 1\n", 7, "has no region"),
        ("a = 1; b = 2  # SOLUTION\n", 7, "exactly one assignment"),
        ("x += 1  # SOLUTION\n", 7, "exactly one assignment"),
        ("f(x)  # SOLUTION\n", 7, "exactly one assignment"),
        ("x: int  # SOLUTION\n", 7, "exactly one assignment"),
        ("# SOLUTION\nx = 1\n", 7, "exactly one assignment"),
        ("x = [\n    1,  # SOLUTION\n]\n", 8, "exactly one assignment"),
        ("x = [\n    " + BEGIN + "    1,\n    " + END + "]\n", 7, "stub of this cell is not valid"),
        ("@f\n" + BEGIN + "def g(): ...\n" + END, 7, "stub of this cell is not valid"),
    ],
)
def test_refusals_name_file_and_line(parse: Parse, body: str, line: int, words: str) -> None:
    chapter = parse(HEAD + body)
    with pytest.raises(SourceError, match=f"^07_doubling.py:{line}: ") as caught:
        stub(chapter, chapter.cells[1])
    assert words in str(caught.value)


@pytest.mark.parametrize("tags", ["", ' tags=["setup"]'])
def test_solutions_outside_exercises_are_refused(parse: Parse, tags: str) -> None:
    chapter = parse(f"# %%{tags}\nx = 1\n\ny = 1  # SOLUTION\n")
    with pytest.raises(SourceError, match=r"^07_doubling.py:9: a solution in a"):
        stub(chapter, chapter.cells[1])


LINE = st.sampled_from(
    [
        "x = 1",
        "y = 'é'  # SOLUTION",
        "# BEGIN SOLUTION",
        "# END SOLUTION",
        "",
        "# words",
        "def f():",
    ]
)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(["", "    ", "\t"]), LINE), max_size=8))
def test_stub_and_solution_are_python_without_markers_or_a_refusal(
    lines: list[tuple[str, str]],
) -> None:
    body = "\n".join(indent + line for indent, line in lines)
    title = '# %% [markdown]\nr"""# 07 · Doubling"""\n'
    try:
        chapter = parse_chapter(title + HEAD + body, Path("07_doubling.py"))
        asked, solved = (make(chapter, chapter.cells[1]) for make in (stub, solution))
    except SourceError:
        return
    for text in (asked, solved):
        ast.parse(text)
        assert "SOLUTION" not in text
    assert STUB in asked or "..." in asked
    assert STUB not in solved
    kept = [line for line in chapter.cells[1].source.split("\n") if "SOLUTION" not in line]
    assert [line for line in solved.split("\n") if "é" not in line] == kept
