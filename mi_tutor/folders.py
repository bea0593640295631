"""Where things are: the course as it was shipped, and the workspace that somebody works in.

1. `course_folder` has `chapters/` and `solutions/`, which nobody works in: inside the package where a wheel was
   installed, the clone's own where the package stands in a clone.
2. `workspace_above` is a learner's folder, known by a file in it (`mi-tutor start` makes one).
3. `home_folder` keeps what belongs to a person and not to a folder.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
NOTEBOOK = re.compile(r"\d\d_\w+\.ipynb")
HIDDEN = ".mi_tutor"  # a workspace's own folder, beside its chapters
MARK = "workspace.json"
PROGRESS = "progress.jsonl"
_LAST = "workspace.txt"  # in the home folder: where the last workspace is


def course_folder() -> Path | None:
    """The folder of the shipped `chapters` and `solutions`; None if they were left out of the installation."""
    for folder in (PACKAGE / "course", PACKAGE.parent):
        if notebooks_in(folder / "chapters"):
            return folder
    return None


def notebooks_in(folder: Path) -> list[Path]:
    """The notebooks named like a chapter's, in order; none if there is no such folder."""
    found = folder.glob("[0-9][0-9]_*.ipynb")
    return sorted(path for path in found if NOTEBOOK.fullmatch(path.name))


def is_workspace(folder: Path) -> bool:
    """Whether `mi-tutor start` made this folder."""
    return (folder / HIDDEN / MARK).is_file()


def workspace_above(start: Path | None = None) -> Path | None:
    """The workspace that holds `start` (the current folder if None). Never raises: folders can be deleted."""
    try:
        here = (start or Path.cwd()).resolve()
        return next((folder for folder in (here, *here.parents) if is_workspace(folder)), None)
    except OSError:
        return None


def current_workspace() -> Path | None:
    """The workspace that holds the current folder, or else the one that was made last. None in a clone."""
    here = workspace_above()
    if here is not None:
        return here
    try:
        if any(notebooks_in(folder / "chapters") for folder in (Path.cwd(), *Path.cwd().parents)):
            return None
        last = Path((home_folder() / _LAST).read_text(encoding="utf-8"))
        return last if is_workspace(last) else None
    except (OSError, ValueError):
        return None


def remember(workspace: Path) -> None:
    """Make this the workspace that commands mean when they are given elsewhere. Never raises for the disk."""
    with contextlib.suppress(OSError):
        home_folder().mkdir(parents=True, exist_ok=True)
        (home_folder() / _LAST).write_text(str(workspace.resolve()), encoding="utf-8")


def home_folder() -> Path:
    """`MI_TUTOR_HOME` if it is set, else the user's data folder."""
    chosen = os.environ.get("MI_TUTOR_HOME")
    if chosen:
        return Path(os.path.abspath(os.path.expanduser(chosen)))  # noqa: PTH100, PTH111 (never raise)
    import platformdirs

    return Path(platformdirs.user_data_dir("mi_tutor", appauthor=False))
