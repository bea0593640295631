"""`mi-tutor start`, `update`, `undo`, `reset`: a learner's own folder."""

from __future__ import annotations

from pathlib import Path

from mi_tutor.cli.say import Trouble, say
from mi_tutor.folders import current_workspace, remember
from mi_tutor.workspace import folder as workspace
from mi_tutor.workspace.folder import Report
from mi_tutor.workspace.steps import WorkspaceError

RELOAD = "Notebooks that are open in JupyterLab: File > Reload Notebook from Disk."


def start(root: Path) -> None:
    """Make a workspace, and say what to do next."""
    try:
        report = workspace.start(root)
    except WorkspaceError as error:
        raise Trouble(str(error)) from None
    remember(root)
    say(f"{root} has the course: {_counted(len(report.new), 'new chapter')}.", "good")
    _tell(report)
    say("Open it: mi-tutor learn", "strong")


def update(root: Path | None) -> None:
    """Bring the installed course's chapters into a workspace."""
    found = _workspace(root)
    try:
        report = workspace.update(found)
    except WorkspaceError as error:
        raise Trouble(str(error)) from None
    if not (report.new or report.newer):
        say(f"{found} is up to date.", "good")
    else:
        changed = ", ".join([*report.new, *report.newer])
        say(f"Newer now in {found}: {changed}.", "good")
        say(
            f"{_counted(report.answers, 'answer')} kept. mi-tutor undo takes the update back.",
            "faint",
        )
    _tell(report)
    if report.newer:
        say(RELOAD)


def undo(root: Path | None) -> None:
    """Take the last step back."""
    found = _workspace(root)
    try:
        undone = workspace.undo(found)
    except WorkspaceError as error:
        raise Trouble(str(error)) from None
    say(f"The last {undone.what} is taken back.", "good")
    for path in undone.kept:
        say(f"What you did since then is in {path.name}.", "note")
    say(RELOAD)


def reset(slug: str, root: Path | None) -> None:
    """Give a stub back."""
    try:
        name = workspace.reset(_workspace(root), slug)
    except WorkspaceError as error:
        raise Trouble(str(error)) from None
    say(f"{slug} is empty again in {name}; your answer is kept below it.", "good")
    say(f"mi-tutor undo takes that back. {RELOAD}", "faint")


def _workspace(root: Path | None) -> Path:
    found = root.absolute() if root else current_workspace()
    if found is None:
        raise Trouble("There is no workspace here. Make one: mi-tutor start my-course")
    return found


def _tell(report: Report) -> None:
    if report.added:
        say(f"New exercises: {', '.join(report.added)}.")
    for note in report.notes:
        say(note, "note")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
