"""The wheel is the course: built, installed where no clone is, and used as a learner uses it, offline."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from mi_tutor.authoring.additions import colab_setup, course_archive
from mi_tutor.colab import AGAIN, FORGOTTEN

ROOT = Path(__file__).parent.parent
MEGABYTES = 60
PARTS = ("mi_tutor", "chapters", "solutions")
FILES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")

# What the process opens is written down; nothing leaves this machine.
WATCH = """
import os, sys
seen = open(os.environ["OPENED"], "a", buffering=1)
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        seen.write(os.fsdecode(arguments[0]) + "\\n")
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        if arguments[1][0] not in ("127.0.0.1", "::1"):
            raise OSError(f"no network here: {arguments[1]}")
sys.addaudithook(watch)
"""
USE = """
import torch
import mi_tutor
from mi_tutor import check, progress, quiz
from mi_tutor.specimens import open_specimen, open_dictionary
assert "site-packages" in mi_tutor.__file__, mi_tutor.__file__

def top_tokens(logits, k):
    return logits[-1].topk(k).indices

check("top-tokens", top_tokens)
open_specimen("primer")
open_dictionary("atlas-attn2")
progress("00")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this tree, built from a copy, which is gone when the wheel is used."""
    copied = tmp_path_factory.mktemp("tree")
    leave_out = shutil.ignore_patterns("__pycache__", "*.kept-*")
    for part in PARTS:
        shutil.copytree(ROOT / part, copied / part, ignore=leave_out)
    for file in FILES:
        shutil.copy(ROOT / file, copied)
    made = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    run([*command, "--quiet", "--wheel-dir", str(made), str(copied)])
    shutil.rmtree(copied)
    return next(made.glob("*.whl"))


def environment(root):
    """A new environment without anything: its Python, and the folder of its libraries."""
    venv.create(root, with_pip=False, symlinks=os.name != "nt")
    scripts = root / ("Scripts" if os.name == "nt" else "bin")
    python = next(path for path in scripts.glob("python*") if path.stem in ("python", "python3"))
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return python, Path(run([str(python), "-c", code]).strip())


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel in it, and this one's libraries for everything else."""
    python, place = environment(tmp_path_factory.mktemp("environment"))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--quiet"]
    with timed("the wheel installed"):
        run([*pip, "--no-deps", str(wheel)])
    (place / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (place / "watch.pth").write_text("import watch\n")
    (place / "watch.py").write_text(WATCH)
    return python


@pytest.fixture(scope="module")
def at_home(installed, tmp_path_factory):
    """Run a command of the new environment in a folder of its own; `opened` is all that was read."""
    home = tmp_path_factory.mktemp("home")
    opened = home / "opened.txt"
    hidden = {"PYTHONPATH", "MI_TUTOR_HOME", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {
        "OPENED": str(opened),
        "XDG_DATA_HOME": str(home / "data"),
        "OMP_NUM_THREADS": "1",
    }

    def use(*words, folder=home):
        return run([str(installed), *words], cwd=folder, env=environment)

    use.home, use.opened, use.scripts = home, opened, installed.parent
    return use


@contextmanager
def timed(what):
    """Print what the processes in it took: pytest -s tests/test_wheel.py"""
    began, before = time.perf_counter(), os.times()
    yield
    took, after = time.perf_counter() - began, os.times()
    cpu = sum(getattr(after, n) - getattr(before, n) for n in ("children_user", "children_system"))
    print(f"{what}: {took:.1f} s, {cpu:.1f} s of the processor")


def run(command, **how):
    done = subprocess.run(command, capture_output=True, text=True, **how)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_what_is_in_it(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for folder in ("chapters", "solutions"):
        shipped = {Path(name).name for name in names if f"course/{folder}/" in name}
        assert shipped == {path.name for path in (ROOT / folder).glob("[0-9][0-9]_*.ipynb")}
    shelf = ROOT / "mi_tutor" / "specimens" / "shelf"
    for path in shelf.rglob("*.*"):
        assert path.relative_to(ROOT).as_posix() in names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"mi_tutor"}
    size = wheel.stat().st_size / 1e6
    print(f"the wheel has {size:.1f} MB, {len(names)} files")
    assert size < MEGABYTES


@pytest.mark.slow
def test_from_the_wheel_to_a_first_passed_exercise(at_home):
    with timed("mi-tutor start"):
        said = at_home(str(next(at_home.scripts.glob("mi-tutor*"))), "start", "My course")
    assert "has the course" in said
    workspace = at_home.home / "My course"
    names = {path.name for path in (ROOT / "chapters").glob("[0-9][0-9]_*.ipynb")}
    assert {path.name for path in (workspace / "chapters").iterdir()} == names
    with timed("a session's imports, two models and the first passed exercise"):
        said = at_home("-c", USE, folder=workspace / "chapters")
    assert "passed" in said and "1 of " in said
    events = (workspace / ".mi_tutor" / "progress.jsonl").read_text().splitlines()
    assert [json.loads(line)["slug"] for line in events] == ["top-tokens"]
    assert "next: " in at_home("-m", "mi_tutor.cli", "progress", "00")
    assert "is up to date" in at_home("-m", "mi_tutor.cli", "update")
    read = at_home.opened.read_text().splitlines()
    ours = [path for path in read if path.startswith(f"{ROOT}{os.sep}")]
    dependencies = sysconfig.get_path("purelib")
    assert [path for path in ours if not path.startswith((dependencies, sys.prefix))] == []
    assert any("mi_tutor" in path and "shelf" in path for path in read)


ON_COLAB = """
import sys
from importlib.metadata import version

cell = open(sys.argv[1]).read()
kept = {name: version(name) for name in ("torch", "numpy", "transformers")}
import numpy  # Colab has it loaded when a notebook starts
exec(cell, {})
from mi_tutor import check
check("top-tokens", lambda logits, k: logits[-1].topk(k).indices)
exec(cell, {})
assert kept == {name: version(name) for name in kept}
"""
NOT_ON_COLAB = ("mi_tutor", "__editable__", "jupyterlab", "nbval")  # of what this environment has
LATER = "jaxtyping"


def on_colab(root):
    """A stand-in for Colab, without the course, JupyterLab, and one thing that the course needs."""
    python, place = environment(root / "environment")
    libraries = root / "libraries"
    libraries.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        names = [
            name for name in NOT_ON_COLAB if path.name == name or path.name.startswith(f"{name}-")
        ]
        if not (names or LATER in path.name or path.name.startswith("__editable__")):
            (libraries / path.name).symlink_to(path)
    (place / "libraries.pth").write_text(f"{libraries}\n")
    return python, place, libraries


@pytest.mark.slow
def test_the_colab_cell_with_a_stand_in_for_colab(wheel, tmp_path):
    """The cell installs the course with the real pip, and says so when the network ends half-way. The next run
    goes on from there, an exercise is passed in the same session, and one more run of the cell does nothing."""
    python, place, libraries = on_colab(tmp_path)
    cell = tmp_path / "cell.py"
    setup = colab_setup("someone/course")
    cell.write_text(setup.replace(course_archive("someone/course"), f"mi_tutor @ {wheel.as_uri()}"))
    hidden = {"PYTHONPATH", "VIRTUAL_ENV", "MI_TUTOR_HOME"}
    offline = {name: value for name, value in os.environ.items() if name not in hidden}
    offline |= {
        "PIP_NO_INDEX": "1",
        "OMP_NUM_THREADS": "1",
        "XDG_DATA_HOME": str(tmp_path / "home"),
    }

    elsewhere = run([str(python), str(cell)], env=offline, cwd=tmp_path)
    assert elsewhere == "" and not list(place.glob("mi_tutor*"))
    (place / "google" / "colab").mkdir(parents=True)
    (place / "google" / "colab" / "__init__.py").touch()
    cut = subprocess.run([str(python), str(cell)], env=offline, capture_output=True, text=True)
    assert cut.returncode == 1 and AGAIN in cut.stderr and list(place.glob("mi_tutor*"))
    for path in Path(sysconfig.get_path("purelib")).glob(f"*{LATER}*"):
        (libraries / path.name).symlink_to(path)
    again = run([str(python), str(cell)], env=offline, cwd=tmp_path)
    assert "The course is installed" in again and "Installing" not in again
    for path in place.glob("mi_tutor*"):
        shutil.rmtree(path)
    said = run([str(python), "-c", ON_COLAB, str(cell)], env=offline, cwd=tmp_path)
    assert "with 1 new package(s): mi_tutor." in said and "passed" in said
    assert said.index("Nothing that was here was changed.") < said.index("nothing was changed")
    assert said.count("Installing the course") == 1 and said.count(FORGOTTEN) == 2
