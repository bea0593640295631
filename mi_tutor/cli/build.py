"""`mi-tutor build`: the notebooks from their sources, executed, measured or only checked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mi_tutor.cli.say import Trouble, complain, say

if TYPE_CHECKING:
    from pathlib import Path

    from mi_tutor.authoring.settings import Project


def run(
    chapters: list[str], check: bool, execute: bool, measure: bool, pictures: bool = False
) -> int:
    """Returns the exit code: 1 if something is stale or wrong, or if a cell failed; else 0."""
    from mi_tutor.authoring.execute import ExecutionFailed
    from mi_tutor.authoring.settings import find_project
    from mi_tutor.authoring.source import SourceError

    try:
        project = find_project()
        sources = _selected(project, chapters)
        if check:
            return _check(project, sources)
        _build(project)
        if chapters and not (execute or measure or pictures):
            say("All chapters are always built together.", "faint")
        if execute or measure:
            _execute(project, sources, write=execute, measure=measure)
        if pictures:
            _picture(sources)
        return 0
    except ExecutionFailed as error:
        complain(str(error))
        return 1
    except SourceError as error:
        raise Trouble(f"{error}. Nothing was written.") from None
    except OSError as error:
        where = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise Trouble(
            f"The build stopped: {where}. Files are replaced whole, so none is half written."
        ) from None
    except ValueError as error:
        raise Trouble(str(error)) from None


def _selected(project: Project, names: list[str]) -> list[Path]:
    """The sources that names such as "01" or "01_superposition" stand for; all if there are none."""
    from mi_tutor.authoring.source import find_sources

    sources = find_sources(project.source_dir)
    found = []
    for name in names:
        wanted = name.rpartition("/")[2].partition(".")[0]
        wanted = wanted.zfill(2) if wanted.isdigit() else wanted
        matches = [path for path in sources if wanted in (path.stem, path.stem[:2], path.stem[3:])]
        if not matches:
            raise Trouble(
                f"There is no source {name!r}. There are: {', '.join(path.stem for path in sources)}."
            )
        found += matches
    return found or sources


def _build(project: Project) -> None:
    from mi_tutor.authoring.build import build
    from mi_tutor.authoring.source import find_sources

    built = build(project.source_dir, project.chapters_dir, repository=project.repository)
    for path in built.written:
        say(f"written    {path.relative_to(project.root)}")
    for path, copy in built.kept:
        say(
            f"kept       {path.relative_to(project.root)} had been worked in: that is now {copy.name}",
            "note",
        )
    for path in built.to_execute:
        say(
            f"to do      {path.relative_to(project.root)}: run mi-tutor build --execute {path.stem}",
            "note",
        )
    if not (built.written or built.to_execute):
        say("All notebooks are as their sources make them.", "good")
    findings = _lint(find_sources(project.source_dir))
    for finding in findings:
        say(finding, "note")


def _picture(sources: list[Path]) -> None:
    """Draw the figures that have no picture yet."""
    from mi_tutor.authoring.pictures import course_draw, picture_file

    draw = course_draw()
    if draw is None:
        raise Trouble(
            'Figures are drawn with kaleido and a Chromium: pip install "mi_tutor[pictures]"'
        )
    for source in sources:
        done = picture_file(source.with_suffix(".ipynb"), draw)
        say(f"pictured   {source.stem}: {done.drawn} drawn, {done.kept} kept", "good")


def _lint(sources: list[Path]) -> list[str]:
    from mi_tutor.authoring.lint import lint
    from mi_tutor.authoring.registry import course_registry
    from mi_tutor.authoring.source import read_chapter

    return [
        str(finding) for path in sources for finding in lint(read_chapter(path), course_registry())
    ]


def _check(project: Project, sources: list[Path]) -> int:
    """Say what is stale or wrong, and write nothing."""
    from mi_tutor.authoring.build import render
    from mi_tutor.authoring.lint import lint_stubs
    from mi_tutor.authoring.stale import stale

    stems = {path.stem for path in sources}
    places = (project.source_dir, project.chapters_dir)
    rendered = [
        one for one in render(*places, repository=project.repository) if one.chapter.stem in stems
    ]
    found = _lint(sources)
    found += [
        str(f) for one in rendered for f in lint_stubs(one.notebooks.chapter, one.chapter_path)
    ]
    known = {path.stem for path in project.source_dir.glob("*.py")}
    for one in stale(*places, repository=project.repository):
        if one.path.stem in stems or one.path.stem not in known:
            found.append(str(one))
    for finding in found:
        complain(finding)
    if not found:
        say(f"{len(sources)} source(s) and their notebooks are in order.", "good")
    return 1 if found else 0


def _execute(project: Project, sources: list[Path], *, write: bool, measure: bool) -> None:
    from mi_tutor.authoring.additions import optional_minutes
    from mi_tutor.authoring.execute import execute
    from mi_tutor.authoring.recording import record_chapter
    from mi_tutor.authoring.registry import course_registry
    from mi_tutor.authoring.source import find_sources, read_chapter
    from mi_tutor.authoring.table import in_short, update_readme

    measured = {}
    for source in sources:
        started = time.time()
        done = execute(source, repository=project.repository, root=project.root, write=write)
        for sentence in record_chapter(project, done, started):
            complain(f"{source.stem}: {sentence}")
        measured[source.stem] = done
        say(f"executed   {source.stem}: {in_short(done)}", "good")
    if measure:
        every = [read_chapter(path) for path in find_sources(project.source_dir)]
        registry = course_registry()
        optional = {
            each.number: optional_minutes(registry.exercises(each.number)) for each in every
        }
        changed = update_readme(project.root / "README.md", every, measured, optional)
        say(
            "The README's table has the new figures."
            if changed
            else "The README's table stays as it is."
        )
