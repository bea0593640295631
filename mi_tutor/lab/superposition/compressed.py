"""Compressed sensing: reading sparse features back out of a crowded space.

A vector of n features with only k of them on is squeezed into d < n dimensions, y = x @ directions.
If the directions are almost orthogonal and k is small, y still determines x. A ReLU model reads
its features out in one step; orthogonal matching pursuit takes k steps and gets further.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def matching_pursuit(
    y: Float[Tensor, "batch dimension"],
    directions: Float[Tensor, "feature dimension"],
    n_nonzero: int,
) -> Float[Tensor, "batch feature"]:
    """Sparse x with x @ directions ≈ y, by orthogonal matching pursuit (Pati et al. 1993).

    Repeat `n_nonzero` times: pick the direction that points most along what is still unexplained,
    then refit all picked ones together by least squares.

    Args:
        y: the squeezed vectors.
        directions: one unit vector per feature.
        n_nonzero: how many features to switch on, from 1 to the number of dimensions.

    Raises:
        ValueError: if n_nonzero is out of range.

    >>> directions = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    >>> matching_pursuit(torch.tensor([[1.2, 1.6]]), directions, n_nonzero=1)
    tensor([[0., 0., 2.]])
    """
    n_features, d = directions.shape
    if not 1 <= n_nonzero <= min(d, n_features):
        raise ValueError(
            f"n_nonzero must lie between 1 and {min(d, n_features)}, as {d} dimensions determine "
            f"no more numbers; saw {n_nonzero}."
        )
    picked: Int[Tensor, "batch picked"] = torch.empty(len(y), 0, dtype=torch.long, device=y.device)
    residual = y
    for _ in range(n_nonzero):
        match = (residual @ directions.T).abs().scatter(1, picked, -1.0)
        picked = torch.cat([picked, match.argmax(dim=1, keepdim=True)], dim=1)
        basis = directions[picked].mT
        coefficients = torch.linalg.lstsq(basis, y.unsqueeze(2)).solution
        residual = y - (basis @ coefficients).squeeze(2)
    return y.new_zeros(len(y), n_features).scatter(1, picked, coefficients.squeeze(2))


def recovery_rate(
    n_features: int, d: int, n_nonzero: int, n_trials: int, generator: torch.Generator
) -> float:
    """How often matching pursuit finds x again from d random projections, as a share of trials.

    Each trial draws its own k features that are on, magnitudes uniform in [0.1, 1); all trials
    share one set of random directions. Found again means every entry is right to 0.001.

    Args:
        n_features: length n of x.
        d: dimensions it is squeezed into.
        n_nonzero: k, how many features are on.
        n_trials: how many vectors to try.
        generator: source of randomness, on the device to compute on.

    Raises:
        ValueError: if n_nonzero is out of range, see `matching_pursuit`.

    >>> from mi_tutor.lab.ground.device import seeded
    >>> recovery_rate(n_features=50, d=25, n_nonzero=1, n_trials=100, generator=seeded(0))
    1.0
    """
    like = {"generator": generator, "device": generator.device, "dtype": torch.float64}
    directions = torch.randn(n_features, d, **like)
    directions /= directions.norm(dim=1, keepdim=True)
    order = torch.rand(n_trials, n_features, **like)
    is_on: Bool[Tensor, "trial feature"] = order.argsort(dim=1) < n_nonzero
    x = torch.where(is_on, 0.1 + 0.9 * torch.rand(n_trials, n_features, **like), 0.0)
    found = matching_pursuit(x @ directions, directions, n_nonzero)
    return ((found - x).abs() < 1e-3).all(dim=1).double().mean().item()
