"""Open a dictionary that ships with the course, or one that SAELens wrote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.shelf import (
    dictionary_names,
    no_such_specimen,
    specimen_names,
    specimen_path,
)

if TYPE_CHECKING:
    from mi_tutor.lab.dictionaries import Sae


def open_dictionary(
    name: str | Path, device: str = "cpu", norm_scaling_factor: float | None = None
) -> Sae:
    """A sparse autoencoder or transcoder, ready to encode and decode, in float32.

    name: a shipped one (`dictionary_names`), or the folder of one that SAELens 3 to 6 wrote.
    norm_scaling_factor: by which the training of a published one multiplied its input, where the file does not
        say it (`mi_tutor.lab.dictionaries.open_sae`).

    Read are autoencoders with ReLU, TopK, BatchTopK, JumpReLU and gates, and transcoders with ReLU and JumpReLU.
    Their latents and reconstructions are the original's. Whether they are fed what the original was fed, the file
    cannot tell: many published dictionaries were trained on activations of unprocessed weights, which differ from
    those of `open_specimen`. `mi_tutor.lab.dictionaries.check_means` compares, and `loss_recovered` asks it.

    Raises SpecimenError, with what to do, if there is none of this name, its folder is damaged, or it says or
    holds something that is not read: the field or the weight, its value, and what is read.

    >>> open_dictionary("atlas-attn2").d_sae
    320
    """
    from mi_tutor.lab.dictionaries import open_sae
    from mi_tutor.specimens.opening.models import find_device

    directory, place = dictionary_path(name), find_device(device)
    with told(name, "cannot be opened"):
        return open_sae(directory, place, norm_scaling_factor)


def dictionary_hook(name: str | Path) -> str:
    """The hook whose activation a dictionary reads, such as "blocks.2.hook_resid_pre".

    Raises SpecimenError if there is no such dictionary, or its file names no hook.

    >>> dictionary_hook("atlas-attn2")
    'blocks.2.hook_attn_out'
    """
    from mi_tutor.lab.dictionaries.saelens import saved_metadata

    directory = dictionary_path(name)
    with told(name, "cannot be read"):
        hook = saved_metadata(directory).get("hook_name")
    if not hook:
        raise SpecimenError(
            f"The dictionary {str(name)!r} does not say which activation it reads: its cfg.json has no hook_name. "
            "Look where it was published. open_dictionary opens it all the same, for activations that you give it."
        )
    return hook


@contextmanager
def told(name: str | Path, what: str) -> Iterator[None]:
    """Turn what can be wrong with a folder into a SpecimenError that names the dictionary."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise SpecimenError(f"The dictionary {str(name)!r} {what}. {error}") from error


def dictionary_path(name: str | Path) -> Path:
    """The directory that a name stands for. A string is a shipped dictionary, or a path if it looks like one."""
    if not isinstance(name, (str, Path)):
        raise TypeError(
            f"name should be a string or a path, like 'atlas-attn2', got a {type(name).__name__}."
        )
    if name in dictionary_names():
        return specimen_path(str(name))
    path = Path(name).expanduser()
    if isinstance(name, Path) or path.is_dir() or name.startswith((".", "~", "/")):
        return path
    if name in specimen_names():
        raise SpecimenError(
            f"{name!r} is a model, not a dictionary. Open it with open_specimen({name!r}). The dictionaries: "
            f"{', '.join(dictionary_names())}."
        )
    raise SpecimenError(no_such_specimen(name))
