"""What stands around the package: entry files that have to agree with each other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from mi_tutor.specimens.opening.shelf import SHELF

ROOT = Path(__file__).parent.parent


def test_binder_builds_with_our_versions():
    """The Python that we ask for, the torch of the Makefile, and what Binder starts."""
    lines = (ROOT / "binder" / "Dockerfile").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (python,) = re.findall(r"^FROM python:([\d.]+)-slim", lines, re.MULTILINE)
    assert SpecifierSet(project["requires-python"]).contains(python)
    (torch,) = re.findall(r"^TORCH \?= (\S+\+cpu)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    steps = re.findall(r"^RUN (.*)$", lines, re.MULTILINE)
    assert [torch in step for step in steps].index(True) < [
        "--editable" in step for step in steps
    ].index(True)
    assert any("constraints.txt" in step and step.endswith("notebook") for step in steps)
    assert lines.rstrip().endswith("USER ${NB_USER}")  # a learner is not root


@pytest.mark.slow
def test_binder_ends_its_build_with_specimens_that_open(tmp_path):
    """The build's last step, here with a home and a prefix of its own."""
    script = (ROOT / "binder" / "verify").read_text()
    assert "binder/verify" in (ROOT / "binder" / "Dockerfile").read_text()
    script = script.replace("Path(sys.prefix,", f"Path({str(tmp_path)!r},")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-c", script], env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    names = {path.name for path in SHELF.iterdir() if path.is_dir() and path.name != "sealed"}
    names |= {path.stem for path in (SHELF / "sealed").iterdir()}
    assert names == {
        line.split()[0] for line in done.stdout.splitlines() if line.endswith(" opens")
    }
    settings = tmp_path / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    assert "fetchNews" in settings.read_text()


def test_constraints_lie_inside_the_ranges():
    """Every pinned version is one that pyproject.toml admits."""
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    pinned = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    )
    for requirement in map(Requirement, wanted):
        if requirement.name != "torch":
            assert requirement.specifier.contains(pinned[requirement.name]), requirement


def test_importing_is_light_and_quick():
    """Under 0.3 s of the processor, whatever else the machine does."""
    code = (
        "import time; start = time.process_time(); import mi_tutor; from mi_tutor import check;"
        "print(time.process_time() - start); import sys; assert 'torch' not in sys.modules"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    assert min(float(run.stdout) for run in runs) < 0.3


def test_the_readmes_paths_exist():
    text = (ROOT / "README.md").read_text()
    for path in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"^\| `([^`]+)`", text, flags=re.M):
        assert (ROOT / path).exists(), path
