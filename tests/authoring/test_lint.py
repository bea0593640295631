"""Every rule of the lint finds what it is for, at its line, and a good source has no findings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_output

from mi_tutor.authoring.lint import lint, lint_stubs
from mi_tutor.authoring.notebook import make_notebooks
from mi_tutor.authoring.source import parse_chapter

PATH = Path("07_doubling.py")


def findings(text: str, registry: Any) -> list[str]:
    return [str(one) for one in lint(parse_chapter(text, PATH), registry)]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_a_chapter_takes_four_hours_without_what_is_optional(small: str, registry: Any) -> None:
    long = small.replace("minutes=20", "minutes=300")
    (found,) = findings(long, registry)
    assert "300 minutes without what is optional" in found
    registry.listed[1] = replace(registry.listed[1], minutes=60, optional=True)
    assert findings(long, registry) == []


def test_the_small_source_is_clean(small: str, registry: Any) -> None:
    assert findings(small, registry) == []


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        ("## Common misreadings", "## Else", None, "'common misreadings'"),
        ("## On the real thing", "On the real thing", None, "'on the real thing'"),
        ("## Further reading", "```\n## Further reading\n```", None, "'further reading'"),
        ("## Recap", "## Summary", None, "'recap'"),
        ("What you should see", "You see", None, "'what you should see'"),
        ("minutes=20", "minutes=9", "# 07", "take 10"),
        ("# 07 · Doubling", "# Doubling", "# Doubling", "starts with the number"),
        ("\nDouble a tensor, and say what doubling does to its norm.\n", "", "# 07", "a sentence"),
        ("None.", "x" * 121, "x" * 121, "121 characters"),
        ("None.", "In /home/ada/course.", "In /home", "absolute path"),
        ("print(double([3])", 'open("/tmp/x")\nprint(double([3])', "open(", "absolute path"),
        ("None.", "- One. - Two.", "- One", "a list item in the middle of a line"),
        ("None.", "![](figure.png)", "![]", "alternative text"),
        ("None.", '<img src="figure.png">', "<img", "alternative text"),
        ('quiz("thrice", answer="b")', 'quiz("other", answer="b")', 'quiz("other', "not in the"),
        (
            'quiz("thrice", answer="b")',
            'quiz("other", answer="b")',
            None,
            "'thrice' of the registry",
        ),
        (
            '# %% tags=["check"]\ncheck("double"',
            '# %%\ncheck("double"',
            "def double(x:",
            "has to be its check",
        ),
    ],
)
def test_each_rule_finds_its_fault(
    small: str, registry: Any, old: str, new: str, at: str | None, words: str
) -> None:
    assert old in small
    text = small.replace(old, new, 1)
    line = line_of(text, at) if at else 1
    expected = [one for one in findings(text, registry) if one.startswith(f"{PATH.name}:{line}: ")]
    assert any(words in one for one in expected), findings(text, registry)


def test_tables_and_links_may_be_long_and_urls_are_not_paths(small: str, registry: Any) -> None:
    long = "x" * 120
    text = small.replace(
        "None.", f"| {long} |\n[a]({long})\nhttps://a.org/home/b {long}\nand/or/home"
    )
    assert findings(text, registry) == []


def test_objectives_come_first(small: str, registry: Any) -> None:
    heading = "## What you will be able to do"
    text = small.replace(heading, "## Else").replace("## Recap", f"{heading}\n\n## Recap")
    assert any("before the first exercise" in one for one in findings(text, registry))


def test_order_and_number_follow_the_registry(small: str, registry: Any) -> None:
    registry.listed.reverse()
    registry.asked.append(type(registry.asked[0])("missing"))
    found = findings(small, registry)
    assert any("'double' comes where the registry has 'norm-ratio'" in one for one in found)
    assert any("quiz 'missing' of the registry is missing" in one for one in found)
    without = small.replace('# %% tags=["quiz"]', "# %%", 1)
    assert any("at least 2 quick checks" in one for one in findings(without, registry))


def test_a_chapter_notebook_asks_and_shows_nothing(small: str, registry: Any) -> None:
    chapter, solution = make_notebooks(parse_chapter(small, PATH), registry)
    assert lint_stubs(chapter, PATH) == []
    assert len([one for one in lint_stubs(solution, PATH) if "asks nothing" in str(one)]) == 4
    chapter.cells[1].outputs = [new_output("stream", text="x")]
    assert "'setup' has outputs" in str(lint_stubs(chapter, PATH)[0])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "from mi_tutor.lab.patching.activation import run_patched",
            "import from mi_tutor.lab.patching",
        ),
        ("from mi_tutor.lab.patching import activation", "import from mi_tutor.lab.patching"),
        ("import mi_tutor.lab.ground.device", "import from mi_tutor.lab.ground"),
        ("from mi_tutor.teach.exercises import swaps", "too deep"),
        ("from mi_tutor.teach import registry", "no room for learners"),
        ("from mi_tutor.specimens import recipes", "no room for learners"),
        (
            "from mi_tutor import lab, specimens, world, authoring",
            "one room too many beside mi_tutor and the chapter's own subject",
        ),
    ],
)
def test_a_chapter_imports_from_few_rooms(small: str, registry: Any, line: str, words: str) -> None:
    text = small.replace("print(double([3])", f"{line}\nprint(double([3])", 1)
    at = f"{PATH.name}:{line_of(text, line)}: "
    found = [one for one in findings(text, registry) if one.startswith(at)]
    assert any(words in one for one in found), findings(text, registry)


def test_its_own_subject_and_three_other_rooms_are_welcome(small: str, registry: Any) -> None:
    lines = """
    from mi_tutor import check, show
    from mi_tutor.lab import swaps
    from mi_tutor.show.swaps import swap_heatmap
    from mi_tutor.lab.ground import seeded
    from mi_tutor.specimens import open_specimen
    from mi_tutor.specimens.atlas import Geography
    """
    lines = "\n".join(text.strip() for text in lines.strip().split("\n"))
    text = small.replace("print(double([3])", f"{lines}\nprint(double([3])", 1)
    found = [str(one) for one in lint(parse_chapter(text, Path("05_doubling.py")), registry)]
    assert not any("room" in one or "deep" in one for one in found), found


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("assert True, 'Doubling doubles.'", ""),
        ("for _ in 'ab':\n    assert True, 'doubling  DOUBLES'", ""),
        ("assert True", "a sentence of the prose"),
        ("assert True, f'{1} doubles'", "a sentence of the prose"),
        ("assert True, 'Halving halves.'", "does not say 'Halving halves.'"),
        ("print('Doubling doubles.')", "asserts something"),
    ],
)
def test_a_claim_asserts_a_sentence_of_the_prose(
    small: str, registry: Any, claim: str, words: str
) -> None:
    cell = f'# %% tags=["claim"]\n{claim}\n\n'
    found = findings(small.replace("# %% [markdown]\n", f"{cell}# %% [markdown]\n", 9), registry)
    assert bool(words) == bool(found) and all(words in one for one in found)


CLAIM = '# %% tags=["claim"]\nassert True, "Doubling doubles."\n\n'
SHOWS = '# %% [markdown]\nr"""\n**What you should see.** Doubling doubles.\n"""\n\n'
CODE = "# %%\nprint(2)\n\n"


@pytest.mark.parametrize(
    ("cells", "unproved"),
    [
        (CODE + CLAIM + SHOWS, 0),
        (CODE + SHOWS + CLAIM, 0),
        (CLAIM + CODE + SHOWS, 1),
        (CODE + SHOWS + CODE + CLAIM, 1),
        (CODE + SHOWS + CLAIM + CODE + SHOWS + CODE, 1),
        (CODE + CLAIM + SHOWS + SHOWS + CODE, 1),
        (CODE + CLAIM + SHOWS + CLAIM + SHOWS + CODE, 0),
        (CODE + CLAIM + SHOWS + CODE + SHOWS, 1),
        (CODE + SHOWS + SHOWS + CLAIM, 1),
        (CODE + SHOWS.replace("you should see", "we found") + CODE, 1),
        (CODE + SHOWS.replace("What you should see.", "Look.") + CODE, 0),
    ],
)
def test_prose_about_an_output_has_a_claim(
    small: str, registry: Any, cells: str, unproved: int
) -> None:
    start = small.index("# %% [markdown]", 5)
    text = small[:start] + cells + CODE + small[start:]
    found = [one for one in findings(text, registry) if "bears it out" in one]
    assert len(found) == unproved, found
