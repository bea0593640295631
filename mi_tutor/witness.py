"""What a process stood on: the files of the project that it loaded and opened. Runs inside that process.

A chapter's kernel calls `watch` before its first cell and `stood_on` after its last (`authoring/execute.py`); any
other run is started with this module:

    python -m mi_tutor.witness OUT.json mi_tutor.specimens.recipes:broken primer

calls that function with these words. It returns what is wrong, in sentences; OUT.json is written if nothing is.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent
SHELF = PACKAGE / "specimens" / "shelf"
# Where a run can stand on something. What chooses tests and prints their costs is nothing that a test stands on.
COUNTED = (
    "CHANGELOG.md",
    "README.md",
    "benchmarks",
    "chapters",
    "docs",
    "mi_tutor",
    "solutions",
    "tests",
)
NOT_COUNTED = (PACKAGE / "witness.py", ROOT / "tests" / "plugins")
# By what a process starts another one. (The ways of multiprocessing tell no hook: they are looked for at the end.)
STARTS = (
    "subprocess.Popen",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.exec",
    "os.spawn",
    "os.system",
)
# They load nothing of this project. (Of pandoc jupytext asks the version when it is imported.)
LOAD_NOTHING = ("cc", "file", "gcc", "git", "ld", "ldconfig", "pandoc", "uname")
OTHER_STARTS = ("multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver")
_opened: set[str] = set()
_started: set[str] = set()
_watching: list[bool] = []


def watch() -> None:
    """Take down from now on which files are opened."""
    if not _watching:
        _watching.append(True)
        sys.addaudithook(_take_down)


def stood_on() -> list[str]:
    """What has been loaded and opened so far, from the folder of the project on: "mi_tutor/lab/ground/sites.py".

    A specimen is named by its folder, "mi_tutor/specimens/shelf/atlas/": weights are mapped into memory without
    Python's knowledge, but no folder is used without one of its other files being opened.
    """
    loaded = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    found = set()
    for name in {*_opened, *(file for file in loaded if file)}:
        path = _source_of(Path(name).resolve())
        if not _counts(path):
            continue
        if path.is_relative_to(SHELF):
            specimen = path.relative_to(SHELF).parts[0]
            found.add(f"{_from_the_root(SHELF / specimen)}/")
        elif path.is_file():
            found.add(_from_the_root(path))
    return sorted(found)


def unseen() -> list[str]:
    """Processes that were started: what they loaded was not seen, so there can be no record of this run."""
    also = {name for name in OTHER_STARTS if name in sys.modules}
    return [f"it started {one}, which is not witnessed" for one in sorted(_started | also)]


def _counts(path: Path) -> bool:
    if not path.is_relative_to(ROOT) or path.relative_to(ROOT).parts[0] not in COUNTED:
        return False
    return not any(path.is_relative_to(other) for other in NOT_COUNTED)


def _source_of(path: Path) -> Path:
    """Of compiled code, whoever compiled it (Python, pytest, jaxtyping): a/__pycache__/b.x.pyc -> a/b.py."""
    if path.suffix != ".pyc" or path.parent.name != "__pycache__":
        return path
    return path.parent.parent / f"{path.name.partition('.')[0]}.py"


def _from_the_root(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _take_down(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: it sees each `open`, and must never raise."""
    if event == "open" and isinstance(arguments[0], str | os.PathLike):
        with suppress(OSError):  # the current folder can be gone
            name = os.path.abspath(str(arguments[0]))  # noqa: PTH100 (quick, and asked of every file)
            if "site-packages" not in name:
                _opened.add(name)
    elif event in STARTS:
        program = os.path.basename(str(arguments[0])) if arguments else event  # noqa: PTH119
        if program not in LOAD_NOTHING:
            _started.add(program)


def main(out: str, what: str, *words: str) -> int:
    """Call a function by name, print what is wrong, and write what it stood on if nothing is."""
    watch()
    module, _, name = what.partition(":")
    wrong = getattr(import_module(module), name)(*words) or unseen()
    for sentence in wrong:
        print(sentence)
    if not wrong:
        Path(out).write_text(json.dumps(stood_on()), encoding="utf-8")
    return int(bool(wrong))


if __name__ == "__main__":
    from mi_tutor import witness  # not this copy of the module, which is called __main__

    sys.exit(witness.main(*sys.argv[1:]))
