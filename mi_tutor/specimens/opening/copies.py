"""Copies of a shipped model that were trained on: the shelf has only what is different.

copy.json                   whose copy it is
difference.safetensors      for a matrix W of the base:  W + A B, as "transformer.h.0.attn.c_attn.A" and ".B"
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.files import check_weights, read_json
from mi_tutor.specimens.opening.shelf import specimen_names, specimen_path

if TYPE_CHECKING:
    from transformers import PreTrainedModel

DIFFERENCE = "difference.safetensors"


def base_of(directory: Path) -> Path:
    """The directory of the model that a copy is of; of another model its own."""
    if not (directory / "copy.json").is_file():
        return directory
    base = read_json(directory / "copy.json").get("base")
    if base not in specimen_names():
        raise SpecimenError(f"{directory.name!r} is a copy of {base!r}, which is no shipped model.")
    return specimen_path(base)


def add_difference(network: PreTrainedModel, directory: Path) -> None:
    """Turn the base's network into its copy; nothing for a directory that is no copy."""
    import torch
    from safetensors.torch import load_file

    if not (directory / "copy.json").is_file():
        return
    check_weights(directory / DIFFERENCE)
    factors = load_file(directory / DIFFERENCE)
    with torch.no_grad():
        for name in {key.rpartition(".")[0] for key in factors}:
            A, B = (factors[f"{name}.{part}"].float() for part in "AB")
            network.get_parameter(f"{name}.weight").add_(A @ B)
