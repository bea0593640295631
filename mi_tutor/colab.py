"""What the first cell of a notebook does on Google Colab, once the course itself is there.

The cell is in `mi_tutor/authoring/additions.py`: it has to run before there is a course.

1. `complete` installs what the course needs and Colab lacks: not JupyterLab, and no other version of what runs the
   notebook that is open, since that can make a runtime crash again and again. torch is held at its exact version.
2. It says what is new and what changed, whether the runtime has to start again, and where progress is kept.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import (
    PackageNotFoundError,
    distributions,
    packages_distributions,
    requires,
    version,
)
from pathlib import Path

RESTART = "Runtime > Restart session"
# What runs notebooks: on Colab, that is Colab.
LEFT_OUT = frozenset(
    ("jupyterlab", "ipykernel", "ipywidgets", "jupytext", "nbclient", "nbval", "pytest")
)
# These stay as they are, whoever else asks for another version.
HELD = (
    "torch",
    "ipykernel",
    "ipython",
    "ipywidgets",
    "jupyter-client",
    "prompt-toolkit",
    "pyzmq",
    "tornado",
    "traitlets",
)
AGAIN = "What the course needs could not be installed (see above). Run this cell again."
DRIVE = Path("/content/drive/MyDrive")
FORGOTTEN = (
    "Colab forgets your progress when the runtime ends. Your answers stay if you keep a copy (File > Save a copy "
    "in Drive), and running its checks again brings the progress back. To keep both: Files (the folder at the "
    "left) > Mount Drive, then run this cell again."
)


def complete(had: Mapping[str, str]) -> None:
    """Install what is missing, say what that changed, and where progress is kept.

    Args:
        had: the version of each installed distribution before the course came, by its name.

    Raises:
        SystemExit: it could not be installed. The next run of the cell goes on from there.
    """
    wanted = missing(requires("mi_tutor") or [])
    if wanted and _pip(wanted):
        sys.exit(AGAIN)
    importlib.invalidate_caches()
    print(changes(had, versions()))
    print(keep_progress())


def missing(requirements: list[str]) -> list[str]:
    """Those of the course's requirements that are not met here, without what Colab has of its own.

    >>> missing(["jupyterlab>=4.2", "rich>=1", "rich>=1000", 'nobody-has-this; extra == "dev"'])
    ['rich>=1000']
    """
    from packaging.requirements import Requirement

    found = []
    for text in requirements:
        one = Requirement(text)
        applies = one.marker is None or one.marker.evaluate({"extra": ""})
        if applies and one.name not in LEFT_OUT and not _met(one.name, one.specifier):
            found.append(text)
    return found


def _met(name: str, specifier: object) -> bool:
    try:
        return specifier.contains(version(name), prereleases=True)
    except PackageNotFoundError:
        return False


def _pip(wanted: list[str]) -> int:
    """Install, and keep what is held at its version. Returns pip's exit code."""
    held = [f"{name}=={has}" for name in HELD if (has := _version(name))]
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "held.txt")
        constraints.write_text("\n".join(held), encoding="utf-8")
        words = ["--quiet", "--disable-pip-version-check", "-c", str(constraints), *wanted]
        return subprocess.run([sys.executable, "-m", "pip", "install", *words]).returncode


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def keep_progress() -> str:
    """Keep progress in the learner's Drive if it is mounted; a sentence on where it is."""
    if not os.environ.get("MI_TUTOR_HOME") and DRIVE.is_dir():
        os.environ["MI_TUTOR_HOME"] = str(DRIVE / "mi_tutor")
    home = os.environ.get("MI_TUTOR_HOME")
    return f"Your progress is kept in {home}." if home else FORGOTTEN


def versions() -> dict[str, str]:
    """The version of each installed distribution."""
    return {one.name: one.version for one in distributions() if one.name}


def changes(had: Mapping[str, str], has: Mapping[str, str]) -> str:
    """Which packages are new, and which have another version now, in words.

    >>> changes({"mi_tutor": "1"}, {"mi_tutor": "1"})
    'The course is installed, and nothing was changed.'
    """
    new = sorted(set(has) - set(had))
    other = sorted(name for name in had if name in has and had[name] != has[name])
    if not (new or other):
        return "The course is installed, and nothing was changed."
    lines = [f"The course is installed, with {len(new)} new package(s): {', '.join(new)}."]
    if not other:
        return f"{lines[0]}\nNothing that was here was changed."
    lines += [
        f"Changed, since the course needs it: {name} {had[name]} → {has[name]}." for name in other
    ]
    stale = _imported(other)
    if stale:
        lines.append(
            f"{', '.join(stale)} was in use already, so do this once: {RESTART}, then go on from this cell."
        )
    return "\n".join(lines)


def _imported(names: list[str]) -> list[str]:
    """Those of the distributions of which a module is loaded in this process."""
    modules = packages_distributions()
    loaded = {name for module in list(sys.modules) for name in modules.get(module, ())}
    return [name for name in names if name in loaded]
