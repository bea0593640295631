"""Open the transcoders of a whole model: one per layer, or a cross-layer transcoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.dictionaries import open_dictionary, told
from mi_tutor.specimens.opening.shelf import dictionary_names, specimen_path, transcoder_names

if TYPE_CHECKING:
    from mi_tutor.lab.tracing import Transcoders


def open_transcoders(name: str | Path, device: str = "cpu") -> Transcoders:
    """Transcoders of all layers of a model, ready to trace with, in float32.

    name: a shipped cross-layer transcoder ("atlas-clt"); "atlas-mlp" for the shipped ones of each layer,
        atlas-mlp0 to atlas-mlp4; or a folder that `mi_tutor.lab.tracing.save_clt` wrote.

    Raises SpecimenError if there are none of this name, or something in the files is damaged.

    >>> open_transcoders("atlas-mlp").n_layers
    5
    """
    from mi_tutor.lab.tracing import LayerTranscoders, open_clt
    from mi_tutor.specimens.opening.models import find_device

    place = find_device(device)
    layers = [f"{name}{i}" for i in range(len(dictionary_names()))]
    layers = [each for each in layers if each in dictionary_names()]
    if layers:
        return LayerTranscoders([open_dictionary(each, device) for each in layers])
    path = Path(name).expanduser()
    if name in transcoder_names():
        path = specimen_path(str(name))
    elif not path.is_dir():
        raise SpecimenError(
            f"There are no transcoders called {str(name)!r}. Shipped are {', '.join(transcoder_names())} and "
            "atlas-mlp (one per layer); a folder is opened by its path."
        )
    with told(name, "cannot be opened"):
        return open_clt(path, place)
