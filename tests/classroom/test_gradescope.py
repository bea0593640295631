"""The zip for Gradescope, laid out and run as Gradescope does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest
from walled import Walled

from mi_tutor.classroom import gradescope
from mi_tutor.classroom.jail.entering import can_hold
from mi_tutor.classroom.marks import Graded, Mark, Status
from mi_tutor.classroom.workers import NoJail

FORWARD = "def toy_forward(x, W, b):\n    return torch.relu(x @ W.T @ W + b)"


@pytest.fixture(scope="module")
def autograder(small, tmp_path_factory):
    """/autograder, as its image is built: once for all submissions."""
    folder = tmp_path_factory.mktemp("gradescope")
    zipped = folder / "autograder.zip"
    gradescope.export(small.folder / "01_small.ipynb", zipped)
    root = folder / "autograder"
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(root / "source")
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
    assert modes["setup.sh"] & 0o111 and modes["run_autograder"] & 0o111
    return root


@pytest.fixture
def there(autograder):
    """/autograder, as it is when a submission comes."""
    for name in ("results", "submission"):
        shutil.rmtree(autograder / name, ignore_errors=True)
        (autograder / name).mkdir()
    user = {"id": 7, "email": "ada@example.org", "name": "Ada"}
    (autograder / "submission_metadata.json").write_text(json.dumps({"users": [user]}))
    return autograder


def test_what_is_in_the_zip(there):
    names = {str(path.relative_to(there / "source")) for path in (there / "source").rglob("*")}
    assert {"setup.sh", "run_autograder", "requirements.txt", "chapters/01_small.ipynb"} <= names
    assert "mi_tutor/specimens/shelf/atlas/model.safetensors" in names
    assert not [name for name in names if "solutions" in name or "__pycache__" in name]
    needed = (there / "source" / "requirements.txt").read_text().splitlines()
    assert "einops>=0.8" in needed and not [n for n in needed if n.startswith(("torch>", "ruff"))]
    for script in ("setup.sh", "run_autograder"):
        subprocess.run(["bash", "-n", str(there / "source" / script)], check=True)


@pytest.mark.slow
@pytest.mark.skipif(not can_hold(), reason="there is no jail on this machine")
def test_a_submission_run_from_the_zip_alone(there, small):
    small.submit(toy_forward=FORWARD).rename(there / "submission" / "mine.ipynb")
    code = (
        "from pathlib import Path; from mi_tutor.classroom import gradescope;"
        f"gradescope.mark(Path({str(there)!r}))"
    )
    environment = os.environ | {"PYTHONPATH": str(there / "source")}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=there, check=True)
    found = json.loads((there / "results" / "results.json").read_text())
    lines = {line["name"]: line for line in found["tests"]}
    assert found["score"] == sum(line["score"] for line in found["tests"]) > 0
    assert [line["status"] for line in lines.values()].count("passed") == 1
    passed = next(line for line in lines.values() if line["status"] == "passed")
    assert passed["score"] == passed["max_score"]
    assert all(line["score"] == 0 and line["output"] for line in lines.values() if line != passed)


def test_no_notebook_and_no_metadata(there, monkeypatch):
    """What has nothing in it costs that learner's marks, and says so."""
    monkeypatch.setattr(gradescope, "Grader", lambda settings: Stub())
    (there / "submission_metadata.json").unlink()
    found = json.loads(gradescope.mark(there).read_text())
    assert found["score"] == 0 and "No notebook" in found["output"]
    assert gradescope._learner(there / "none.json") == "unknown"


@pytest.mark.slow
def test_a_jail_with_a_hole_gives_no_results(there, monkeypatch):
    """Else a submission could write what stands there: the instructor has to decide."""
    monkeypatch.setattr(gradescope, "Grader", lambda settings: Stub(("files", False)))
    with pytest.raises(NoJail, match="a hole: files"):
        gradescope.mark(there)
    assert "--trust-submissions" in gradescope.ADVICE
    assert not (there / "results" / "results.json").exists()


def test_every_line_is_told():
    marks = (
        Mark("a", "A", "function", Status.PASSED, 2, 2),
        Mark("b", "B", "value", Status.WRONG, 0, 3, "The sign is wrong."),
        Mark("c", "C", "quiz", Status.MISSING, 0, 1),
    )
    found = gradescope.results(Graded("7", "01", marks, notes=("A note.",)))
    assert found["score"] == 2 and found["output"] == "A note."
    assert [(t["status"], t["output"]) for t in found["tests"]] == [
        ("passed", "passed"), ("failed", "The sign is wrong."), ("failed", "missing"),
    ]  # fmt: skip


class Stub:
    """A grader without workers, whose jail has these walls."""

    def __init__(self, *walls: tuple[str, bool]) -> None:
        self.nursery = Walled(walls)

    def close(self) -> None:
        pass
