"""`mi-tutor records`: what has passed and still stands, and running again what does not."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from mi_tutor.cli.say import Trouble, complain, say

if TYPE_CHECKING:
    from mi_tutor.authoring.settings import Project
    from mi_tutor.authoring.standing import Name


def show(words: list[str], make: bool, anew: bool) -> int:
    """Say what has changed since each run passed; with `make` run it again. 1 if a run fails, or one is to do."""
    from mi_tutor.authoring import recording
    from mi_tutor.authoring.settings import find_project

    try:
        project = find_project()
    except (FileNotFoundError, ValueError) as error:
        raise Trouble(str(error)) from None
    if make and not recording.is_here(project):
        raise Trouble(
            "mi_tutor is not imported from this clone, so its records cannot be made. pip install -e . mends it."
        )
    left = 0
    for name in _selected(recording.names(project), words):
        changed = recording.changes(project, name)
        if make and (changed or anew):
            left += not _made(project, name)
        elif changed:
            left += 1
            say(f"to run     {name}: {_few(changed)}", "note")
        else:
            say(f"stands     {name}", "good")
    if left and not make:
        say(
            "mi-tutor records --make runs what has to be run, and writes the records of what passes."
        )
    return int(left > 0)


def _made(project: Project, name: Name) -> bool:
    from mi_tutor.authoring import recording, standing

    standing.look_again()  # what was read for the run before may have been written since
    wrong = recording.run(project, name)
    for sentence in wrong:
        complain(f"{name}: {sentence}")
    if not wrong:
        say(f"passed     {name}", "good")
    return not wrong


def _selected(known: list[Name], words: list[str]) -> list[Name]:
    """Those that words such as "cards", "cards/atlas" or "01_superposition" mean; all if there are none."""
    found = []
    for word in words:
        matches = [name for name in known if word in (str(name), name.kind, name.name)]
        if not matches:
            raise Trouble(f"There is no run {word!r}. {_meant(word, known)}")
        found += matches
    return found or known


def _meant(word: str, known: list[Name]) -> str:
    """The runs that are spelled like a word; else which kinds there are."""
    names = {each for name in known for each in (str(name), name.kind, name.name)}
    if close := get_close_matches(word, sorted(names), n=4, cutoff=0.5):
        return f"Did you mean {' or '.join(close)}?"
    kinds = ", ".join(dict.fromkeys(name.kind for name in known))
    return f"There are {kinds}; without a name, `mi-tutor records` lists all of them."


def _few(changed: list[str], most: int = 3) -> str:
    more = f" and {len(changed) - most} more" if len(changed) > most else ""
    return ", ".join(changed[:most]) + more
