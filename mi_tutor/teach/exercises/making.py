"""Inputs for cases. Everything comes from the generator that a case is given."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mi_tutor.teach.exercise import Case, Handle
from mi_tutor.teach.session import seed_globally

GOES_ON = "whether a second call goes on with the generator as the first one left it"


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


def near_zero(tensor: Tensor, generator: torch.Generator, *, zero_row: bool = False) -> Tensor:
    """The same, but a third of the entries is small, of both signs; and the first row 0 if wanted.

    Half of these are about 0.001 in size, the others 0.0001: whoever counts either as 0 is told.
    """
    shape = tensor.shape
    small = uniform(generator, *shape, low=1e-3, high=1.9e-3, dtype=tensor.dtype)
    small = torch.where(uniform(generator, *shape) < 0.5, small, small / 10)
    small = torch.where(uniform(generator, *shape) < 0.5, small, -small)
    made = torch.where(uniform(generator, *shape) < 1 / 3, small, tensor)
    if zero_row:
        made[0] = 0
    return made


Cases = Callable[[torch.Generator], list[Case]]


def and_near_zero(
    cases: Cases, *names: str, zero_rows: tuple[str, ...] = (), positive: tuple[str, ...] = ()
) -> Cases:
    """These cases, and one like the first with entries near 0 in the named inputs (and a row of zeros in some)."""

    def more(generator: torch.Generator) -> list[Case]:
        made = cases(generator)
        inputs = dict(cases(generator)[0].inputs)
        for name in (*names, *positive):
            inputs[name] = near_zero(inputs[name], generator, zero_row=name in zero_rows)
            if name in positive:
                inputs[name] = inputs[name].abs()
        label = "a row of zeros, and numbers near 0" if zero_rows else "numbers near 0"
        return [*made, Case(label=label, inputs=inputs)]

    return more


def strided(tensor: Tensor) -> Tensor:
    """The same matrix in memory that is not contiguous: column by column. A clone keeps that."""
    return tensor.mT.contiguous().mT


def ordered(items: Iterable[Any], number: int) -> list[Any]:
    """The items in one of their other orders, never in their own.

    >>> [ordered("abc", number) for number in (0, 4, 5)]
    [['a', 'c', 'b'], ['c', 'b', 'a'], ['a', 'c', 'b']]
    """
    _, *others = itertools.permutations(items)
    return list(others[number % len(others)])


def fresh_generator(seed: int) -> Handle:
    """A seeded torch.Generator that was drawn from before, made anew for every run."""

    def made() -> torch.Generator:
        generator = torch.Generator().manual_seed(seed)
        torch.rand(3, generator=generator)
        return generator

    return Handle(f"torch.Generator with seed {seed}", made)


def run_with_generator(answer: Any, *, generator: torch.Generator, **inputs: Any) -> dict[str, Any]:
    """Call a function that draws random numbers; keep its result, whether all of it came from `generator`, and whether
    the next call would go on with it.

    It is called again with the same generator and other global seeds: the sample must be the same. It is called once
    more with the generator as the first call left it: one that sets the generator back leaves it there again.
    """
    before = generator.get_state()
    sample = answer(*inputs.values(), generator)
    after = generator.get_state()
    used = not torch.equal(before, after)
    generator.set_state(before)
    numpy_state = np.random.get_state()
    seed_globally(1)
    np.random.seed(1)
    again = answer(*inputs.values(), generator)
    np.random.set_state(numpy_state)
    generator.set_state(after)
    answer(*inputs.values(), generator)
    goes_on = not torch.equal(after, generator.get_state())
    same = not isinstance(sample, torch.Tensor) or torch.equal(sample, again)
    return {"sample": sample, "used": used and same, "goes on": goes_on}
