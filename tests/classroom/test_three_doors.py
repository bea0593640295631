"""One engine, three doors: what passes in the notebook passes here, on the notebook's inputs and on hidden ones.

`tests/test_notebooks.py` shows that every check of every solution passes where it is run as a notebook;
`tests/test_exercises.py` judges every reference, mistake and accepted style through the wire. Here whole solutions
go through the jail: rebuilt, run in workers, judged out of their reach.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from mi_tutor.authoring.notebook import make_notebooks
from mi_tutor.authoring.registry import course_registry
from mi_tutor.authoring.source import read_chapter
from mi_tutor.classroom.grader import Grader, Settings
from mi_tutor.classroom.jail.entering import can_hold
from mi_tutor.classroom.remote import Rules
from mi_tutor.subjects import SUBJECTS

SOURCES = Path(__file__).parents[2] / "solutions"


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory) -> Path:
    """Chapters and solutions, made from their sources."""
    folder = tmp_path_factory.mktemp("course")
    for source in sorted(SOURCES.glob("[0-9][0-9]_*.py")):
        made = make_notebooks(read_chapter(source), course_registry())
        for name, notebook in (("chapters", made.chapter), ("solutions", made.solution)):
            (folder / name).mkdir(exist_ok=True)
            nbformat.write(notebook, folder / name / f"{source.stem}.ipynb")
    return folder


@pytest.fixture(scope="module")
def graders(notebooks):
    """On the notebook's own inputs, and on hidden ones; each starts when it is first used."""
    if not can_hold():
        pytest.skip("there is no jail on this machine")
    made: dict[bool, Grader] = {}

    def get(public: bool) -> Grader:
        if public not in made:
            rules = Rules(public=public)
            made[public] = Grader(
                Settings(str(notebooks / "chapters"), b"of the tests", rules=rules)
            )
        return made[public]

    yield get
    for grader in made.values():
        grader.close()


def _chapters():
    """The first always; of the others those with no current record, one for a spot check, all with `--all`."""
    for chapter in SUBJECTS:
        (source,) = SOURCES.glob(f"{chapter}_*.py")
        recorded = pytest.mark.recorded("chapters", source.stem)
        yield pytest.param(chapter, marks=[] if chapter == "00" else recorded)


@pytest.mark.slow
@pytest.mark.parametrize("chapter", list(_chapters()))
def test_a_whole_solution_gets_all_points(graders, notebooks, chapter):
    grader = graders(public=chapter != "00")
    (file,) = (notebooks / "solutions").glob(f"{chapter}_*.ipynb")
    graded = grader.grade("ada", file)
    assert [mark for mark in graded.marks if mark.status != "passed"] == []
    assert graded.earned == graded.points > 0
    assert graded.problem == "" and graded.notes == ()


@pytest.mark.slow
def test_a_chapter_as_it_came_has_no_points_and_no_errors(graders, notebooks):
    (file,) = (notebooks / "chapters").glob("00_*.ipynb")
    graded = graders(public=False).grade("bob", file)
    assert {mark.status for mark in graded.marks} == {"not answered"} and graded.earned == 0
