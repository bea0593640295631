"""The chapters in a real nbgrader: released, handed in, marked, and told about.

    pip install nbgrader && pytest tests/classroom/test_nbgrader.py

Left out where nbgrader is not installed: it brings a database and a server of its own, which no learner needs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mi_tutor.teach.registry import exercises

pytest.importorskip("nbgrader", reason="nbgrader is not installed beside the course")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
ROOT = Path(__file__).parents[2]
CHAPTER = "00_start_here"
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "interpretability"
c.ClearSolutions.enabled = False
c.ExecutePreprocessor.timeout = 600
"""


def notebook(folder: str) -> dict:
    return json.loads((ROOT / folder / f"{CHAPTER}.ipynb").read_text(encoding="utf-8"))


def answered(blank: dict, but: tuple[str, ...] = ()) -> dict:
    """The released notebook with our answers in it, except these."""
    answers = {
        cell["metadata"]["mi_tutor"]["exercise"]: cell["source"]
        for cell in notebook("solutions")["cells"]
        if cell["metadata"].get("mi_tutor", {}).get("role") == "exercise"
    }
    for cell in blank["cells"]:
        marks = cell["metadata"].get("mi_tutor", {})
        if marks.get("role") == "exercise" and marks["exercise"] not in but:
            cell["source"] = answers[marks["exercise"]]
    return blank


def test_a_course_of_two(tmp_path):
    """Everything right gets all the points of the registry; without one answer, those of the others."""
    (tmp_path / "nbgrader_config.py").write_text(CONFIG)
    source = tmp_path / "source" / "ch00"
    source.mkdir(parents=True)
    shutil.copy(ROOT / "chapters" / f"{CHAPTER}.ipynb", source)
    environment = os.environ | {
        "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MI_TUTOR_HOME": str(tmp_path / "home"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "IPYTHONDIR": str(tmp_path / "ipython"),
        # It calls its database's tools by name.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }  # fmt: skip

    def nbgrader(*words: str) -> None:
        command = [sys.executable, "-m", "nbgrader", *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, done.stderr[-3000:]

    nbgrader("generate_assignment", "ch00")
    released = tmp_path / "release" / "ch00" / f"{CHAPTER}.ipynb"
    last = exercises("00")[-1].slug
    for learner, but in (("ada", ()), ("bo", (last,))):
        handed_in = tmp_path / "submitted" / learner / "ch00"
        handed_in.mkdir(parents=True)
        blank = json.loads(released.read_text(encoding="utf-8"))
        (handed_in / released.name).write_text(json.dumps(answered(blank, but)))
    nbgrader("autograde", "ch00")
    nbgrader("generate_feedback", "ch00")
    nbgrader("export", "--to=grades.csv")

    points = {item.slug: item.points for item in exercises("00")}
    rows = [line.split(",") for line in (tmp_path / "grades.csv").read_text().splitlines()]
    head = rows[0]
    found = {row[head.index("student_id")]: row for row in rows[1:]}
    score, most = head.index("score"), head.index("max_score")
    assert float(found["ada"][most]) == sum(points.values())
    assert float(found["ada"][score]) == sum(points.values())
    assert float(found["bo"][score]) == sum(points.values()) - points[last]
    page = tmp_path / "feedback" / "bo" / "ch00" / f"{CHAPTER}.html"
    assert "Score: 0.0 /" in page.read_text(encoding="utf-8")
