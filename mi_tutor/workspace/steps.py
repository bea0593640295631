"""Many files changed as one step, which can be undone.

1. What the step will replace is copied to `.mi_tutor/steps/NNNN-what/before`, with a note of what it is about.
2. The new files are written under other names: a full disk is noticed here, and nothing has happened yet.
3. Whoever saved one of the files in the meantime wins: the step is given up.
4. The new files are renamed, one after the other, which needs no space and takes no time.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from mi_tutor.files import free_name, stage
from mi_tutor.folders import HIDDEN
from mi_tutor.locks import SOFT, acquire

LOCK_SECONDS = 5.0
UNDONE = ".undone"


class WorkspaceError(Exception):
    """Something the learner can put right. A sentence: what was seen, what to try. Nothing was lost."""


class SavedMeanwhile(WorkspaceError):
    """A file was saved by another program while the step was prepared."""


class Undone(NamedTuple):
    """what: the step that was undone. kept: copies of files that had been changed after it."""

    what: str
    kept: list[Path]


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Only one command changes a workspace at a time.

    Raises:
        WorkspaceError: another one does, or the folder cannot be written.
    """
    from filelock import Timeout

    lock = root / HIDDEN / "lock"
    with told(root):
        lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            held = acquire(lock, LOCK_SECONDS)
        except Timeout as error:
            soft = Path(error.lock_file)
            rest = f" If there is none, delete {soft}." if soft.suffix == SOFT else ""
            raise WorkspaceError(
                f"Another mi-tutor command is at work in {root}. Wait until it is done, and try again.{rest}"
            ) from None
    try:
        yield
    finally:
        held.release()


@contextmanager
def told(root: Path) -> Iterator[None]:
    """The disk's errors as sentences."""
    try:
        yield
    except OSError as error:
        where = error.filename or root
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            problem = f"There is no space left for {where}. Make room, and try again."
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            problem = f"{where} cannot be written: allow it, or choose another folder."
        else:
            problem = f"{where}: {(error.strerror or str(error)).lower()}."
        raise WorkspaceError(f"{problem} Your notebooks are as they were.") from None


def carry_out(
    root: Path, what: str, changes: Mapping[Path, bytes | None], seen: Mapping[Path, bytes | None]
) -> None:
    """Change files of a workspace, all of them or none. Call it with the lock held.

    Args:
        root: the workspace.
        what: "update", ...: what is undone.
        changes: new contents by path; None removes a file.
        seen: what the changes were made from, for the files that somebody may save meanwhile.

    Raises:
        SavedMeanwhile: a file is no longer as `seen`.
        OSError: it could not be done. Everything is as it was.
    """
    before = {path: content_of(path) for path in changes}
    step = _new_step(root, what)
    try:
        _copy(root, step, before)
        _note(root, step, what, changes)
        _put(changes, before, seen)
    except BaseException:
        shutil.rmtree(step, ignore_errors=True)
        raise


def undo(root: Path) -> Undone:
    """Put back what the last update or reset replaced. Call it with the lock held.

    A file that was changed after the step is first copied to `name.kept-N.ipynb` beside it.

    Raises:
        WorkspaceError: there is nothing to undo.
    """
    done = [step for step in _steps(root) if (step / "step.json").exists()]
    done = [step for step in done if step.suffix != UNDONE and not step.name.endswith("-start")]
    if not done:
        raise WorkspaceError("There is nothing to undo here.")
    step = done[-1]
    about = json.loads((step / "step.json").read_text(encoding="utf-8"))
    changes: dict[Path, bytes | None] = {}
    kept = []
    for name, digest in about["after"].items():
        path = root / name
        now = content_of(path)
        saved = step / "before" / name
        if now is not None and _digest(now) != digest and name.endswith(".ipynb"):
            copy = free_name(path)
            changes[copy] = now
            kept.append(copy)
        changes[path] = content_of(saved)
    _put(changes, {path: content_of(path) for path in changes})
    step.rename(step.with_name(step.name + UNDONE))
    return Undone(about["what"], kept)


def content_of(path: Path) -> bytes | None:
    """What is in a file; None if there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _put(
    changes: Mapping[Path, bytes | None],
    before: Mapping[Path, bytes | None],
    seen: Mapping[Path, bytes | None] | None = None,
) -> None:
    """Write all files beside their places, look whether somebody saved one, and rename them."""
    staged: dict[Path, Path] = {}
    try:
        for path, data in changes.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if data is not None:
                staged[path] = stage(path, data)
        for path, data in (seen or {}).items():
            if content_of(path) != data:
                raise SavedMeanwhile(
                    f"{path.name} was saved by another program at this moment. Try again."
                )
        _rename(changes, staged, before)
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)


def _rename(
    changes: Mapping[Path, bytes | None],
    staged: Mapping[Path, Path],
    before: Mapping[Path, bytes | None],
) -> None:
    """Put staged files in their places; if one cannot be, the others go back."""
    done = []
    try:
        for path in changes:
            done.append(path)
            if path in staged:
                os.replace(staged[path], path)  # noqa: PTH105
            else:
                path.unlink(missing_ok=True)
    except OSError:
        for path in done:
            data = before[path]
            if data is None:
                path.unlink(missing_ok=True)
            elif content_of(path) != data:
                path.write_bytes(data)
        raise


def _steps(root: Path) -> list[Path]:
    return sorted((root / HIDDEN / "steps").glob("[0-9]*-*"))


def _new_step(root: Path, what: str) -> Path:
    last = [int(step.name.partition("-")[0]) for step in _steps(root)][-1:]
    step = root / HIDDEN / "steps" / f"{sum(last) + 1:04d}-{what}"
    step.mkdir(parents=True)
    return step


def _copy(root: Path, step: Path, before: Mapping[Path, bytes | None]) -> None:
    for path, data in before.items():
        if data is not None:
            copy = step / "before" / path.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            stage(copy, data).rename(copy)


def _note(
    root: Path,
    step: Path,
    what: str,
    changes: Mapping[Path, bytes | None],
) -> None:
    after = {
        path.relative_to(root).as_posix(): _digest(data) if data is not None else None
        for path, data in changes.items()
    }
    about = {"what": what, "time": datetime.now(UTC).isoformat(timespec="seconds"), "after": after}
    note = step / "step.json"
    stage(note, json.dumps(about, indent=1).encode()).rename(note)


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
