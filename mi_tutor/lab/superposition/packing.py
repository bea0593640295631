"""How many almost-orthogonal directions fit into d dimensions?"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def max_abs_cosine(directions: Float[Tensor, "direction dimension"]) -> Float[Tensor, ""]:
    """The largest |cos| between two different directions, called their coherence.

    Args:
        directions: one direction per ROW, of any non-zero length; at least two.

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
    unit = directions / norm
    cosine = (unit @ unit.T).abs()
    off_diagonal = ~torch.eye(len(directions), dtype=torch.bool, device=directions.device)
    return cosine[off_diagonal].max()


def welch_bound(n: int, d: int) -> float:
    """No n directions in d dimensions have a max |cos| below √((n - d) / (d (n - 1))).

    From Welch 1974. For n ≤ d the bound is 0: that many fit at right angles. It is reached only by
    special sets, such as the n = d + 1 corners of a simplex.

    Raises:
        ValueError: if n < 2 or d < 1.

    >>> welch_bound(6, 3)  # the six diagonals of an icosahedron: 1/√5
    0.4472135954999579
    """
    if n < 2 or d < 1:
        raise ValueError(f"need n >= 2 directions in d >= 1 dimensions; saw n={n}, d={d}.")
    return 0.0 if n <= d else math.sqrt((n - d) / (d * (n - 1)))
