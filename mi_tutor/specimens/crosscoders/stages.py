"""A copy as it was on the way: atlas with what training had added after some steps, ready to be run."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from mi_tutor.lab.ground.plain import Affine, PlainTransformer
from mi_tutor.specimens.crosscoders.cutting import MATRICES, Deltas, read_stages
from mi_tutor.specimens.crosscoders.measures import plain
from mi_tutor.specimens.opening.models import load_network, quiet
from mi_tutor.specimens.opening.shelf import specimen_path


@torch.no_grad()
def open_stages(name: str = "atlas-learned") -> dict[int, PlainTransformer]:
    """A copy after some steps of its training, by step; without atlas itself, and without its end.

    >>> list(open_stages())
    [5, 10, 20, 40]
    """
    return {step: with_deltas(deltas) for step, deltas in read_stages(specimen_path(name)).items()}


@torch.no_grad()
def with_deltas(deltas: Deltas) -> PlainTransformer:
    """atlas with something added to its matrices, as its processed weights have it (`opening.models.PROCESSING`).

    A matrix that reads has the LayerNorm before it folded in; one that writes has mean 0 over d_model.
    """
    with quiet():
        stored = load_network(specimen_path("atlas")).transformer.h
    blocks = []
    for layer, (block, was) in enumerate(zip(plain("atlas").blocks, stored, strict=True)):
        qkv, out, mlp_in, mlp_out = (deltas[f"transformer.h.{layer}.{name}"] for name in MATRICES)
        blocks.append(
            block._replace(
                qkv=_reads(block.qkv, qkv, was.ln_1),
                out=_writes(block.out, out),
                mlp_in=_reads(block.mlp_in, mlp_in, was.ln_2),
                mlp_out=_writes(block.mlp_out, mlp_out),
            )
        )
    return replace(plain("atlas"), blocks=tuple(blocks))


def _reads(old: Affine, delta: Tensor, norm: torch.nn.LayerNorm) -> Affine:
    return Affine(old.W + norm.weight[:, None] * delta, old.b + norm.bias @ delta)


def _writes(old: Affine, delta: Tensor) -> Affine:
    return Affine(old.W + delta - delta.mean(dim=1, keepdim=True), old.b)
