"""Integrated gradients of any function: the slope, averaged on the straight line between two points.

Sundararajan et al. 2017. With f the function, x where the line starts and x' where it ends,

    (x' - x) · ∫ from 0 to 1 of f'(x + t (x' - x)) dt

The entries add up to f(x') - f(x), whatever f is, up to the error of taking finitely many points.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def integrated_gradients(
    f: Callable[[Tensor], Tensor],
    start: Float[Tensor, "*axes"],
    end: Float[Tensor, "*axes"],
    n_steps: int = 10,
) -> Float[Tensor, "*axes"]:
    """(end - start) times the mean gradient of f at the midpoints of n_steps equal steps, entry by entry.

    f: from a tensor of this shape to one number.

    Raises ValueError for fewer than one step.

    >>> def saturated(x):
    ...     return x.clamp(max=1.0).sum()
    >>> integrated_gradients(saturated, torch.zeros(1), torch.tensor([4.0]), n_steps=8)
    tensor([1.])
    """
    if n_steps < 1:
        raise ValueError(f"n_steps should be at least 1, got {n_steps}.")
    total = torch.zeros_like(start)
    for step in range(n_steps):
        share = (step + 0.5) / n_steps
        here = (start + share * (end - start)).detach().requires_grad_()
        with torch.enable_grad():
            [gradient] = torch.autograd.grad(f(here), [here])
        total += gradient
    return (end - start) * total / n_steps
