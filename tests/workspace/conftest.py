"""A small course of two chapters, which can get newer, and a workspace made of it."""

import copy
import json

import pytest
from editing import chapter
from small_course import NAMES, answer

from mi_tutor.workspace import folder


class Course:
    """The shipped chapters in a folder."""

    def __init__(self, root):
        self.root = root
        for name in NAMES:
            for part in ("chapters", "solutions"):
                (root / part).mkdir(parents=True, exist_ok=True)
                self.ship(part, name, chapter())
        other = chapter()
        other["cells"] = other["cells"][:2]
        self.ship("chapters", NAMES[0], other)

    def ship(self, part, name, notebook):
        (self.root / part / name).write_text(json.dumps(notebook), encoding="utf-8")

    def get_newer(self, **texts):
        """A new version of chapter 07, with other texts in some cells (`recap="..."`)."""
        notebook = copy.deepcopy(chapter())
        for cell in notebook["cells"]:
            cell["source"] = texts.get(cell["id"].replace("-", "_"), cell["source"])
        notebook["metadata"]["mi_tutor"]["digest"] = "newer"
        self.ship("chapters", "07_doubling.ipynb", notebook)


@pytest.fixture
def course(tmp_path, monkeypatch):
    made = Course(tmp_path / "course")
    monkeypatch.setattr(folder, "course_folder", lambda: made.root)
    return made


@pytest.fixture
def workspace(course, tmp_path):
    """A workspace of a learner who has answered "double"."""
    root = tmp_path / "Émilie's course, 你好"
    folder.start(root)
    answer(root)
    return root
