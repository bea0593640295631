"""A copy's training on disk: what had been added to each matrix after a few steps, small enough to ship.

stages.safetensors     for each stage  "000010/factors" and "000010/scales"

Each difference is cut to its largest singular directions (two or three) and kept as factors A [in rank], B [rank
out], in steps of 1/127 of each direction's largest entry. All matrices' factors lie in one row, block by block in
the order of `MATRICES`. Cut so, a stage of `atlas-learned` is off by at most .05 nats (KL) in orders; it differs
from atlas there by .6 to 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Float, Int8
from safetensors.torch import load_file, save_file
from torch import Tensor

from mi_tutor.specimens.opening.files import check_weights
from mi_tutor.specimens.opening.models import load_network, quiet
from mi_tutor.specimens.opening.shelf import specimen_path

MATRICES = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
STAGES = "stages.safetensors"
STEPS = 127  # of int8, to either side
Deltas = dict[str, Tensor]  # what is added to a matrix, by its name in the network


@cache
def matrices() -> tuple[tuple[str, int, int], ...]:
    """Name and shape of all matrices that a copy changes, in the order in which factors are stored."""
    with quiet():
        blocks = load_network(specimen_path("atlas")).transformer.h
    found = []
    for layer, block in enumerate(blocks):
        for name in MATRICES:
            n_in, n_out = block.get_submodule(name).weight.shape
            found.append((f"transformer.h.{layer}.{name}", n_in, n_out))
    return tuple(found)


def save_stages(directory: Path, stages: Mapping[int, tuple[int, Deltas]]) -> None:
    """Write step -> (rank, what had been added by then)."""
    found = {}
    for step, (rank, deltas) in stages.items():
        factors, scales = zip(*(cut(deltas[name], rank) for name, _, _ in matrices()), strict=True)
        found[f"{step:06}/factors"] = torch.cat(factors)
        found[f"{step:06}/scales"] = torch.stack(scales)
    save_file(found, directory / STAGES)


def cut(
    delta: Float[Tensor, "n_in n_out"], rank: int
) -> tuple[Int8[Tensor, entry], Float[Tensor, "side rank"]]:
    """The largest singular directions, half of each value on either side: small whole numbers, and their units."""
    U, S, Vh = torch.linalg.svd(delta, full_matrices=False)
    half = S[:rank, None].sqrt()
    sides = half * U[:, :rank].mT, half * Vh[:rank]
    units = torch.stack([side.abs().amax(dim=1) / STEPS for side in sides])
    pairs = zip(sides, units.clamp_min(1e-12), strict=True)
    rounded = [(side / unit[:, None]).round().to(torch.int8) for side, unit in pairs]
    return torch.cat([each.flatten() for each in rounded]), units


def read_stages(directory: Path) -> dict[int, Deltas]:
    """What `save_stages` wrote: for each step what had been added to each matrix."""
    check_weights(directory / STAGES)
    stored, found = load_file(directory / STAGES), {}
    for step in sorted({name.split("/")[0] for name in stored}):
        factors, units = (stored[f"{step}/{part}"].float() for part in ("factors", "scales"))
        rank = units.shape[-1]
        sizes = [rank * n for _, n_in, n_out in matrices() for n in (n_in, n_out)]
        sides = [each.view(rank, -1) for each in factors.split(sizes)]
        scaled = [
            side * unit[:, None] for side, unit in zip(sides, units.flatten(0, 1), strict=True)
        ]
        names = (name for name, _, _ in matrices())
        found[int(step)] = {
            name: A.mT @ B for name, A, B in zip(names, scaled[::2], scaled[1::2], strict=True)
        }
    return found
