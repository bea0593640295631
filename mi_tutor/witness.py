"""What a process stood on: the files of mi_tutor that it loaded and opened. Runs inside that process.

A chapter's kernel calls `watch` before its first cell and `stood_on` after its last (`authoring/execute.py`); any
other run is started with this module:

    python -m mi_tutor.witness OUT.json mi_tutor.specimens.recipes:broken primer

calls that function with these words. It returns what is wrong, in sentences; OUT.json is written if nothing is.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent
SHELF = PACKAGE / "specimens" / "shelf"
_opened: set[str] = set()
_watching: list[bool] = []


def watch() -> None:
    """Take down from now on which files are opened."""
    if not _watching:
        _watching.append(True)
        sys.addaudithook(_take_down)


def stood_on() -> list[str]:
    """What has been loaded and opened so far, from the folder of the package on: "mi_tutor/lab/ground/sites.py".

    A specimen is named by its folder, "mi_tutor/specimens/shelf/atlas/": weights are mapped into memory without
    Python's knowledge, but no folder is used without one of its other files being opened.
    """
    loaded = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    found = set()
    for name in {*_opened, *(file for file in loaded if file)}:
        path = Path(name).resolve()
        if not path.is_relative_to(PACKAGE) or path == Path(__file__).resolve():
            continue
        if path.is_relative_to(SHELF):
            specimen = path.relative_to(SHELF).parts[0]
            found.add(f"{_from_the_package(SHELF / specimen)}/")
        elif path.is_file() and path.suffix != ".pyc":
            found.add(_from_the_package(path))
    return sorted(found)


def _from_the_package(path: Path) -> str:
    return path.relative_to(PACKAGE.parent).as_posix()


def _take_down(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: it sees each `open`, and must never raise."""
    if event == "open" and isinstance(arguments[0], str | os.PathLike):
        name = str(arguments[0])
        if PACKAGE.name in name:
            _opened.add(name)


def main(out: str, what: str, *words: str) -> int:
    """Call a function by name, print what is wrong, and write what it stood on if nothing is."""
    watch()
    module, _, name = what.partition(":")
    wrong = getattr(import_module(module), name)(*words)
    for sentence in wrong:
        print(sentence)
    if not wrong:
        Path(out).write_text(json.dumps(stood_on()), encoding="utf-8")
    return int(bool(wrong))


if __name__ == "__main__":
    from mi_tutor import witness  # not this copy of the module, which is called __main__

    sys.exit(witness.main(*sys.argv[1:]))
