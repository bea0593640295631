"""Making the records of runs that passed (`authoring.standing`): which runs there are, and how each is made."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from mi_tutor import asking, witness
from mi_tutor.authoring import standing
from mi_tutor.authoring.execute import Executed, ExecutionFailed, execute
from mi_tutor.authoring.notebook import make_proof
from mi_tutor.authoring.registry import course_registry
from mi_tutor.authoring.settings import Project
from mi_tutor.authoring.source import find_sources, read_chapter
from mi_tutor.authoring.standing import Name
from mi_tutor.specimens.opening.shelf import shelf_names
from mi_tutor.subjects import SUBJECTS
from mi_tutor.teach.investigation import Investigation
from mi_tutor.teach.registry import exercises, get

# Runs that stand on a chapter's cells: as it is, and with other accepted answers in place of ours.
OF_CHAPTERS = ("chapters", "running")


def names(project: Project) -> list[Name]:
    """All runs that have a record, or could: chapters, once more with other right answers, cards, exercises ..."""
    stems = [path.stem for path in find_sources(project.source_dir)]
    chapters = [Name(kind, stem) for kind in OF_CHAPTERS for stem in stems]
    cards = [Name("cards", name) for name in shelf_names()]
    others = [Name("exercises", number) for number in SUBJECTS]
    asked = [item.slug for item in exercises() if isinstance(item, Investigation)]
    own = [Name("tests", name) for name in asking.runs_by_place(project.root)]
    return chapters + cards + others + [Name("investigations", slug) for slug in asked] + own


def is_here(project: Project) -> bool:
    """Whether the mi_tutor that runs is the project's own, which records are about."""
    return witness.PACKAGE.parent == project.root.resolve()


def cells_of(project: Project, name: Name) -> str:
    """A chapter's code and claims; nothing for what is no chapter."""
    if name.kind not in OF_CHAPTERS:
        return ""
    chapter = read_chapter(project.source_dir / f"{name.name}.py")
    return standing.code_of(make_proof(chapter, course_registry(), project.repository))


def changes(project: Project, name: Name) -> list[str]:
    """What has changed since the recorded run; empty if its record is current."""
    if not is_here(project):
        return [f"mi_tutor is imported from {witness.PACKAGE.parent}"]
    return standing.changes(project.root, name, cells_of(project, name))


def left_out(
    project: Project, asked: Iterable[tuple[str, str]], spot_checks: bool = True
) -> tuple[dict[Name, list[str]], set[Name]]:
    """What has changed for each of these runs, and which need not be run: all that stand but the spot checks."""
    changed = {name: changes(project, name) for name in dict.fromkeys(Name(*one) for one in asked)}
    current = {name for name, found in changed.items() if not found}
    chosen = standing.spot_checked(project.root, current) if spot_checks else set()
    return changed, current - chosen


def in_words(project: Project, name: tuple[str, str]) -> str:
    """ "cards/atlas stands as recorded, on 96 files, ...": why it is left out."""
    on = standing.in_short(project.root, Name(*name))
    return f"{'/'.join(name)} stands as recorded, on {on}"


def run(project: Project, name: Name) -> list[str]:
    """Run it, and write its record if it passes. Returns what is wrong, in sentences."""
    started = time.time()
    if name.kind == "chapters":
        source = project.source_dir / f"{name.name}.py"
        try:
            done = execute(source, repository=project.repository, root=project.root, write=False)
        except ExecutionFailed as error:
            return [str(error)]
        return record_chapter(project, done, started)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "stood_on.json")
        command = [sys.executable, "-m", "mi_tutor.witness", str(out), *_call(project, name)]
        done = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", cwd=project.root
        )
        if not out.exists():
            said = (done.stdout or done.stderr).strip().splitlines()
            return said or ["it stopped without a word"]
        return _record(project, name, json.loads(out.read_text(encoding="utf-8")), started)


def _call(project: Project, name: Name) -> list[str]:
    """The function that a process of the run's own calls, and its words."""
    if name.kind == "cards":
        return ["mi_tutor.specimens.recipes:broken", name.name]
    chapter = name.name[:2] if name.kind in ("exercises", "running") else ""
    if name.kind == "investigations":
        chapter = get(name.name).chapter
    places = map(str, asking.places_of(project.root, *name))
    return ["mi_tutor.asking:broken", str(project.root), str(name), chapter, *places]


def record_chapter(project: Project, done: Executed, started: float) -> list[str]:
    """Write the record of a chapter that was executed. Returns why not, if it cannot be."""
    name = Name("chapters", done.path.stem)
    return _record(project, name, done.stood_on, started) if is_here(project) else []


def _record(project: Project, name: Name, files: Iterable[str], started: float) -> list[str]:
    source = f"{project.source_dir.name}/{name.name}.py"  # its cells count, its prose does not
    files = [file for file in files if name.kind not in OF_CHAPTERS or file != source]
    edited = standing.edited_since(project.root, files, started)
    if edited:
        return [f"not recorded, since {', '.join(edited)} was written meanwhile: run it again"]
    described = standing.describe(project.root, files, cells_of(project, name))
    standing.write(project.root, name, described)
    return []
