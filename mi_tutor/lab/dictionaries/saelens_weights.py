"""The weights of a dictionary's folder: known, whole, and of the shapes that its config tells."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from mi_tutor.lab.dictionaries.saelens_config import CONFIG, Description

WEIGHTS = "sae_weights.safetensors"
SHAPES = {  # of all weights that are read, in terms of a Description
    "W_enc": ("d_in", "d_sae"),
    "W_dec": ("d_sae", "d_out"),
    "b_enc": ("d_sae",),
    "b_dec": ("d_out",),
    "threshold": ("d_sae",),
    "log_threshold": ("d_sae",),
    "topk_threshold": (),
    "b_gate": ("d_sae",),
    "b_mag": ("d_sae",),
    "r_mag": ("d_sae",),
    "scaling_factor": ("d_sae",),
    "finetuning_scaling_factor": ("d_sae",),
}
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
Stored = dict[str, Tensor]


def read_weights(directory: Path, said: Description) -> Stored:
    """All weights by name, in float32.

    Raises FileNotFoundError or ValueError if there is no such file or it is damaged; if a weight is not known, has
    another shape than the config says, or is stored as something else than numbers with a point; and if a
    number is NaN or infinite.
    """
    file = directory / WEIGHTS
    if not file.is_file():
        others = ", ".join(sorted(f.name for f in directory.iterdir() if f.name != CONFIG))
        raise FileNotFoundError(
            f"There is no {WEIGHTS} in {str(directory)!r}, beside {CONFIG} only {others or 'nothing'}. Read are "
            "folders that SAELens wrote; other libraries name their files otherwise."
        )
    try:
        stored = load_file(file)
    except SafetensorError as error:
        raise ValueError(f"{file} is damaged or no safetensors file ({error}).") from error
    for name, value in stored.items():
        _check_shape(name, value, said)
        stored[name] = _finite(name, value)
    return stored


def _check_shape(name: str, value: Tensor, said: Description) -> None:
    if name not in SHAPES:
        raise ValueError(
            f"{WEIGHTS} holds {name} {list(value.shape)}, with which no dictionary here computes. Read are "
            f"{', '.join(SHAPES)}."
        )
    expected = [getattr(said, size) for size in SHAPES[name]]
    if list(value.shape) != expected:
        raise ValueError(
            f"{name} in {WEIGHTS} has the shape {list(value.shape)}, but by {CONFIG} it should be "
            f"[{' '.join(SHAPES[name])}] = {expected}."
        )


def _finite(name: str, value: Tensor) -> Tensor:
    """A weight in float32."""
    if value.dtype not in FLOATS:
        read = ", ".join(str(dtype).removeprefix("torch.") for dtype in FLOATS)
        raise ValueError(
            f"{name} in {WEIGHTS} is stored as {str(value.dtype).removeprefix('torch.')}. Read are {read}."
        )
    value = value.float()
    n_bad = int((~value.isfinite()).sum())
    if n_bad:
        raise ValueError(
            f"{n_bad:,} of {value.numel():,} numbers of {name} in {WEIGHTS} are NaN or infinite in float32: the "
            "file is damaged, or its training diverged."
        )
    return value
