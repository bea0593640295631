"""A crosscoder on disk: its weights as safetensors in half precision, and what they are for as JSON.

crosscoder.json                      the two models, the layer, how it was trained
crosscoder_weights.safetensors       W_enc, b_enc, W_dec, b_dec, threshold
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from mi_tutor.lab.crosscoders.model import Crosscoder
from mi_tutor.lab.dictionaries import JumpRelu, Relu

FILE, WEIGHTS = "crosscoder.json", "crosscoder_weights.safetensors"


def save_crosscoder(directory: Path, crosscoder: Crosscoder, about: Mapping[str, Any]) -> None:
    """Write a trained crosscoder: ReLU or, for what BatchTopK became, JumpReLU."""
    if not isinstance(crosscoder.kind, (Relu, JumpRelu)):
        raise ValueError(f"Only trained crosscoders are saved, not {crosscoder.kind}.")
    known = {"kind": crosscoder.kind.name} | dict(about)
    (directory / FILE).write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    halves = {name: each.half().contiguous() for name, each in crosscoder.tensors().items()}
    save_file(halves, directory / WEIGHTS)


def read_crosscoder(directory: Path, device: torch.device | str = "cpu") -> Crosscoder:
    """What `save_crosscoder` wrote, in float32."""
    known = json.loads((directory / FILE).read_text(encoding="utf-8"))
    tensors = {n: each.float() for n, each in load_file(directory / WEIGHTS).items()}
    kind = Relu() if known["kind"] == Relu.name else JumpRelu()
    return Crosscoder(**tensors, kind=kind).to(device)
