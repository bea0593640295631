"""With which options a folder of results was started: later runs take them up, and change none unnoticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mi_tutor.files import write_atomically

FILE = "run.json"
DEFAULTS: dict[str, Any] = {
    "secret": None, "draws": None, "partial": False, "exam": False, "cell_seconds": 120.0, "memory": 3.0,
    "due": None, "late_per_day": 10.0, "anonymous": False,
}  # fmt: skip
DECIDE = tuple(name for name in DEFAULTS if name != "anonymous")  # on marks, and on nothing else


class Differs(ValueError):
    """Options were given that would change marks. The message says which, and what to do."""


def settle(
    before: Mapping[str, Any] | None, said: Mapping[str, Any], change: bool = False
) -> dict[str, Any]:
    """The options of a run: what is said, or what its folder was started with.

    Args:
        before: what it was started with, if it was. said: by name; None where nothing was said. A secret is as
            `fingerprint` makes it. change: take what is said even where marks change with it.

    Raises:
        Differs: something else was said at the start, and it decides on marks.
    """
    said = {name: value for name, value in said.items() if value is not None}
    before = DEFAULTS | (before or said)
    other = [name for name in DECIDE if name in said and not _same(said[name], before[name])]
    if other and not change:
        started = ", ".join(f"{option(name)} {_shown(before[name])}" for name in other)
        asked = ", ".join(f"{option(name)} {_shown(said[name])}" for name in other)
        raise Differs(
            f"was started with {started}; {asked} would change marks. Leave it out to go on as it was started, "
            "add --change to mark everything by the new rule, or give another folder."
        )
    return before | said


def fingerprint(secret: bytes, file: Path | None = None) -> dict[str, str]:
    """What is kept of a secret: by which it is known again, and where it was read. Not the secret."""
    digest = hashlib.blake2b(secret, digest_size=16, person=b"mi_tutor secret")
    return {"print": digest.hexdigest(), "file": str(file.resolve()) if file else ""}


def read(folder: Path) -> dict[str, Any]:
    """What is known of a folder's run: "options", and "class", whose results the latest one has."""
    try:
        found = json.loads((folder / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def keep(folder: Path, **parts: Any) -> None:
    """Write down a part, and leave the others. The file is whole at any moment."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / FILE, json.dumps(read(folder) | parts, indent=1) + "\n")


def option(name: str) -> str:
    """As it is written on the command line.

    >>> option("late_per_day")
    '--late-per-day'
    """
    return "--" + name.replace("_", "-")


def told(options: Mapping[str, Any]) -> str:
    """Those that are not as if nothing was said, as they are written on the command line.

    >>> told(DEFAULTS | {"partial": True, "late_per_day": 5.0})
    '--partial --late-per-day 5.0'
    """
    other = {name: value for name, value in options.items() if value != DEFAULTS[name]}
    words = [
        option(name) if value is True else f"{option(name)} {_shown(value)}"
        for name, value in other.items()
        if not isinstance(value, dict) or value["file"]
    ]
    return " ".join(words)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):  # secrets: wherever the file lies
        return one.get("print") == other.get("print")
    return one == other


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return value.get("file") or "(one of its own)"
    return {None: "(nothing)", True: "yes", False: "no"}.get(value, str(value))
