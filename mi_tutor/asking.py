"""Runs of tests that leave a record: which there are, and one of them, run here by pytest.

`pyproject.toml` lists folders and files of tests that have a record each, as a whole. Elsewhere a test says by
`pytest.mark.recorded("exercises", "01")` to which run it belongs, in whatever file it is. `mi_tutor.witness` calls
`broken` in a process of the run's own, where nothing else is loaded.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

ASKED = "MI_TUTOR_ASKED"  # the one chapter whose exercises are asked about: a record should stand on no others
_MARK = re.compile(r'\bmark\.recorded\("(\w+)"')


def runs_by_place(root: Path) -> dict[str, Path]:
    """The runs that are a folder or a file of tests, by name: "lab/superposition", "teach/test_attacks"."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    listed = settings.get("tool", {}).get("mi_tutor", {}).get("recorded", [])
    places = [place for pattern in listed for place in sorted(root.glob(pattern))]
    return {
        place.relative_to(root / "tests").with_suffix("").as_posix(): place
        for place in places
        if place.is_file() or any(place.rglob("test_*.py"))
    }


def files_that_mark(root: Path, kind: str) -> list[Path]:
    """The files with tests of a kind of run: "exercises"."""
    files = sorted((root / "tests").rglob("test_*.py"))
    return [file for file in files if kind in _MARK.findall(file.read_text(encoding="utf-8"))]


def places_of(root: Path, kind: str, name: str) -> list[Path]:
    """Where the tests of a run are. Asked before the run, which would otherwise stand on all that is read here."""
    return [runs_by_place(root)[name]] if kind == "tests" else files_that_mark(root, kind)


def broken(root: str, run: str, chapter: str, *places: str) -> list[str]:
    """Run the tests of one record, and say what is wrong. A test that is skipped has shown nothing.

    run: its name, "exercises/01". chapter: whose exercises alone are asked about, or "". places: of its tests.
    """
    import pytest

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # plugins take seconds, and none is needed
    if chapter:
        os.environ[ASKED] = chapter
    wrong: list[str] = []

    class TakesDown:
        @staticmethod
        def pytest_runtest_logreport(report: pytest.TestReport) -> None:
            if not report.passed:
                wrong.append(f"{report.nodeid}: {_in_one_line(report)}")

        @staticmethod
        def pytest_collectreport(report: pytest.CollectReport) -> None:
            if not report.passed:
                wrong.append(f"{report.nodeid}: {report.longreprtext.strip()}")

    options = ["--asked", run, "--rootdir", root, "-q", "--no-header", "--tb=short"]
    with redirect_stdout(sys.stderr):  # stdout is for what is wrong
        ended = pytest.main([*options, "-p", "no:cacheprovider", *places], [TakesDown()])
    return wrong or ([] if ended == pytest.ExitCode.OK else [f"pytest ended with {ended!r}"])


def _in_one_line(report: Any) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return (crash.message if crash else report.longreprtext).strip().partition("\n")[0]
