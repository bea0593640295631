"""`mi-tutor check`: real runs of small notebooks by nbval, and what is made of them."""

import os
import time
from pathlib import Path

import pytest
from conftest import RIGHT, SETUP, STUB, code, pair, question, write

from mi_tutor.grading.notebook import read_notebook
from mi_tutor.grading.report import Report, Status, assess
from mi_tutor.grading.run import run_notebook


def grade(path: Path, course, seconds: float = 30.0) -> Report:
    before = path.read_bytes()
    notebook = read_notebook(path)
    report = assess(notebook, run_notebook(notebook, seconds), course)
    assert path.read_bytes() == before
    return report


def statuses(report: Report) -> dict[str, str]:
    return {result.slug: result.status for result in report.results}


def sentence(report: Report, slug: str) -> str:
    return next(result.sentence for result in report.results if result.slug == slug)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "77_fakes.ipynb"


class TestOneRun:
    def test_all_right(self, path, course):
        write(path, pair("one"), pair("two-words"), question("q"), pair("three"))
        report = grade(path, course)
        assert statuses(report) == dict.fromkeys(["one", "two-words", "three", "q"], Status.PASSED)
        assert report.passed and report.chapter == "77" and report.notes == ()
        assert sum(result.points for result in report.results) == 7

    def test_one_of_each(self, path, course):
        square = "def {name}(x):\n    return x * x"
        write(path, pair("one", square), pair("two-words", STUB), pair("three"), question("q", "?"))
        report = grade(path, course)
        assert statuses(report) == {
            "one": Status.WRONG,
            "two-words": Status.UNANSWERED,
            "three": Status.PASSED,
            "q": Status.UNANSWERED,
        }
        assert sentence(report, "one") == "Double it, do not square it."
        assert not report.passed

    def test_wrong_quiz_and_unanswered_value(self, path, course):
        value = [code("ratio = ...", "one", "exercise"), code('check("one", ratio)', "one", "check")]
        write(path, value, question("q", "a"))
        report = grade(path, course)
        assert statuses(report)["one"] == Status.UNANSWERED
        assert (statuses(report)["q"], sentence(report, "q")) == (Status.WRONG, "Think of the norm.")

    def test_errors_are_told_where_they_began(self, path, course):
        broken = "def {name}(x)\n    return 2 * x"
        raising = "{name} = 1 / 0"
        write(
            path, pair("one", broken), pair("two-words", raising), pair("three"), code("undefined_name"), question("q")
        )
        report = grade(path, course)
        assert statuses(report)["one"] == Status.ERROR and "Code cell 2: SyntaxError" in sentence(report, "one")
        assert sentence(report, "two-words") == "Code cell 4: ZeroDivisionError: division by zero"
        assert statuses(report)["three"] == Status.PASSED
        assert "Code cell 8" in report.notes[0] and "undefined_name" in report.notes[0]

    def test_deleted_and_changed_checks_never_pass(self, path, course):
        one, two, three = pair("one"), pair("two-words"), pair("three")
        two[1]["source"] = '# check("two-words", two_words)'
        three[1]["source"] = 'check("one", one)'
        write(path, one[:1], two, three)
        report = grade(path, course)
        assert statuses(report) == {
            "one": Status.MISSING,
            "two-words": Status.CHANGED,
            "three": Status.CHANGED,
            "q": Status.MISSING,
        }

    def test_tags_comments_and_stored_outputs_do_not_help(self, path, course):
        one, two, three = (pair(slug, STUB) for slug in ("one", "two-words", "three"))
        one[1]["metadata"]["tags"] = ["raises-exception", "nbval-skip"]
        two[1]["source"] = "# NBVAL_SKIP\n" + two[1]["source"]
        three[1] |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "passed"}], "execution_count": 3}
        write(path, one, two, three, question("q"))
        report = grade(path, course)
        assert set(list(statuses(report).values())[:3]) == {Status.UNANSWERED}
        assert statuses(report)["q"] == Status.PASSED  # outputs without an execution count are no error either

    def test_copies_unknown_slugs_and_lost_metadata(self, path, course):
        lost = [code(cell["source"]) for cell in pair("three")]
        write(path, pair("one", STUB), pair("one"), pair("newer-than-this"), lost, question("q"))
        report = grade(path, course)
        assert statuses(report)["one"] == Status.PASSED  # the last one counts
        assert any("one has 2 check cells" in note for note in report.notes)
        assert statuses(report)["newer-than-this"] == Status.UNKNOWN
        assert "another version" in sentence(report, "newer-than-this")
        assert statuses(report)["three"] == Status.PASSED
        assert statuses(report)["two-words"] == Status.MISSING

    def test_runs_in_the_notebooks_folder_under_any_name(self, tmp_path, course):
        folder = tmp_path / "a folder [with] brackets"
        folder.mkdir()
        (folder / "factor.txt").write_text("2")
        (folder / "conftest.py").write_text("raise RuntimeError('not used')")
        (folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
        reading = "def {name}(x):\n    return int(open('factor.txt').read()) * x"
        path = write(folder / "77_my::copy (1).ipynb", pair("one", reading))
        assert statuses(grade(path, course))["one"] == Status.PASSED
        assert sorted(item.name for item in folder.iterdir()) == sorted(
            ["conftest.py", "factor.txt", "pytest.ini", path.name]
        )

    def test_kernel_of_another_machine_is_not_needed(self, path, course):
        write(path, pair("one"), kernelspec={"name": "my-conda-env", "language": "python"})
        assert statuses(grade(path, course))["one"] == Status.PASSED


class TestStopped:
    @pytest.mark.slow
    def test_endless_loop_costs_one_exercise(self, path, course):
        endless = "def {name}(x):\n    return 2 * x\nwhile True:\n    pass"
        write(path, pair("one"), pair("two-words", endless), pair("three"), question("q"))
        report = grade(path, course, seconds=1.5)
        assert statuses(report) == {
            "one": Status.PASSED,
            "two-words": Status.TIMEOUT,
            "three": Status.PASSED,
            "q": Status.PASSED,
        }

    @pytest.mark.slow
    def test_loop_that_swallows_interrupts(self, path, course):
        stubborn = "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"
        write(path, code(stubborn), pair("one"), pair("two-words"), pair("three"), question("q"))
        report = grade(path, course, seconds=1.5)
        assert report.passed and "still running" in report.notes[0]

    @pytest.mark.slow
    def test_kernel_that_dies_is_noticed_at_once(self, path, course):
        dying = "import os\ndef {name}(x):\n    os._exit(7)"
        write(path, pair("one", dying), pair("two-words"), pair("three"), question("q"))
        begin = time.monotonic()
        report = grade(path, course, seconds=60)
        assert time.monotonic() - begin < 30
        assert statuses(report)["one"] == Status.ERROR and "ended the kernel" in sentence(report, "one")
        assert statuses(report)["two-words"] == statuses(report)["three"] == Status.PASSED

    @pytest.mark.slow
    def test_nothing_is_left_running(self, path, course, tmp_path):
        child = (
            "import subprocess, os\nchild = subprocess.Popen(['sleep', '300'])\n"
            "open('pids', 'w').write(f'{os.getpid()} {child.pid}')\nwhile True:\n    pass"
        )
        write(path, code(child))
        grade(path, course, seconds=1.5)
        for pid in map(int, (tmp_path / "pids").read_text().split()):
            deadline = time.monotonic() + 5
            while _alive(pid) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert not _alive(pid)

    @pytest.mark.slow
    def test_too_many_stops_are_said(self, path, course, monkeypatch):
        monkeypatch.setattr("mi_tutor.grading.run.MAX_ROUNDS", 1)
        write(path, code("while True:\n    pass"), pair("one"), question("q"))
        report = grade(path, course, seconds=1.5)
        assert statuses(report)["one"] == statuses(report)["q"] == Status.NOT_REACHED


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_notebook_without_cells(path, course):
    write(path, setup="")
    assert statuses(grade(path, course)) == dict.fromkeys(["one", "two-words", "three", "q"], Status.MISSING)


def test_setup_that_fails(path, course):
    write(path, pair("one"), setup="import no_such_module_here")
    report = grade(path, course)
    assert statuses(report)["one"] == Status.ERROR and "NameError" in sentence(report, "one")
    assert "no_such_module_here" in report.notes[0]


assert RIGHT and SETUP
