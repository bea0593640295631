"""A learner's workspace: `chapters` to work in, `solutions` to read, and `.mi_tutor` with what keeps them safe.

In `.mi_tutor`: `base`, the chapters as they were laid in (what a later version is compared with); `steps`, what
each command replaced; progress; JupyterLab's defaults; and `workspace.json`, by which the folder is known.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mi_tutor.files import NotANotebook, free_name
from mi_tutor.folders import (
    HIDDEN,
    MARK,
    PROGRESS,
    course_folder,
    home_folder,
    is_workspace,
    notebooks_in,
)
from mi_tutor.workspace.cells import Notebook, key_of, shipped
from mi_tutor.workspace.merging import Merged, merge
from mi_tutor.workspace.notebooks import as_bytes, parse
from mi_tutor.workspace.resetting import reset_cell
from mi_tutor.workspace.settings import settings_files
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


@dataclass
class Report:
    """What a command did: notebooks that are new or newer, how many answers are in them, and what to know."""

    new: list[str] = field(default_factory=list)
    newer: list[str] = field(default_factory=list)
    answers: int = 0
    added: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Plan:
    """Files to write, what they were made from, and what will be said."""

    changes: dict[Path, bytes | None] = field(default_factory=dict)
    seen: dict[Path, bytes | None] = field(default_factory=dict)
    report: Report = field(default_factory=Report)


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
            base = _notebook(root / HIDDEN / "base" / path.name)
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
            plan = _plan(root, _course())
            try:
                if any(content_of(path) != data for path, data in plan.changes.items()):
                    carry_out(root, what, plan.changes, plan.seen)
                return plan.report
            except SavedMeanwhile:
                if last:
                    raise
    raise AssertionError("the last try returns or raises")


def _plan(root: Path, course: Path) -> _Plan:
    plan = _Plan()
    _move_renamed(plan, root, course)
    for source in notebooks_in(course / "chapters"):
        _plan_chapter(plan, root, source)
    record = _plan_solutions(plan, root, course)
    _plan_progress(plan, root)
    plan.changes |= settings_files(root)
    about = {"solutions": record}
    plan.changes[root / HIDDEN / MARK] = (json.dumps(about, indent=1) + "\n").encode()
    return plan


def _plan_chapter(plan: _Plan, root: Path, source: Path) -> None:
    path, base_path = root / "chapters" / source.name, root / HIDDEN / "base" / source.name
    fresh = source.read_bytes()
    data = plan.changes.get(path, content_of(path))
    plan.seen.setdefault(path, content_of(path))
    base = plan.changes.get(base_path, content_of(base_path))
    plan.changes[base_path] = fresh
    report = plan.report
    if data is None or not data.strip():
        plan.changes[path] = fresh
        report.new.append(source.name)
        if data is not None:
            report.notes.append(f"{source.name} was empty: it is there again.")
        return
    try:
        mine = parse(data, source.name)
    except NotANotebook as error:
        kept = free_name(path)
        plan.changes |= {kept: data, path: fresh}
        report.new.append(source.name)
        report.notes.append(
            f"{error}. The file as it was is now {kept.name}; the chapter is there again."
        )
        return
    old = parse(base, source.name) if base is not None else None
    merged = merge(old, mine, parse(fresh, source.name))
    _say(report, source.name, merged)
    if merged.notebook["cells"] != mine["cells"]:
        plan.changes[path] = as_bytes(merged.notebook)
        report.newer.append(source.name)


def _say(report: Report, name: str, merged: Merged) -> None:
    report.answers += len(merged.answers)
    report.added += merged.added
    report.notes += [f"{name}: {conflict}" for conflict in merged.conflicts]
    if merged.gone:
        slugs = ", ".join(merged.gone)
        report.notes.append(
            f"{name}: the course has no {slugs} any more. Your answer stays, as a cell of your own."
        )
    if merged.back:
        report.notes.append(
            f"{name}: back again, since it had been deleted: {', '.join(merged.back)}."
        )


def _move_renamed(plan: _Plan, root: Path, course: Path) -> None:
    """A chapter that has another name now, but the same number: the learner's notebook takes the name, too."""
    names = {path.name for path in notebooks_in(course / "chapters")}
    for base in notebooks_in(root / HIDDEN / "base"):
        same = [name for name in names if name[:2] == base.name[:2]]
        new = root / "chapters" / same[0] if same else None
        old = root / "chapters" / base.name
        if base.name not in names and new and not new.exists() and old.is_file():
            plan.seen |= {old: content_of(old), new: None}
            plan.changes |= {new: content_of(old), old: None}
            plan.changes |= {base.with_name(new.name): content_of(base), base: None}
            plan.report.notes.append(f"{base.name} is called {new.name} now.")


def _plan_solutions(plan: _Plan, root: Path, course: Path) -> dict[str, str]:
    """Solutions are ours: they are replaced. One that the learner wrote in is moved aside first.

    Returns:
        A fingerprint of each, by name: how the next update will know.
    """
    about = _about(root).get("solutions", {})
    record = {}
    for source in notebooks_in(course / "solutions"):
        path = root / "solutions" / source.name
        fresh, data = source.read_bytes(), content_of(path)
        record[source.name] = hashlib.blake2b(fresh, digest_size=16).hexdigest()
        if data is not None and data != fresh:
            if hashlib.blake2b(data, digest_size=16).hexdigest() != about.get(source.name):
                kept = free_name(path)
                plan.changes[kept] = data
                plan.report.notes.append(
                    f"You had changed solutions/{source.name}: that is now {kept.name}."
                )
            plan.seen[path] = data
        plan.changes[path] = fresh
    return record


def _plan_progress(plan: _Plan, root: Path) -> None:
    """What somebody passed before they had a workspace comes along."""
    path, before = root / HIDDEN / PROGRESS, content_of(home_folder() / PROGRESS)
    if before and not is_workspace(root) and not path.exists():
        plan.changes[path] = before
        plan.report.notes.append("Your progress so far came along.")


def _about(root: Path) -> dict[str, Any]:
    try:
        about = json.loads((root / HIDDEN / MARK).read_text(encoding="utf-8"))
        return about if isinstance(about, dict) else {}
    except (OSError, ValueError):
        return {}


def _course() -> Path:
    course = course_folder()
    if course is None:
        raise WorkspaceError(
            "mi_tutor was installed without its notebooks. Install it again: "
            "pip install --force-reinstall mi_tutor"
        )
    return course


def _notebook(path: Path) -> Notebook | None:
    data = content_of(path)
    return parse(data, path.name) if data is not None else None


def _mine(name: str, data: bytes | None) -> Notebook:
    try:
        return parse(data or b"", name)
    except NotANotebook as error:
        raise WorkspaceError(f"{error}. mi-tutor update puts the chapter back.") from None
