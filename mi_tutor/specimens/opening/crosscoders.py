"""Open a crosscoder that ships with the course."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.shelf import crosscoder_names, specimen_path

if TYPE_CHECKING:
    from mi_tutor.lab.crosscoders import Crosscoder


def open_crosscoder(name: str | Path, device: str = "cpu") -> Crosscoder:
    """A shipped crosscoder by name, or one from a folder, in float32.

    Raises SpecimenError if there is none of this name, or its folder is damaged.

    >>> open_crosscoder("atlas-learned-crosscoder").d_sae
    256
    """
    from mi_tutor.lab.crosscoders import read_crosscoder
    from mi_tutor.specimens.opening.dictionaries import told
    from mi_tutor.specimens.opening.models import find_device

    directory = crosscoder_path(name)
    with told(name, "cannot be opened"):
        return read_crosscoder(directory, find_device(device))


def crosscoder_path(name: str | Path) -> Path:
    """The directory that a name stands for."""
    if name in crosscoder_names():
        return specimen_path(str(name))
    path = Path(name).expanduser()
    if not (path / "crosscoder.json").is_file():
        raise SpecimenError(
            f"There is no crosscoder called {str(name)!r}. Shipped are {', '.join(crosscoder_names())}; a folder "
            "is opened by its path."
        )
    return path
