"""What tells the two models without labels apart: swaps in their own means, and what does not."""

from __future__ import annotations

import functools

import torch

from mi_tutor.lab.swaps import means_at, readable, streams, swap_batches
from mi_tutor.specimens.atlas import suspects

N_TARGETS = 3


@functools.cache
def best_swap(letter: str) -> float:
    """The success of swapping states in a model, in the layer where it is largest."""
    model, batches = suspects().models[letter], suspects().batches
    with torch.no_grad():
        means = means_at(model, batches)
    return max(
        swap_batches(model, batches, means[layer], layer, N_TARGETS).success
        for layer in range(len(model.blocks))
    )


@functools.cache
def random_swap(letter: str) -> float:
    """The same with random directions of the same norm, before layer 2."""
    model, batches = suspects().models[letter], suspects().batches
    with torch.no_grad():
        means = means_at(model, batches)
    return swap_batches(model, batches, means[2], 2, N_TARGETS, random_seed=0).success


@functools.cache
@torch.no_grad()
def reading(letter: str) -> float:
    """How well the state is read at the names' ends, before layer 2, by means of every other question."""
    model, batches = suspects().models[letter], suspects().batches
    x = torch.cat(
        [streams(model, b.tokens)[2, torch.arange(len(b.tokens)), b.places] for b in batches]
    )
    classes = torch.cat([b.classes for b in batches])
    return readable(x[::2], classes[::2], x[1::2], classes[1::2]).item()


def composes() -> str:
    """The letter of the model in which swaps work."""
    return max(suspects().models, key=best_swap)
