"""What the instructor's pages say of chapters and exercises is what the registry has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mi_tutor.authoring.additions import optional_minutes
from mi_tutor.authoring.source import read_chapter
from mi_tutor.folders import PACKAGE
from mi_tutor.subjects import SUBJECTS
from mi_tutor.teach.registry import exercises, quizzes

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "teaching"


def told(chapter: str) -> tuple[int, ...]:
    """A chapter's line in the table of the plans."""
    (line,) = re.findall(
        rf"^\| {chapter} \|([\d |]+)\|$", (PAGES / "README.md").read_text("utf-8"), re.M
    )
    return tuple(int(cell) for cell in line.split("|"))


@pytest.mark.parametrize("chapter", SUBJECTS)
def test_a_chapters_numbers(chapter):
    (source,) = (ROOT / "solutions").glob(f"{chapter}_*.py")
    asked, checks = exercises(chapter), quizzes(chapter)
    points = sum(item.points for item in [*asked, *checks])
    mistakes = sum(len(item.mistakes) for item in asked)
    times = read_chapter(source).minutes, optional_minutes(asked)
    assert told(chapter) == (*times, len(asked), mistakes, len(checks), points)


@pytest.mark.parametrize("chapter", SUBJECTS)
def test_a_chapters_page(chapter):
    """What to show, where people get stuck, what to discuss; and no exercise that the course does not have."""
    text = (PAGES / "chapters.md").read_text("utf-8")
    (page,) = re.findall(rf"^## {chapter} · .*?(?=^## |\Z)", text, re.M | re.S)
    assert "**Show**" in page and page.count("\n- ") >= 5
    assert "**Where people get stuck**" in page and "**Discuss**" in page
    its = {item.slug for item in exercises(chapter)}
    named = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", page)) & {
        item.slug for item in exercises()
    }
    assert len(named & its) >= 2 and named <= its


def test_every_exercise_that_is_named():
    shelf = {folder.name for folder in (PACKAGE / "specimens" / "shelf").iterdir()}
    known = {item.slug for item in [*exercises(), *quizzes()]} | shelf
    named = set()
    for page in ("README.md", "chapters.md"):
        named |= set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", (PAGES / page).read_text("utf-8")))
    assert named - known == {"exam-secret"}
