"""Inputs for cases. Everything comes from the generator that a case is given."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.teach.exercise import Handle


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
    """The same values in memory that is not contiguous."""
    return torch.stack([tensor, torch.zeros_like(tensor)], dim=-1)[..., 0]


def fresh_generator(seed: int) -> Handle:
    """A seeded torch.Generator, made anew for every run."""
    return Handle(f"torch.Generator with seed {seed}", lambda: torch.Generator().manual_seed(seed))


def run_with_generator(answer: Any, *, generator: torch.Generator, **inputs: Any) -> dict[str, Any]:
    """Call a function that draws random numbers; keep its result and whether it used its generator."""
    before = generator.get_state()
    sample = answer(*inputs.values(), generator)
    return {"sample": sample, "used": not torch.equal(before, generator.get_state())}
