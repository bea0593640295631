"""What was handed in: folders, zips as Canvas, Moodle and Gradescope make them, nbgrader's tree, single files.

Whose a file is, by the first rule that fits its path (docs/teaching/grading.md says it in words).
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mi_tutor.classroom.archive import Refused, unpacked

_CHAPTER = re.compile(r"^(\d\d)_[a-z_]+")
_CANVAS = re.compile(r"^(?P<name>.+?)_(?:LATE_)?(?P<id>\d+)_(?P<number>\d+)_(?P<file>.+)$")
_MOODLE = re.compile(r"^(?P<name>.+)_(?P<id>\d+)_assignsubmission_file_?$")
_GRADESCOPE = re.compile(r"^submission_(?P<id>\d+)$")
_ENDING = re.compile(r"[-_ ]+\d\d_[a-z_]+(?:-\d+)?$")
_JUNK = {"__MACOSX", ".ipynb_checkpoints", ".git", "__pycache__"}
_JUNK_FILES = {".DS_Store", "Thumbs.db", "submission_metadata.yml", "timestamp.txt"}
MAX_NAME = 120


class Submission(NamedTuple):
    """One learner's file for one chapter. problem: why there is none to read, or ""."""

    learner: str
    file: Path
    shown: str
    time: float
    chapter: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """By which a result is found again."""
        return f"{self.learner}\n{self.chapter}"


def collect(places: Iterable[Path], work: Path) -> list[Submission]:
    """All submissions, one per learner and chapter, in the order of their names.

    Args:
        places: what was named on the command line. work: a folder for what is taken out of archives.
    """
    found: dict[str, list[Submission]] = {}
    for number, place in enumerate(places):
        for one in _of_place(place, work / str(number)):
            found.setdefault(one.learner, []).append(one)
    for learner, files in list(
        found.items()
    ):  # what lies beside a notebook is no learner of its own
        owner = PurePosixPath(files[0].shown).parts[0] if all(one.problem for one in files) else ""
        if owner != learner and any(not one.problem for one in found.get(owner, [])):
            found[owner] += found.pop(learner)
    chosen = [one for learner in found.values() for one in _newest(learner)]
    return sorted(chosen, key=lambda one: (one.learner.casefold(), one.learner, one.chapter))


def learner_of(path: PurePosixPath) -> str:
    """Whose a file is, by its path below the folder or archive that was named.

    >>> learner_of(PurePosixPath("submitted/ada/ps1/01_superposition.ipynb"))
    'ada'
    >>> learner_of(PurePosixPath("lovelaceada_LATE_17_99_01_superposition.ipynb"))
    'lovelaceada_17'
    >>> learner_of(PurePosixPath("Ada Lovelace_17_assignsubmission_file_/x.ipynb"))
    'Ada Lovelace_17'
    >>> learner_of(PurePosixPath("ada-01_superposition.ipynb"))
    'ada'
    """
    parts = [unicodedata.normalize("NFC", part) for part in path.parts]
    for part in parts[:-1]:
        if moodle := _MOODLE.match(part):
            return _short(f"{moodle['name']}_{moodle['id']}")
        if _GRADESCOPE.match(part):
            return _short(part)
    if "submitted" in parts[:-2]:
        return _short(parts[parts.index("submitted") + 1])
    if canvas := _CANVAS.match(parts[-1]):
        return _short(f"{canvas['name']}_{canvas['id']}")
    stem = PurePosixPath(parts[-1]).stem
    if len(parts) > 1 and _CHAPTER.match(stem):
        return _short(parts[0])
    return _short(_ENDING.sub("", stem) or stem)


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME else name[:MAX_NAME]


def _of_place(place: Path, work: Path) -> Iterator[Submission]:
    if place.is_dir():
        named = "submitted" if place.name == "submitted" else ""
        for file in sorted(place.rglob("*")):
            inside = PurePosixPath(named, *file.relative_to(place).parts)
            if file.is_symlink():
                yield _without(inside, "It is a link and was not followed.")
            elif file.is_dir():
                # What is in a closed one would be left out unsaid.
                open_to_us = os.access(file, os.R_OK | os.X_OK)
                if not open_to_us and not _JUNK & set(inside.parts):
                    yield _closed(inside)
            elif file.is_file() and file.suffix.lower() == ".zip":
                yield from _of_archive(file, work / file.stem)
            elif file.is_file():
                yield from _of_file(inside, file, file.stat().st_mtime)
    elif place.suffix.lower() == ".zip":
        yield from _of_archive(place, work)
    else:
        yield from _of_file(PurePosixPath(place.name), place, place.stat().st_mtime)


def _of_archive(place: Path, work: Path) -> Iterator[Submission]:
    try:
        for entry in unpacked(place, work):
            if entry.problem:
                yield _without(entry.name, entry.problem)
            else:
                yield from _of_file(entry.name, entry.file, entry.time)
    except Refused as refused:
        yield Submission(_short(place.stem), place, place.name, 0.0, problem=str(refused))


def _of_file(inside: PurePosixPath, file: Path, time: float) -> Iterator[Submission]:
    if _JUNK & set(inside.parts) or inside.name in _JUNK_FILES or inside.name.startswith("."):
        return
    if file.suffix.lower() != ".ipynb":
        yield _without(inside, "It is no notebook: a file that ends with .ipynb was expected.")
        return
    match = re.search(r"(?:^|[-_ ])(\d\d)_[a-z]", inside.name)
    chapter = match[1] if match else ""
    yield Submission(learner_of(inside), file, str(inside), time, chapter)


def _without(inside: PurePosixPath, problem: str) -> Submission:
    return Submission(learner_of(inside), Path(), str(inside), 0.0, problem=problem)


def _closed(inside: PurePosixPath) -> Submission:
    """A folder that may not be opened: as if a chapter was in it, since one may be."""
    return _without(inside / "00_folder", "This folder may not be opened.")._replace(
        shown=str(inside)
    )


def _newest(files: list[Submission]) -> Iterator[Submission]:
    """The newest of each chapter, with a note where there are more; problems only where nothing else is there.

    Notes name no file: a file's name often has its learner's in it, and `--anonymous` is to keep its promise.
    """
    good = [one for one in files if not one.problem]
    if not good:
        yield files[-1]
        return
    others = tuple(f"Another file was not read: {one.problem}" for one in files if one.problem)
    chapters = dict.fromkeys(one.chapter for one in good)
    for chapter in chapters:
        same = sorted((one for one in good if one.chapter == chapter), key=lambda one: one.time)
        notes = others
        if len(same) > 1:
            notes += (f"{len(same)} files were handed in; the newest counts.",)
        yield same[-1]._replace(notes=notes)
