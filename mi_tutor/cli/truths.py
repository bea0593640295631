"""A file of truths: by specimen, what was planted into it. Only who sealed them has one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mi_tutor.cli.say import Trouble
from mi_tutor.files import write_atomically

if TYPE_CHECKING:
    from mi_tutor.specimens.auditing import Secret

Truths = dict[str, dict[str, Any]]
OWN = 0o600


def read_truths(file: Path) -> Truths:
    """What is in it; whether it can be planted is asked by `secret_in`."""
    if not file.is_file():
        raise Trouble(f"There is no {file}.")
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError as error:  # not UTF-8, or not JSON
        raise Trouble(
            f"{file} is no file of truths as `mi-tutor seal` writes it: {error}"
        ) from None
    if not isinstance(found, dict):
        raise Trouble(f"{file} is no file of truths: expected names, and a secret for each.")
    return found


def write_truths(file: Path, truths: Truths) -> None:
    """Write them, for nobody else to read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, json.dumps(truths, indent=1, ensure_ascii=False) + "\n")
    file.chmod(OWN)


def secret_in(truths: Truths, name: str, file: Path) -> Secret:
    """The secret of one specimen."""
    from mi_tutor.specimens.auditing import read_secret

    if name not in truths:
        raise Trouble(f"{file} has no secret for {name}.")
    try:
        return read_secret(truths[name]["family"], truths[name]["parameters"])
    except (KeyError, TypeError, ValueError) as error:
        raise Trouble(f"{file} has no secret for {name} that can be planted: {error}") from None
