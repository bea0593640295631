"""Open a dictionary that ships with the course, or any other in SAELens's format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.shelf import dictionary_names, no_such_specimen, specimen_path

if TYPE_CHECKING:
    from mi_tutor.lab.dictionaries import Sae


def open_dictionary(name: str | Path, device: str = "cpu") -> Sae:
    """A sparse autoencoder or transcoder, ready to encode and decode.

    name: a shipped one (`dictionary_names`), or the directory of one in SAELens's format.

    Raises SpecimenError, with what to do, if there is none of this name, or its directory is damaged.
    """
    from mi_tutor.lab.dictionaries import open_sae

    try:
        return open_sae(dictionary_path(name), device)
    except (OSError, ValueError) as error:
        raise SpecimenError(f"The dictionary {str(name)!r} cannot be opened. {error}") from error


def dictionary_hook(name: str | Path) -> str:
    """The hook whose activation a dictionary reads, such as "blocks.2.hook_resid_pre"."""
    from mi_tutor.lab.dictionaries.saelens import saved_metadata

    return saved_metadata(dictionary_path(name))["hook_name"]


def dictionary_path(name: str | Path) -> Path:
    """The directory that a name stands for. A string is a shipped dictionary, or a path if it looks like one."""
    if name in dictionary_names():
        return specimen_path(str(name))
    path = Path(name).expanduser()
    if isinstance(name, Path) or path.is_dir() or str(name).startswith((".", "~", "/")):
        return path
    raise SpecimenError(no_such_specimen(str(name)))
