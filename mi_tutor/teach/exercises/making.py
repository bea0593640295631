"""Inputs for cases. Everything comes from the generator that a case is given."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from mi_tutor.teach.exercise import Handle
from mi_tutor.teach.session import seed_globally


def normal(generator: torch.Generator, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Standard normal entries."""
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def uniform(
    generator: torch.Generator,
    *shape: int,
    low: float = 0.0,
    high: float = 1.0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Uniform entries in [low, high)."""
    draw = torch.rand(shape, generator=generator, dtype=torch.float64)
    return (low + (high - low) * draw).to(dtype)


def strided(tensor: Tensor) -> Tensor:
    """The same matrix in memory that is not contiguous: column by column. A clone keeps that."""
    return tensor.mT.contiguous().mT


def fresh_generator(seed: int) -> Handle:
    """A seeded torch.Generator, made anew for every run."""
    return Handle(f"torch.Generator with seed {seed}", lambda: torch.Generator().manual_seed(seed))


def run_with_generator(answer: Any, *, generator: torch.Generator, **inputs: Any) -> dict[str, Any]:
    """Call a function that draws random numbers; keep its result, and whether all of it came from `generator`.

    It is called a second time with the same generator and other global seeds: the sample must be the same.
    """
    before = generator.get_state()
    sample = answer(*inputs.values(), generator)
    used = not torch.equal(before, generator.get_state())
    generator.set_state(before)
    numpy_state = np.random.get_state()
    seed_globally(1)
    np.random.seed(1)
    again = answer(*inputs.values(), generator)
    np.random.set_state(numpy_state)
    same = not isinstance(sample, torch.Tensor) or torch.equal(sample, again)
    return {"sample": sample, "used": used and same}
