"""Real runs of small notebooks by nbval, and what is made of them exercise by exercise."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mi_tutor.grading.notebook import read_notebook
from mi_tutor.grading.report import Report, Result, Status, assess
from mi_tutor.grading.run import CellRun, RunError, run_notebook

ENDLESS = "import time\nwhile True: time.sleep(0.1)"


def grade(path: Path, course, seconds: float = 30.0) -> Report:
    before, beside = path.read_bytes(), set(path.parent.iterdir())
    notebook = read_notebook(path)
    report = assess(notebook, run_notebook(notebook, seconds), course)
    assert path.read_bytes() == before and set(path.parent.iterdir()) == beside  # it is only read
    return report


def by_slug(report: Report) -> dict[str, Result]:
    return {result.slug: result for result in report.results}


def statuses(report: Report) -> dict[str, Status]:
    return {result.slug: result.status for result in report.results}


def changed(cells: list[dict], check: str | None = None, **metadata) -> list[dict]:
    """An exercise whose check cell has another text, or other metadata."""
    if check is not None:
        cells[1]["source"] = check
    cells[1]["metadata"] |= metadata
    return cells


def one_of_each(fakes) -> dict[str, list[dict]]:
    """The cells of an exercise for everything that can become of one."""
    return {
        "right": fakes.pair("right"),
        "wrong": fakes.pair("wrong", "def {name}(x):\n    return x * x"),
        "stub": fakes.pair("stub", fakes.stub),
        "stub-value": [
            fakes.code("ratio = ...", "stub-value", "exercise"),
            fakes.code('check("stub-value", ratio)', "stub-value", "check"),
        ],
        "stub-at-once": fakes.pair("stub-at-once", "raise NotImplementedError('your code here')"),
        "syntax": fakes.pair("syntax", "def {name}(x)\n    return 2 * x"),
        "raises": fakes.pair("raises", "{name} = 1 / 0"),
        "deleted": fakes.pair("deleted")[:1],
        "gone": [],
        "commented": changed(fakes.pair("commented"), '# check("commented", commented)'),
        "of-another": changed(fakes.pair("of-another"), 'check("right", right)'),
        "skipped": changed(
            fakes.pair("skipped", fakes.stub), '# NBVAL_SKIP\ncheck("skipped", skipped)'
        ),
        "failing-magic": changed(
            fakes.pair("failing-magic", fakes.stub),
            '%no_such_magic\ncheck("failing-magic", failing_magic)',
        ),
        "unprintable": changed(
            fakes.pair("unprintable"),
            'check("unprintable", unprintable); raise CheckFailed("unprintable: \\ud800")',
        ),
        "excused": changed(
            fakes.pair("excused", fakes.stub), tags=["raises-exception", "nbval-skip"]
        ),
        "copied": [*fakes.pair("copied", fakes.stub), *fakes.pair("copied")],
        "unmarked": [fakes.code(cell["source"]) for cell in fakes.pair("unmarked")],
        "reads-a-file": fakes.pair(
            "reads-a-file", "def {name}(x):\n    return int(open('factor.txt').read()) * x"
        ),
        "split": [*fakes.pair("split"), fakes.code("", "split", "check")],
        "merged": merged(fakes.pair("merged", fakes.stub), fakes.pair("merged-too")),
        "merged-too": [],
        "in-text": [
            fakes.pair("in-text")[0] | {"cell_type": "markdown"},
            fakes.pair("in-text")[1],
        ],
        "follows": fakes.pair("follows", "six = stub(3)\n" + fakes.right),
        "timed": changed(fakes.pair("timed"), '%%time\ncheck("timed", timed)'),
        "timed-stub": changed(
            fakes.pair("timed-stub", fakes.stub), '%time check("timed-stub", timed_stub)'
        ),
        "magic": fakes.pair("magic", "%time 1 + 1\n!echo hello\n" + fakes.right),
    }


def merged(*pairs: list[dict]) -> list[dict]:
    """All cells in one, with the metadata of the first."""
    cells = [cell for pair in pairs for cell in pair]
    return [cells[0] | {"source": "\n\n".join(cell["source"] for cell in cells)}]


@pytest.fixture(scope="module")
def report(tmp_path_factory, fakes) -> Report:
    """One notebook with one of each, in a folder with a difficult name and pytest settings of its own."""
    folder = tmp_path_factory.mktemp("course") / "a folder [with] brackets"
    folder.mkdir()
    (folder / "factor.txt").write_text("2")
    (folder / "conftest.py").write_text("raise RuntimeError('not to be read')")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    not_newer = (
        fakes.code("undefined_name"),
        fakes.pair("from-a-newer-version"),
        fakes.question("q", "a"),
    )
    stored = changed(fakes.pair("stored"))
    stored[1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "passed"}]
    each = one_of_each(fakes)
    cells = [*each.values(), stored, *not_newer]
    kernel = {"name": "my-conda-env", "display_name": "mine", "language": "python"}
    path = fakes.write(folder / "77_my::copy (1).ipynb", *cells, kernelspec=kernel)
    return grade(path, fakes.fake_course(*each, "stored"))


class TestOneOfEach:
    @pytest.mark.parametrize(
        ("slug", "status"),
        [
            ("right", Status.PASSED),
            ("wrong", Status.WRONG),
            ("stub", Status.UNANSWERED),
            ("stub-value", Status.UNANSWERED),
            ("stub-at-once", Status.UNANSWERED),
            ("syntax", Status.ERROR),
            ("raises", Status.ERROR),
            ("deleted", Status.MISSING),
            ("gone", Status.MISSING),
            ("commented", Status.CHANGED),
            ("of-another", Status.CHANGED),
            ("skipped", Status.UNANSWERED),
            ("failing-magic", Status.ERROR),
            ("unprintable", Status.ERROR),
            ("excused", Status.UNANSWERED),
            ("copied", Status.PASSED),
            ("unmarked", Status.PASSED),
            ("reads-a-file", Status.PASSED),
            ("split", Status.PASSED),
            ("merged", Status.UNANSWERED),
            ("merged-too", Status.PASSED),
            ("in-text", Status.NOT_CODE),
            ("follows", Status.NOT_REACHED),
            ("timed", Status.PASSED),
            ("timed-stub", Status.UNANSWERED),
            ("magic", Status.PASSED),
            ("stored", Status.PASSED),
            ("from-a-newer-version", Status.UNKNOWN),
            ("q", Status.WRONG),
        ],
    )
    def test_status(self, report, slug, status):
        result = by_slug(report)[slug]
        assert result.status is status
        assert result.points == (result.points_total if status is Status.PASSED else 0)

    def test_only_this_chapter_is_expected(self, report):
        assert report.chapter == "77" and "elsewhere" not in by_slug(report)
        assert not report.passed

    def test_sentences_are_the_tutors(self, report):
        assert by_slug(report)["wrong"].sentence == "Double it, do not square it."
        assert by_slug(report)["q"].sentence == "Think of the norm."
        assert by_slug(report)["stub"].sentence == ""

    def test_errors_are_told_where_they_began(self, report):
        syntax, raises = by_slug(report)["syntax"], by_slug(report)["raises"]
        assert (
            f"Code cell {syntax.cell - 1} stopped with SyntaxError: expected ':'" in syntax.sentence
        )
        assert raises.sentence == (
            f"Code cell {raises.cell - 1} stopped with ZeroDivisionError: division by zero."
        )

    def test_notes(self, report):
        copies, gone, other = report.notes
        assert gone.startswith(
            "1 of the chapter's exercises and quick checks are not in this notebook"
        )
        assert 'check("deleted", ...) is not' in by_slug(report)["deleted"].sentence
        assert copies == "copied has 2 check cells; the last one counts."
        assert "undefined_name" in other and "belongs to no exercise" in other

    def test_unknown_slugs_say_what_to_do(self, report):
        assert "comes from another version" in by_slug(report)["from-a-newer-version"].sentence


def test_all_right(tmp_path, fakes):
    path = fakes.write(
        tmp_path / "renamed.ipynb", fakes.pair("one"), fakes.question("q"), fakes.pair("two-words")
    )
    report = grade(path, fakes.fake_course("one", "two-words"))
    assert report.passed and report.notes == () and report.chapter == "77"
    assert [(result.kind, result.points) for result in report.results] == [
        ("exercise", 2),
        ("exercise", 2),
        ("quick check", 1),
    ]


def test_setup_that_fails(tmp_path, fakes):
    path = fakes.write(
        tmp_path / "77_fakes.ipynb", fakes.pair("one"), setup="import no_such_module_here"
    )
    missing = "ModuleNotFoundError", "No module named 'x'"
    unknown = "NameError", "name 'check' is not defined"
    runs = {1: CellRun(missing), 2: CellRun(), 3: CellRun(unknown)}
    report = assess(read_notebook(path), runs, fakes.fake_course("one"))
    assert (
        statuses(report)["one"] is Status.ERROR and "NameError" in by_slug(report)["one"].sentence
    )
    assert "Code cell 1" in report.notes[-1] and "No module named 'x'" in report.notes[-1]


def test_nothing_in_it(tmp_path, fakes):
    path = fakes.write(tmp_path / "77_fakes.ipynb", setup="")
    report = assess(read_notebook(path), {}, fakes.fake_course("one"))
    assert set(statuses(report).values()) == {Status.MISSING} and not report.passed


def test_without_nbval(tmp_path, monkeypatch, fakes):
    path = fakes.write(tmp_path / "77_fakes.ipynb", fakes.pair("one"))
    (tmp_path / "nbval.py").write_text("raise ImportError('nbval is broken here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RunError, match=r"could not be run.*nbval"):
        run_notebook(read_notebook(path))


@pytest.mark.slow
def test_kernel_that_does_not_start(tmp_path, monkeypatch, fakes):
    path = fakes.write(tmp_path / "77_fakes.ipynb", fakes.pair("one"))
    (tmp_path / "ipykernel_launcher.py").write_text("raise SystemExit('no kernel today')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RunError, match="could not be run"):
        run_notebook(read_notebook(path))


@pytest.mark.slow
class TestStopped:
    @pytest.fixture
    def course(self, fakes):
        return fakes.fake_course("one", "two-words", "three")

    @pytest.fixture
    def path(self, tmp_path) -> Path:
        return tmp_path / "77_fakes.ipynb"

    def test_endless_loop_costs_one_exercise(self, path, course, fakes):
        endless = "def {name}(x):\n    return 2 * x\n" + ENDLESS
        fakes.write(
            path,
            fakes.pair("one"),
            fakes.pair("two-words", endless),
            fakes.pair("three"),
            fakes.question("q"),
        )
        report = grade(path, course, seconds=3)
        assert statuses(report) == {
            "one": Status.PASSED,
            "two-words": Status.TIMEOUT,
            "three": Status.PASSED,
            "q": Status.PASSED,
        }

    def test_nothing_after_a_timeout_counts_unless_it_was_run_again(
        self, path, monkeypatch, course, fakes
    ):
        monkeypatch.setattr("mi_tutor.grading.run.MAX_ROUNDS", 1)
        fakes.write(path, fakes.code(ENDLESS), fakes.pair("one"), fakes.question("q"))
        report = grade(path, course, seconds=3)
        assert statuses(report)["one"] is statuses(report)["q"] is Status.NOT_REACHED

    def test_loop_that_swallows_interrupts(self, path, course, fakes):
        stubborn = (
            "import time\nwhile True:\n    try: time.sleep(9)\n    except BaseException: pass"
        )
        fakes.write(
            path,
            fakes.code(stubborn),
            fakes.pair("one"),
            fakes.pair("two-words"),
            fakes.pair("three"),
            fakes.question("q"),
        )
        report = grade(path, course, seconds=3)
        assert report.passed and "stopped at the time limit" in report.notes[0]

    def test_kernel_that_dies_is_noticed_at_once(self, path, course, fakes):
        dying = "import os\ndef {name}(x):\n    os._exit(7)"
        fakes.write(
            path,
            fakes.pair("one", dying),
            fakes.pair("two-words"),
            fakes.pair("three"),
            fakes.question("q"),
        )
        begin = time.monotonic()
        report = grade(path, course, seconds=600)
        assert time.monotonic() - begin < 300
        assert (
            statuses(report)["one"] is Status.ERROR
            and "ended the kernel" in by_slug(report)["one"].sentence
        )
        assert statuses(report)["two-words"] is statuses(report)["three"] is Status.PASSED

    def test_a_large_process_that_grades_is_not_taken_for_a_flood(self, path, course, fakes):
        large = bytearray(2**30 + 2**28)  # a child starts with its parent's peak in getrusage
        fakes.write(path, fakes.pair("one"), fakes.question("q"))
        report = grade(path, course)
        assert large and statuses(report)["one"] is statuses(report)["q"] is Status.PASSED

    def test_printing_without_end(self, path, course, fakes):
        fakes.write(
            path,
            fakes.code("while True:\n    print('x' * 10_000)"),
            fakes.pair("one"),
            fakes.question("q"),
        )
        report = grade(path, course, seconds=30)
        assert "printed without end" in report.notes[-1] or "time limit" in report.notes[-1]
        assert statuses(report)["one"] is Status.PASSED

    def test_cell_that_kills_pytest(self, path, course, fakes):
        fakes.write(
            path,
            fakes.code("import os, signal; os.kill(os.getppid(), signal.SIGKILL)"),
            fakes.pair("one"),
        )
        assert statuses(grade(path, course))["one"] is Status.PASSED

    @pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
    def test_nothing_is_left_running(self, path, tmp_path, course, fakes):
        pids = tmp_path / "pids"
        pids.touch()
        starts_another = (
            "import os, subprocess, sys\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
            "open('pids', 'w').write(f'{os.getpid()} {child.pid}')\n" + ENDLESS
        )
        fakes.write(path, fakes.code(starts_another))
        grade(path, course, seconds=3)
        for pid in map(int, pids.read_text().split()):
            assert _soon(lambda pid=pid: not _alive(pid))

    @pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
    def test_the_kernel_ends_when_whoever_asked_is_killed(self, path, tmp_path, fakes):
        pid = tmp_path / "pid"
        fakes.write(
            path,
            fakes.code("import os\nopen('pid', 'w').write(str(os.getpid()))\n" + ENDLESS),
        )
        script = (
            "import sys, pathlib, mi_tutor.grading.run as run, mi_tutor.grading.notebook as notebook\n"
            "run.run_notebook(notebook.read_notebook(pathlib.Path(sys.argv[1])))"
        )
        asking = subprocess.Popen([sys.executable, "-c", script, str(path)])
        assert _soon(lambda: pid.exists() and pid.read_text())
        asking.kill()
        asking.wait()
        assert _soon(lambda: not _alive(int(pid.read_text())))


def _soon(holds: Callable[[], object], seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(holds())


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
