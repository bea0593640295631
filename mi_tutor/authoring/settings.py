"""The project's folders and its one setting, read from pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")


class Project(NamedTuple):
    """Where things are. `repository` is "owner/name" on GitHub, or empty."""

    root: Path
    repository: str

    @property
    def source_dir(self) -> Path:
        """Sources and executed solution notebooks."""
        return self.root / "solutions"

    @property
    def chapters_dir(self) -> Path:
        """What learners open."""
        return self.root / "chapters"


def find_project(start: Path | None = None) -> Project:
    """The project that holds `start` (the current folder if None).

    Raises:
        FileNotFoundError: no folder above has a pyproject.toml with a [tool.mi_tutor] table.
        ValueError: pyproject.toml cannot be read, or the repository is not written as owner/name.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if not file.is_file():
            continue
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("mi_tutor")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{file}: {error}") from None
        if table is not None:
            return Project(folder, checked_repository(table.get("repository", "")))
    raise FileNotFoundError(
        f"{here} is not in a clone of the course: no pyproject.toml with [tool.mi_tutor] above it"
    )


def checked_repository(repository: str) -> str:
    """The setting as it is, if it is empty or written as owner/name.

    Raises:
        ValueError: it is neither.

    >>> checked_repository("someone/mi_tutor")
    'someone/mi_tutor'
    """
    if repository and not (isinstance(repository, str) and _REPOSITORY.fullmatch(repository)):
        problem = f"[tool.mi_tutor] repository is {repository!r}"
        raise ValueError(f"{problem}; expected owner/name as on GitHub, or nothing")
    return repository
