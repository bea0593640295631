"""A learner's workspace: `chapters` to work in, `solutions` to read, and `.mi_tutor` with what keeps them safe.

In `.mi_tutor`: `base`, the chapters as they were laid in (what a later version is compared with); `steps`, what
each command replaced; progress; JupyterLab's defaults; and `workspace.json`, by which the folder is known.
"""

from __future__ import annotations

from pathlib import Path

from mi_tutor.files import NotANotebook
from mi_tutor.folders import HIDDEN, course_folder, is_workspace, notebooks_in
from mi_tutor.workspace.cells import Notebook, key_of, shipped
from mi_tutor.workspace.notebooks import as_bytes, notebook_or_none, parse
from mi_tutor.workspace.planning import Report, make_plan
from mi_tutor.workspace.resetting import reset_cell
from mi_tutor.workspace.steps import (
    SavedMeanwhile,
    Undone,
    WorkspaceError,
    alone,
    carry_out,
    content_of,
    told,
)
from mi_tutor.workspace.steps import undo as undo_step

TRIES = 3


def start(root: Path) -> Report:
    """Make a workspace, or bring the one that is there up to date.

    Notebooks of the course that are there already are taken in as they are, answers and all.

    Raises:
        WorkspaceError: the sentence says what to do; nothing was changed.
    """
    root = root.absolute()
    course = _course()
    if root.resolve() == course or (root.resolve() / "mi_tutor" / "__init__.py").exists():
        raise WorkspaceError(f"{root} is the course itself. Choose a folder of your own.")
    if root.exists() and not root.is_dir():
        raise WorkspaceError(f"{root} is a file. Choose a folder.")
    with told(root):
        root.mkdir(parents=True, exist_ok=True)
    return _bring_up_to_date(root, "update" if is_workspace(root) else "start")


def update(root: Path) -> Report:
    """Bring the installed course's chapters in. No answer is lost: see `merging`.

    Raises:
        WorkspaceError: the sentence says what to do; nothing was changed.
    """
    if not is_workspace(root):
        raise WorkspaceError(f"{root} is not a workspace. Make one: mi-tutor start FOLDER")
    return _bring_up_to_date(root.absolute(), "update")


def undo(root: Path) -> Undone:
    """Put back what the last `update` or `reset` replaced."""
    with told(root), alone(root):
        return undo_step(root)


def reset(root: Path, slug: str) -> str:
    """Give an exercise its stub back, or a quick check its question mark. The old answer is kept below it.

    Returns:
        The name of the notebook.

    Raises:
        WorkspaceError: there is no such exercise in the workspace, or it is not answered.
    """
    with told(root), alone(root):
        for path in notebooks_in(root / "chapters"):
            base = notebook_or_none(content_of(root / HIDDEN / "base" / path.name), path.name)
            keys = {one.key: one for one in shipped(base)}
            one = keys.get(key_of("exercise", slug)) or keys.get(key_of("quiz", slug))
            if one is None:
                continue
            data = content_of(path)
            changed = reset_cell(base, _mine(path.name, data), one)
            carry_out(root, "reset", {path: as_bytes(changed)}, {path: data})
            return path.name
    raise WorkspaceError(f"No chapter here has an exercise or quick check {slug!r}.")


def _bring_up_to_date(root: Path, what: str) -> Report:
    with told(root), alone(root):
        for last in (False,) * (TRIES - 1) + (True,):
            plan = make_plan(root, _course())
            try:
                if any(content_of(path) != data for path, data in plan.changes.items()):
                    carry_out(root, what, plan.changes, plan.seen)
                return plan.report
            except SavedMeanwhile:
                if last:
                    raise
    raise AssertionError("the last try returns or raises")


def _course() -> Path:
    course = course_folder()
    if course is None:
        raise WorkspaceError(
            "mi_tutor was installed without its notebooks. Install it again: "
            "pip install --force-reinstall mi_tutor"
        )
    return course


def _mine(name: str, data: bytes | None) -> Notebook:
    try:
        return parse(data or b"", name)
    except NotANotebook as error:
        raise WorkspaceError(f"{error}. mi-tutor update puts the chapter back.") from None
