"""What an update will do to each file of a workspace, worked out before anything is written."""

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
    home_folder,
    is_workspace,
    notebooks_in,
)
from mi_tutor.workspace.cells import Cell, id_of
from mi_tutor.workspace.merging import Merged, merge
from mi_tutor.workspace.moving import Versions, carried
from mi_tutor.workspace.notebooks import as_bytes, notebook_or_none, parse
from mi_tutor.workspace.settings import settings_files
from mi_tutor.workspace.steps import content_of


@dataclass
class Report:
    """What a command did: notebooks that are new or newer, how many answers are in them, and what to know."""

    new: list[str] = field(default_factory=list)
    newer: list[str] = field(default_factory=list)
    answers: int = 0
    added: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class Plan:
    """Files to write, what they were made from, and what will be said."""

    changes: dict[Path, bytes | None] = field(default_factory=dict)
    seen: dict[Path, bytes | None] = field(default_factory=dict)
    report: Report = field(default_factory=Report)


def make_plan(root: Path, course: Path) -> Plan:
    plan = Plan()
    _move_renamed(plan, root, course)
    _plan_chapters(plan, root, course)
    record = _plan_solutions(plan, root, course)
    _plan_progress(plan, root)
    plan.changes |= settings_files(root)
    about = {"solutions": record}
    plan.changes[root / HIDDEN / MARK] = (json.dumps(about, indent=1) + "\n").encode()
    return plan


def _plan_chapters(plan: Plan, root: Path, course: Path) -> None:
    """Every chapter: first all are read, since an exercise can have moved from one to another."""
    sources = notebooks_in(course / "chapters")
    versions = {source.name: _read(plan, root, source) for source in sources}
    moved = carried(versions)
    for source in sources:
        with_it = moved.get(source.name, [])
        _plan_chapter(plan, root / "chapters" / source.name, versions[source.name], source, with_it)
    names = {id_of(cell): name for name, cells in moved.items() for cell in cells}
    for key, name in names.items():
        slug = key.partition("-")[2]
        plan.report.notes.append(f"{slug} is in {name} now, and your answer went with it.")


def _read(plan: Plan, root: Path, source: Path) -> Versions:
    """The three versions of a chapter. One that is broken is moved aside, and counts as missing."""
    path, base_path = root / "chapters" / source.name, root / HIDDEN / "base" / source.name
    fresh = source.read_bytes()
    data = plan.changes.get(path, content_of(path))
    base = plan.changes.get(base_path, content_of(base_path))
    plan.seen.setdefault(path, content_of(path))
    plan.changes[base_path] = fresh
    mine = None
    if data is not None and not data.strip():
        plan.report.notes.append(f"{source.name} was empty: it is there again.")
    elif data is not None:
        try:
            mine = parse(data, source.name)
        except NotANotebook as error:
            kept = free_name(path)
            plan.changes[kept] = data
            plan.report.notes.append(
                f"{error}. The file as it was is now {kept.name}; the chapter is there again."
            )
    return Versions(notebook_or_none(base, source.name), mine, parse(fresh, source.name))


def _plan_chapter(
    plan: Plan, path: Path, versions: Versions, source: Path, moved: list[Cell]
) -> None:
    mine = versions.mine
    if mine is None and not moved:
        plan.changes[path] = source.read_bytes()
        plan.report.new.append(path.name)
        return
    before = mine or versions.fresh
    theirs = {**before, "cells": [*before["cells"], *moved]}
    merged = merge(versions.base if mine else versions.fresh, theirs, versions.fresh)
    _say(plan.report, path.name, merged)
    if mine is None or merged.notebook["cells"] != mine["cells"]:
        plan.changes[path] = as_bytes(merged.notebook)
        (plan.report.newer if mine else plan.report.new).append(path.name)


def _say(report: Report, name: str, merged: Merged) -> None:
    report.answers += len(merged.answers)
    report.added += merged.added
    report.notes += [f"{name}: {conflict}" for conflict in merged.conflicts]
    if merged.gone:
        slugs = ", ".join(merged.gone)
        report.notes.append(
            f"{name}: this chapter has no {slugs} any more. Your answer stays, as a cell of your own."
        )
    if merged.back:
        report.notes.append(
            f"{name}: back again, since it had been deleted: {', '.join(merged.back)}."
        )


def _move_renamed(plan: Plan, root: Path, course: Path) -> None:
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


def _plan_solutions(plan: Plan, root: Path, course: Path) -> dict[str, str]:
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


def _plan_progress(plan: Plan, root: Path) -> None:
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
