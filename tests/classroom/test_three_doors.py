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
from mi_tutor.classroom.marks import Graded
from mi_tutor.classroom.remote import Rules
from mi_tutor.subjects import SUBJECTS

SOURCES = Path(__file__).parents[2] / "solutions"


@pytest.fixture(scope="module")
def grade(tmp_path_factory):
    """Grade a chapter as it came, or its solution, on the notebook's own inputs or on hidden ones.

    One grader for all: what a worker has to import, and a chapter's own cells, are the same for both.
    """
    if not can_hold():
        pytest.skip("there is no jail on this machine")
    folder = tmp_path_factory.mktemp("course")
    grader = Grader(Settings(str(folder / "chapters"), b"of the tests"))
    registry = course_registry()

    def run(chapter: str, solved: bool, public: bool) -> Graded:
        (source,) = SOURCES.glob(f"{chapter}_*.py")
        made = make_notebooks(read_chapter(source), registry)
        for name, notebook in (("chapters", made.chapter), ("solutions", made.solution)):
            (folder / name).mkdir(exist_ok=True)
            nbformat.write(notebook, folder / name / f"{source.stem}.ipynb")
        grader.settings = grader.settings._replace(rules=Rules(public=public))
        file = folder / ("solutions" if solved else "chapters") / f"{source.stem}.ipynb"
        return grader.grade("ada", file)

    yield run
    grader.close()


def _chapters():
    """The first always; of the others those with no current record, one for a spot check, all with `--all`."""
    for chapter in SUBJECTS:
        (source,) = SOURCES.glob(f"{chapter}_*.py")
        recorded = pytest.mark.recorded("chapters", source.stem)
        yield pytest.param(chapter, marks=[] if chapter == "00" else recorded)


@pytest.mark.slow
@pytest.mark.parametrize("chapter", list(_chapters()))
def test_a_whole_solution_gets_all_points(grade, chapter):
    graded = grade(chapter, solved=True, public=chapter != "00")
    assert [mark for mark in graded.marks if mark.status != "passed"] == []
    assert graded.earned == graded.points > 0
    assert graded.problem == "" and graded.notes == ()


@pytest.mark.slow
def test_a_chapter_as_it_came_has_no_points_and_no_errors(grade):
    graded = grade("00", solved=False, public=False)
    assert {mark.status for mark in graded.marks} == {"not answered"} and graded.earned == 0
