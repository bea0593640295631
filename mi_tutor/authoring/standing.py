"""Records of runs that passed: what each stood on, so that it is run again only when some of that has changed.

A chapter with its claims, a specimen's card, an investigation's own answers and most tests give the same result
whenever their inputs are the same. A record in `records/` names these inputs, each with a digest: files that were
loaded or opened (`mi_tutor.witness`), specimens, code cells, versions. docs/decisions/0009 says why.
"""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from mi_tutor.authoring.ids import COLAB_ID
from mi_tutor.files import write_atomically

PACKAGES = ("numpy", "torch", "transformer-lens")
PICTURES = (".html", ".md")  # of a card: made from card.json, and read by people only
# How many of each kind are run though their records are current: with one commit a whole chapter, with another
# parts of several. Fixed, so that the suite does not grow with them; in turns, so that it stays quick.
SPOT_CHECKS = (
    {"chapters": 1, "cards": 2},
    {"exercises": 1, "investigations": 1, "cards": 2, "tests": 2},
)


class Name(NamedTuple):
    """Which run a record is about: ("chapters", "01_superposition"), ("cards", "atlas") ..."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    def path(self, root: Path) -> Path:
        """Where its record is, in the project at `root`."""
        return root / "records" / self.kind / f"{self.name}.json"


def versions() -> dict[str, str]:
    """Of what numbers hang on. A build's own part ("+cpu") is left out: it names a machine more than a number."""
    return {"python": "{}.{}".format(*sys.version_info)} | {one: _version(one) for one in PACKAGES}


@cache
def _version(package: str) -> str:
    return version(package).partition("+")[0]


def code_of(proof: NotebookNode) -> str:
    """The code and claim cells of a chapter, which is what a run of it hangs on; prose is not."""
    cells = (cell for cell in proof.cells if cell.cell_type == "code" and cell.id != COLAB_ID)
    return "\n".join(f"{cell.id}\n{cell.source}" for cell in cells)


def describe(root: Path, files: Iterable[str], cells: str = "") -> dict[str, str]:
    """Everything that a run stood on, as it is now: its name -> a digest, or a version.

    files: as `witness.stood_on` names them. cells: the text of a chapter's code and claim cells.
    """
    own = {"cells": _short(cells.encode())} if cells else {}
    return versions() | own | {name: _digest(root / name) for name in sorted(files)}


def edited_since(root: Path, files: Iterable[str], started: float) -> list[str]:
    """Which of the files were written after a run began: their digests are not of what it saw."""
    parts = {name: [root / name, *(root / name).glob("*")] for name in files}
    return [
        name
        for name, paths in parts.items()
        if any(path.is_file() and path.stat().st_mtime > started for path in paths)
    ]


def write(root: Path, name: Name, stood_on: Mapping[str, str]) -> bool:
    """Write the record of a run that passed. Returns whether the file changed.

    The seal is over all of it: two records that are merged line by line are that of a run that never was.
    """
    path = name.path(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {"what": str(name), "stood_on": dict(stood_on), "seal": _seal(name, stood_on)}
    return write_atomically(path, json.dumps(known, indent=1, ensure_ascii=False) + "\n")


def read(root: Path, name: Name) -> dict[str, str] | None:
    """What a run stood on when it passed; None if there is no record, or one that no run has written."""
    try:
        known = json.loads(name.path(root).read_text(encoding="utf-8"))
        stood_on, seal = dict(known["stood_on"]), known["seal"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return stood_on if seal == _seal(name, stood_on) else None


def changes(root: Path, name: Name, cells: str = "") -> list[str]:
    """What has changed since the recorded run, in words; empty if its record is current.

    root: the folder that holds `records` and the package `mi_tutor`.
    """
    known = read(root, name)
    if known is None:
        return ["there is no record of a run that passed"]
    now = versions()
    if cells or "cells" in known:
        now["cells"] = _short(cells.encode())
    now |= {one: _digest(root / one, known[one]) for one in known if one not in now}
    differ = [one for one in sorted(known.keys() | now.keys()) if known.get(one) != now.get(one)]
    if "python" in differ:  # other digests, too, since code is compared as that Python reads it
        return [f"python: {known.get('python')} -> {now['python']}"]
    return [_in_words(one, known, now) for one in differ]


def in_short(root: Path, name: Name) -> str:
    """ "96 files, 2 specimens, torch 2.13.0": what a record's run stood on."""
    known = read(root, name) or {}
    specimens = sum(one.endswith("/") for one in known)
    files = len(known) - specimens - len(versions()) - ("cells" in known)
    return f"{files} files, {specimens} specimens, torch {known.get('torch', '?')}"


def spot_checked(root: Path, current: Iterable[Name]) -> set[Name]:
    """Those that are run though their records are current: others with each commit, the same for one commit."""
    commit = tree_of(root)
    ordered = sorted(current, key=lambda name: _short(f"{commit} {name}".encode()))
    turn = SPOT_CHECKS[int(_short(f"{commit} turn".encode()), 16) % len(SPOT_CHECKS)]
    return {
        name
        for kind, number in turn.items()
        for name in [one for one in ordered if one.kind == kind][:number]
    }


@cache
def tree_of(root: Path) -> str:
    """The hash of the last commit's files; outside of git, of the records."""
    try:
        asked = ["git", "rev-parse", "HEAD^{tree}"]
        done = subprocess.run(asked, cwd=root, capture_output=True, text=True, check=True)
        return done.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        records = sorted((root / "records").rglob("*.json"))
        return _short(b"".join(path.read_bytes() for path in records))


def _in_words(one: str, known: Mapping[str, str], now: Mapping[str, str]) -> str:
    if one in PACKAGES:
        return f"{one}: {known.get(one)} -> {now.get(one)}"
    if one == "cells":
        return "the chapter's code or claims"
    return f"{one} is gone" if not now.get(one) else one


def _digest(path: Path, known: str = "") -> str:
    """Of a file or of a specimen's folder, the same on every machine; "" if it is not there.

    Python is compared as it is read: comments and layout do not count, docstrings do. Reading takes most of the
    time, so Python has two digests, and a file whose bytes are those of the `known` one is not read.
    """
    written = _as_written(path)
    if path.suffix != ".py" or not written:
        return written
    if known.partition(" ")[0] == written:
        return known
    read = _as_read(path)
    return known if known.partition(" ")[2] == read else f"{written} {read}"


@cache
def _as_written(path: Path) -> str:
    """Line endings never count."""
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix not in PICTURES)
        named = [f"{file.name} {_as_written(file)}" for file in files if file.name[0] != "."]
        return _short("\n".join(named).encode())
    return _short(_bytes(path)) if path.is_file() else ""


@cache
def _as_read(path: Path) -> str:
    data = _bytes(path)
    with suppress(SyntaxError):
        data = ast.dump(ast.parse(data)).encode()
    return _short(data)


def look_again() -> None:
    """At files that were read before: each is read once in a process."""
    _as_written.cache_clear()
    _as_read.cache_clear()


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    return data if b"\0" in data else data.replace(b"\r\n", b"\n")


def _seal(name: Name, stood_on: Mapping[str, str]) -> str:
    return _short(json.dumps([*name, sorted(stood_on.items())]).encode())


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
