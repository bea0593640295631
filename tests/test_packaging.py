"""What stands around the package: entry files that have to agree with each other."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_binders_environment_is_made_from_ours():
    ours = (ROOT / "environment.yml").read_text().splitlines()
    binders = (ROOT / "binder" / "environment.yml").read_text().splitlines()
    assert binders[1:] == [line.replace("- -e .", "- -e ..") for line in ours[1:]]


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
    """Under 0.3 s on an idle machine; the bound here leaves room for a busy one."""
    code = (
        "import time; start = time.perf_counter(); import mi_tutor; from mi_tutor import check;"
        "print(time.perf_counter() - start); import sys; assert 'torch' not in sys.modules"
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
