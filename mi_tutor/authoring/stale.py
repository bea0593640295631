"""Are the notebooks on disk what the sources make? Each finding names the command that mends it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mi_tutor.authoring.build import Rendered, render, with_outputs_of
from mi_tutor.authoring.notebook import digest, is_untouched
from mi_tutor.authoring.registry import Registry
from mi_tutor.authoring.source import FILE_NAME
from mi_tutor.files import NotANotebook, notebook_text, read_notebook


class Stale(NamedTuple):
    """A notebook that is not what its source makes."""

    path: Path
    reason: str
    command: str

    def __str__(self) -> str:
        return f"{self.path.parent.name}/{self.path.name} {self.reason}: run {self.command}"


def stale(
    source_dir: Path,
    chapters_dir: Path,
    *,
    registry: Registry | None = None,
    repository: str = "",
) -> list[Stale]:
    """Everything that is out of date; empty if nothing is. Arguments and errors as for `build`."""
    rendered = render(source_dir, chapters_dir, registry=registry, repository=repository)
    found = [one for item in rendered for one in (_chapter(item), _solution(item)) if one]
    known = {path for item in rendered for path in (item.chapter_path, item.solution_path)}
    for folder in (chapters_dir, source_dir):
        for path in sorted(folder.glob("*.ipynb")):
            if path not in known and FILE_NAME.fullmatch(path.stem):
                found.append(Stale(path, "has no source", f"git rm {folder.name}/{path.name}"))
    return found


def _chapter(item: Rendered) -> Stale | None:
    path, fresh = item.chapter_path, item.notebooks.chapter
    if not path.exists():
        return Stale(path, "is missing", "make build")
    if path.read_bytes() == notebook_text(fresh).encode():
        return None
    try:
        found = read_notebook(path)
    except NotANotebook as error:
        return Stale(path, f"is not a notebook ({error})", "make build")
    if not is_untouched(found):
        reason = "has been worked in (your answers are safe: the build puts a copy beside it)"
    elif digest(found) == digest(fresh):
        reason = "has outputs or metadata that a build does not write"
    else:
        reason = "is older than its source"
    return Stale(path, reason, "make build")


def _solution(item: Rendered) -> Stale | None:
    path, fresh = item.solution_path, item.notebooks.solution
    if not path.exists():
        return Stale(path, "is missing", "make execute")
    refreshed = with_outputs_of(path, fresh)
    if refreshed is None:
        return Stale(path, "was not executed with the source's code", "make execute")
    if path.read_bytes() != notebook_text(refreshed).encode():
        return Stale(path, "differs from its source in prose or metadata", "make build")
    return None
