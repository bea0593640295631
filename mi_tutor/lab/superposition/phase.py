"""When is a feature dropped, superposed or given a dimension of its own? Theory for two features.

The smallest case of Elhage et al. 2022: two features, one hidden dimension. The first feature has
importance 1, the extra one has relative importance r; each is on with probability p (the density)
and then uniform in [0, 1). Three simple models compete, and the one with the lowest expected loss
tells the extra feature's fate. Derivations stand at the formulas.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor


class PhaseLosses(NamedTuple):
    """Expected loss of each candidate model, in the order of the fates 0, 1, 2."""

    dropped: Float[Tensor, "*grid"]
    superposed: Float[Tensor, "*grid"]
    dedicated: Float[Tensor, "*grid"]


def phase_losses(
    density: Float[Tensor, "*#grid"], relative_importance: Float[Tensor, "*#grid"]
) -> PhaseLosses:
    """Expected losses of the three candidate models.

    A feature that is not represented is best predicted by a constant, its mean p/2, at the price
    of its variance E[x²] - E[x]² = p/3 - p²/4 times its importance.

    - dropped, W = (1, 0): the extra feature is lost: r (p/3 - p²/4).
    - dedicated, W = (0, 1): the first feature is lost: p/3 - p²/4.
    - superposed, W = (1, -1), b = 0: ReLU(x_0 - x_1) and ReLU(x_1 - x_0) are exact while at most
      one feature is on. When both are (probability p²), each is wrong by the smaller of the two,
      and E[min(x_0, x_1)²] = ∫ t² · 2(1 - t) dt = 1/6: (1 + r) p²/6.

    Args:
        density: p in (0, 1], any shape that broadcasts with the other argument.
        relative_importance: r > 0, importance of the extra feature over that of the first.

    Raises:
        ValueError: if a density lies outside (0, 1] or an importance is not positive.

    >>> losses = phase_losses(torch.tensor(0.1), torch.tensor(2.0))
    >>> [round(loss.item(), 4) for loss in losses]
    [0.0617, 0.005, 0.0308]
    """
    if not bool(((density > 0) & (density <= 1)).all()):
        raise ValueError(
            f"density must lie in (0, 1]; saw values from {density.min():.3g} to "
            f"{density.max():.3g}. A sparsity S is the density 1 - S."
        )
    if not bool((relative_importance > 0).all()):
        raise ValueError(
            f"relative importance must be positive; saw {relative_importance.min():.3g}."
        )
    p, r = torch.broadcast_tensors(density, relative_importance)
    variance = p / 3 - p**2 / 4
    return PhaseLosses(dropped=r * variance, superposed=(1 + r) * p**2 / 6, dedicated=variance)


def phase_theory(
    density: Float[Tensor, "*#grid"], relative_importance: Float[Tensor, "*#grid"]
) -> Int[Tensor, "*grid"]:
    """The extra feature's fate by theory: 0 not represented, 1 superposed, 2 dedicated.

    >>> phase_theory(torch.tensor([1.0, 0.1, 1.0]), torch.tensor([0.1, 1.0, 10.0]))
    tensor([0, 1, 2])
    """
    return torch.stack(list(phase_losses(density, relative_importance))).argmin(dim=0)
