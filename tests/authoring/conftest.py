"""A tiny course to build: one source, and a registry that knows its exercises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mi_tutor.authoring.source import Chapter, parse_chapter

SMALL = '''\
# %% [markdown] minutes=20
r"""
# 07 · Doubling

Double a tensor, and say what doubling does to its norm.

## What you will be able to do

- double a list without changing it, $\\hat x = 2x$
"""

# %% tags=["setup"]
def check(slug, answer):
    right = answer == 2.0 if slug == "norm-ratio" else answer([1, 2]) == [2, 4]
    if not right:
        raise AssertionError(f"{slug}: not yet")
    print(f"{slug}: passed")


def quiz(slug, answer):
    if answer != "b":
        raise AssertionError(f"{slug}: not yet")


# %% [markdown] slug="double"
r"""
Write `double`. What you should see: a list twice as large.
"""


# %% tags=["exercise"] slug="double"
def double(x: list[int]) -> list[int]:
    """Return 2 x, and leave x as it was."""
    # BEGIN SOLUTION
    return [2 * item for item in x]
    # END SOLUTION


# %% tags=["check"]
check("double", double)

# %% tags=["exercise"] slug="norm-ratio"
ratio = 2.0  # SOLUTION

# %% tags=["check"]
check("norm-ratio", ratio)

# %%
print(double([3]), end="")

# %% tags=["quiz"]
quiz("twice", "b")

# %% [markdown]
r"""
## Common misreadings

None.

## On the real thing

Everything doubles.
"""

# %% tags=["quiz"]
quiz("thrice", answer="b")

# %% [markdown]
r"""
## Further reading

None.

## Recap

Doubling doubles.
"""
'''


@dataclass
class Item:
    """An exercise or a quick check, as far as authoring asks."""

    slug: str
    title: str = "A title"
    points: int = 2
    minutes: int = 5
    difficulty: int = 3
    objective: str = "Do it."
    optional: bool = False


@dataclass
class FakeRegistry:
    """Knows the exercises of SMALL, whatever the chapter, unless told others."""

    listed: list[Item] = field(default_factory=lambda: [Item("double"), Item("norm-ratio")])
    asked: list[Item] = field(default_factory=lambda: [Item("twice"), Item("thrice")])

    def exercises(self, chapter: str) -> list[Item]:
        return self.listed

    def quizzes(self, chapter: str) -> list[Item]:
        return self.asked


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry()


@pytest.fixture
def small() -> str:
    return SMALL


@dataclass
class Course:
    """A course in a folder of its own."""

    root: Path

    @property
    def sources(self) -> Path:
        return self.root / "solutions"

    @property
    def chapters(self) -> Path:
        return self.root / "chapters"

    @property
    def source(self) -> Path:
        return self.sources / "07_doubling.py"

    @property
    def chapter(self) -> Path:
        return self.chapters / "07_doubling.ipynb"

    @property
    def solution(self) -> Path:
        return self.sources / "07_doubling.ipynb"

    def files(self) -> list[str]:
        """Every file there is, hidden ones too."""
        found = (path for path in self.root.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.root)) for path in found)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = Course(tmp_path)
    made.sources.mkdir()
    made.source.write_text(SMALL, encoding="utf-8")
    return made


@pytest.fixture
def parse() -> Callable[[str], Chapter]:
    """Parse cells below a title cell that is put on top, which takes lines 1 to 5."""

    def parse_below_title(text: str) -> Chapter:
        title = '# %% [markdown]\nr"""\n# 07 · Doubling\n"""\n\n'
        return parse_chapter(title + text, Path("07_doubling.py"))

    return parse_below_title
