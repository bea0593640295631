"""How many almost-orthogonal directions fit into d dimensions?

Exactly orthogonal: d. Almost orthogonal, with |cos| up to a fixed ε: a number that grows exponentially with
d. That room is what superposition lives in. Two kinds of bounds speak of two ranges of ε:

- below 1/√d, Welch's: n ≤ d (1 - ε²) / (1 - d ε²), a small multiple of d unless ε is close to
  1/√d. From 1/√d on it limits nothing, however many directions there are.
- there, the sphere's area does (`packing_limits`): so many fit for certain, and more than so many cannot.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from mi_tutor.lab.ground.device import one_thread, seeded


def max_abs_cosine(directions: Float[Tensor, "direction dimension"]) -> Float[Tensor, ""]:
    """The largest |cos| between two different directions, called their coherence.

    Args:
        directions: one direction per ROW, of any length above zero; at least two.

    Raises:
        ValueError: with fewer than two directions, or one of length zero.

    >>> max_abs_cosine(torch.tensor([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0]]))
    tensor(1.)
    """
    if len(directions) < 2:
        raise ValueError(f"a cosine needs two directions; saw {len(directions)}.")
    norm = directions.norm(dim=1, keepdim=True)
    if not bool((norm > 0).all()):
        raise ValueError("every direction needs a length above zero; saw a row of zeros.")
    return _abs_cosines(directions).max()


def welch_bound(n: int, d: int) -> float:
    """No n directions in d dimensions have a max |cos| below √((n - d) / (d (n - 1))).

    From Welch 1974. For n ≤ d the bound is 0: that many fit at right angles. Only special sets
    reach it, such as the n = d + 1 corners of a simplex, and none with more than d (d + 1) / 2 directions does.
    It stays below 1/√d for any n: an overlap of 1/√d or more is never ruled out by it.

    Raises:
        ValueError: if n < 2 or d < 1.

    >>> welch_bound(6, 3)  # the six diagonals of an icosahedron: 1/√5
    0.4472135954999579
    """
    if n < 2 or d < 1:
        raise ValueError(f"need n >= 2 directions in d >= 1 dimensions; saw n={n}, d={d}.")
    return 0.0 if n <= d else math.sqrt((n - d) / (d * (n - 1)))


class PackingLimits(NamedTuple):
    """How many directions with |cos| ≤ ε fit, at least and at most; inf where that overflows a float."""

    guaranteed: float
    at_most: float


def packing_limits(d: int, max_cosine: float) -> PackingLimits:
    """What the area of the sphere says about the number of directions with |cos| ≤ ε = cos θ.

    Let A(φ) be the share of the sphere within the angle φ of a point. A direction v stands for two points, v
    and -v. At most 1 / (2 A(θ/2)): caps of half the angle do not overlap. At least 1 / (2 A(θ)): as long as
    caps of the whole angle do not cover the sphere, one more fits. Both grow exponentially with d at a fixed ε.

    Raises:
        ValueError: if d is below 2, or max_cosine lies outside (0, 1).

    >>> limits = packing_limits(2, max_cosine=0.5)  # three lines, 60° apart
    >>> round(limits.guaranteed, 6), round(limits.at_most, 6)
    (1.5, 3.0)
    """
    if d < 2 or not 0 < max_cosine < 1:
        raise ValueError(f"need d >= 2 and a max_cosine in (0, 1); saw {d} and {max_cosine}.")
    angle = math.acos(max_cosine)
    return PackingLimits(*(_half_of_one_over(_log_cap(d, phi)) for phi in (angle, angle / 2)))


@one_thread()
def spread_directions(
    n: int, d: int, n_steps: int = 1000, seed: int = 0, progress: bool = False
) -> Float[Tensor, "direction dimension"]:
    """n unit vectors in d dimensions with a max |cos| as small as gradient descent makes it.

    The maximum has a gradient at one pair only. Its smooth stand-in 1/β · log Σ exp(β |cos|) moves
    every close pair, and approaches the maximum as β grows during the run. The result is a good
    local optimum, not a proven best.

    Args:
        n: how many directions, at least 2.
        d: dimensions, at least 1.
        n_steps: steps of Adam.
        seed: of the random start.
        progress: show a progress bar when it takes more than two seconds.

    Raises:
        ValueError: if n < 2, d < 1 or n_steps < 1.

    >>> max_abs_cosine(spread_directions(3, 2))  # a triangle's corners, 120° apart
    tensor(0.5000)
    """
    if n < 2 or d < 1 or n_steps < 1:
        raise ValueError(
            f"need n >= 2 directions, d >= 1 dimensions and n_steps >= 1; saw {n}, {d}, {n_steps}."
        )
    directions = torch.randn(n, d, generator=seeded(seed), dtype=torch.float64).requires_grad_()
    optimizer = torch.optim.Adam([directions])
    for step in tqdm(range(n_steps), "spreading", delay=2, disable=not progress):
        done = step / n_steps
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - done) ** 2
        beta = 10 * 10 ** (3 * done)
        loss = torch.logsumexp(beta * _abs_cosines(directions), dim=0) / beta
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    unit = directions.detach() / directions.detach().norm(dim=1, keepdim=True)
    return unit.float()


def greedy_directions(
    d: int, max_cosine: float, n_candidates: int, generator: torch.Generator
) -> Float[Tensor, "direction dimension"]:
    """Random unit vectors, each kept if its |cos| with all kept ones is at most `max_cosine`.

    No cleverness at all, and still the number that fits grows exponentially with d once
    `max_cosine` is fixed. What this finds is a lower limit: other sets may hold more.

    Args:
        d: dimensions.
        max_cosine: the overlap that is tolerated, in (0, 1).
        n_candidates: how many random vectors to try.
        generator: source of randomness; the result lies on its device.

    Raises:
        ValueError: if max_cosine lies outside (0, 1), or d or n_candidates is below 1.

    >>> kept = greedy_directions(8, max_cosine=0.5, n_candidates=2000, generator=seeded(0))
    >>> bool(max_abs_cosine(kept) <= 0.5), len(kept) > 8
    (True, True)
    """
    if not 0 < max_cosine < 1:
        raise ValueError(f"max_cosine must lie in (0, 1); saw {max_cosine}.")
    if d < 1 or n_candidates < 1:
        raise ValueError(f"need d >= 1 and n_candidates >= 1; saw {d} and {n_candidates}.")
    device = generator.device
    candidates = torch.randn(n_candidates, d, generator=generator, device=device)
    candidates /= candidates.norm(dim=1, keepdim=True)
    kept = []
    while len(candidates):
        kept.append(candidates[0])
        # Strike out at once all that are too close to the one just kept (itself among them).
        candidates = candidates[(candidates @ kept[-1]).abs() <= max_cosine]
    return torch.stack(kept)


def _log_cap(d: int, angle: float) -> float:
    """log A(φ), A(φ) = ∫₀^φ sin^(d-2) / ∫₀^π sin^(d-2); the largest sine is taken out: no underflow."""
    t = torch.linspace(0, angle, 20_001, dtype=torch.float64)[1:]
    largest = math.log(math.sin(angle))
    inner = torch.trapezoid(((d - 2) * (t.sin().log() - largest)).exp(), t)
    inner += t[0] if d == 2 else 0.0  # the first step, left out because log 0 is not a number
    whole = 0.5 * math.log(math.pi) + math.lgamma((d - 1) / 2) - math.lgamma(d / 2)
    return (d - 2) * largest + math.log(inner) - whole


def _half_of_one_over(log_share: float) -> float:
    log = -math.log(2) - log_share
    return math.exp(log) if log < 700 else math.inf


def _abs_cosines(directions: Float[Tensor, "direction dimension"]) -> Float[Tensor, "pair"]:
    """|cos| of every pair of rows."""
    unit = directions / directions.norm(dim=1, keepdim=True)
    first, second = torch.triu_indices(
        len(unit), len(unit), offset=1, device=directions.device
    ).unbind()
    return (unit @ unit.T)[first, second].abs()
