"""Checkpoints: the weights of a specimen at several steps of its training, in one small file.

`checkpoints.safetensors` lies beside the model. It holds, for each step, the weights that training changed, in
half precision, under names like "000300/transformer.wte.weight". Which steps there are stands in its metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.files import check_weights
from mi_tutor.specimens.opening.shelf import specimen_path

if TYPE_CHECKING:
    from torch import Tensor, nn

FILE = "checkpoints.safetensors"


def checkpoint_steps(name: str | Path) -> list[int]:
    """The training steps at which a specimen can be opened, in rising order; the last is the finished model.

    Raises SpecimenError for a specimen that was shipped without checkpoints.

    >>> checkpoint_steps("induction-2l")[:4]
    [0, 10, 30, 100]
    """
    from safetensors import safe_open

    file = checkpoint_file(name if isinstance(name, Path) else specimen_path(name))
    with safe_open(file, "pt") as opened:
        return json.loads(opened.metadata()["steps"])


def load_checkpoint(network: nn.Module, directory: Path, step: int) -> None:
    """Give a network the weights that it had after `step` steps of training.

    Raises SpecimenError if there is no such checkpoint, with those that there are.
    """
    import torch
    from safetensors import safe_open

    steps = checkpoint_steps(directory)
    if step not in steps:
        raise SpecimenError(
            f"{directory.name!r} has no checkpoint at step {step!r}. It has: {', '.join(map(str, steps))}."
        )
    parameters, place = dict(network.named_parameters()), f"{step:06}/"
    with safe_open(checkpoint_file(directory), "pt") as opened, torch.no_grad():
        for name in opened.keys():  # noqa: SIM118
            if name.startswith(place):
                parameters[name.removeprefix(place)].copy_(opened.get_tensor(name))


def save_checkpoints(weights: Mapping[int, Mapping[str, Tensor]], directory: Path) -> None:
    """Write the weights of several steps, by step and by name, in half precision."""
    from safetensors.torch import save_file

    tensors = {
        f"{step:06}/{name}": tensor.half()
        for step, named in weights.items()
        for name, tensor in named.items()
    }
    save_file(tensors, directory / FILE, metadata={"steps": json.dumps(sorted(weights))})


def checkpoint_file(directory: Path) -> Path:
    """The file with a specimen's checkpoints, looked at; SpecimenError if there is none or it is damaged."""
    file = directory / FILE
    if not file.is_file():
        raise SpecimenError(f"{directory.name!r} comes without checkpoints of its training.")
    check_weights(file)
    return file
