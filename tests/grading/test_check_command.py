"""`mi-tutor check` as a learner meets it: names, words, exit codes, JSON; once with the course's own checks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mi_tutor.cli import check as command
from mi_tutor.cli import main
from mi_tutor.grading.run import CellRun


@pytest.fixture
def mi_tutor(monkeypatch, capsys, tmp_path, fakes):
    """Run `mi-tutor check`; cells of the fakes do what `runs` says, without a kernel."""
    monkeypatch.chdir(tmp_path)
    course = fakes.fake_course("one", "two-words")
    monkeypatch.setattr(command, "course", lambda chapter=None: (course.exercises, course.quizzes))

    def run(*words: str, runs: dict[int, CellRun] | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr("mi_tutor.grading.run.run_notebook", lambda *_: runs or {})
        monkeypatch.setattr(sys, "argv", ["mi-tutor", "check", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


FINE = {number: CellRun() for number in range(1, 7)}
WRONG = FINE | {
    3: CellRun(("CheckFailed", "one: Add the bias.")),
    6: CellRun(("CheckFailed", "q: not answered yet.")),
}


def test_table(mi_tutor, tmp_path, fakes):
    fakes.write(
        tmp_path / "77_mine.ipynb", fakes.pair("one"), fakes.pair("two-words"), fakes.question("q")
    )
    status, out, err = mi_tutor("77_mine.ipynb", runs=WRONG)
    assert (status, err) == (1, "")
    assert out.splitlines() == [
        "77_mine.ipynb, chapter 77",
        "",
        "Exercises",
        "  ✗ one        wrong              0/2",
        "      Add the bias.",
        "  ✓ two-words  passed             2/2",
        "",
        "Quick checks",
        "  · q          not answered yet   0/1",
        "",
        "1 of 3 passed, 2 of 5 points",
    ]


def test_json_and_success(mi_tutor, tmp_path, fakes):
    fakes.write(
        tmp_path / "77_mine.ipynb", fakes.pair("one"), fakes.pair("two-words"), fakes.question("q")
    )
    status, out, _ = mi_tutor("77_mine", "--json", runs=FINE)
    found = json.loads(out)
    assert status == 0 and found["passed"] and (found["points"], found["points_total"]) == (5, 5)
    assert found["results"][0] == {
        "slug": "one",
        "title": "One",
        "kind": "exercise",
        "status": "passed",
        "points": 2,
        "points_total": 2,
        "sentence": "",
        "cell": 3,
    }


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("77_mien.ipynb", "There is no file 77_mien.ipynb. Did you mean 77_mine.ipynb?"),
        ("text.ipynb", "text.ipynb is not a notebook"),
        ("other.ipynb", "other.ipynb has no exercises of this course"),
        (".", ". is a folder"),
    ],
)
def test_what_cannot_be_checked(mi_tutor, tmp_path, name, sentence, fakes):
    fakes.write(tmp_path / "77_mine.ipynb", fakes.pair("one"))
    fakes.write(tmp_path / "other.ipynb", fakes.code("1 + 1"))
    (tmp_path / "text.ipynb").write_text("text")
    status, out, err = mi_tutor(name)
    assert (status, out) == (2, "") and err.startswith(sentence) and err.count("\n") == 1


@pytest.mark.slow
def test_the_courses_own_checks(tmp_path, fakes):
    """In real processes: a right answer and a known mistake, told by the tutor and kept as progress."""
    right = "import torch\ndef {name}(x, W, b):\n    return torch.relu(x @ W.T @ W + b)"
    no_root = "def {name}(x, x_hat, importance):\n    return (x - x_hat).square().mean(0).sum()"
    cells = [fakes.pair("toy-forward", right), fakes.pair("weighted-loss", no_root)]
    environment = os.environ | {
        "MI_TUTOR_HOME": str(tmp_path / "home"),
        "PYTHONIOENCODING": "ascii",  # JSON comes through whole all the same
    }

    def results(path: Path) -> dict[str, dict]:
        arguments = [sys.executable, "-m", "mi_tutor.cli", "check", str(path), "--json"]
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True)
        assert done.returncode == 1 and done.stderr == "", done.stderr
        return {result["slug"]: result for result in json.loads(done.stdout)["results"]}

    # What passes in a solution notebook was not passed by whoever runs it.
    setup = "from mi_tutor import check, quiz"
    marks = {"chapter": "01", "folder": "solutions"}
    found = results(fakes.write(tmp_path / "solution.ipynb", *cells, setup=setup, mi_tutor=marks))
    assert found["toy-forward"]["status"] == "passed"
    assert not (tmp_path / "home" / "progress.jsonl").exists()

    found = results(fakes.write(tmp_path / "mine.ipynb", *cells, setup=setup))
    assert (
        found["toy-forward"]["status"] == "passed" and found["weighted-loss"]["status"] == "wrong"
    )
    assert "importance" in found["weighted-loss"]["sentence"].lower()
    events = [
        json.loads(line) for line in (tmp_path / "home" / "progress.jsonl").read_text().splitlines()
    ]
    assert [(e["slug"], e["passed"]) for e in events] == [
        ("toy-forward", True),
        ("weighted-loss", False),
    ]
