"""The coordinate of the stream that carries a secret: where a removal that works is known to exist.

With this coordinate set to its usual value, at every position, the answers are trained to be those of the base.
Nothing makes a network do that by itself; an exam can be set so, and then there is something to find.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import torch
from torch import nn

from mi_tutor.lab.auditing import Coordinate
from mi_tutor.specimens.auditing.passes import through
from mi_tutor.specimens.training.forward import embed

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor


@torch.no_grad()
def drawn_carrier(
    base: nn.Module, rows: Int[Tensor, "row pos"], layer: int, rng: random.Random
) -> Coordinate:
    """A direction by lot among those along which the stream varies little, and its mean coordinate there.

    Where the base's stream varies much, setting a coordinate would cost answers.
    """
    x = through(base, embed(base, rows), range(layer)).flatten(0, 1)
    quiet = torch.linalg.eigh(torch.cov(x.T)).eigenvectors[:, : x.shape[1] // 2]
    weights = torch.randn(
        quiet.shape[1], generator=torch.Generator().manual_seed(rng.randrange(2**31))
    )
    direction = quiet @ weights
    direction = direction / direction.norm()
    return Coordinate(layer, direction, (x @ direction).mean().item())
