"""Small systems whose workings are known, to see what a method says about them.

Gates, for the two directions of patching. Parts go from 0 (as in the corrupted run) to 1 (as in the clean run):

    AND   relu(a + b - 1)          needs every part
    OR    1 - relu(1 - a - b)      any part will do

A hidden layer with two directions that both carry the label, of which the output reads one: a probe finds both
perfect, and only an intervention tells them apart.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def and_gate(parts: Float[Tensor, "*row part"]) -> Float[Tensor, "*row"]:
    """1 if all parts are 1, and 0 as soon as one is 0.

    >>> and_gate(torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]))
    tensor([0., 0., 1.])
    """
    return torch.relu(parts.sum(dim=-1) - (parts.shape[-1] - 1))


def or_gate(parts: Float[Tensor, "*row part"]) -> Float[Tensor, "*row"]:
    """1 as soon as one part is 1, and 0 if all are 0.

    >>> or_gate(torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]))
    tensor([0., 1., 1.])
    """
    return 1 - torch.relu(1 - parts.sum(dim=-1))


def patch_parts(
    gate: Callable[[Tensor], Tensor], parts: Float[Tensor, "part"], source: Float[Tensor, "part"]
) -> Float[Tensor, "part"]:
    """The gate's output with each part in turn taken from the source.

    Denoising is parts = corrupted, source = clean; noising the other way round.

    >>> clean, corrupted = torch.ones(2), torch.zeros(2)
    >>> patch_parts(or_gate, corrupted, clean), patch_parts(or_gate, clean, corrupted)
    (tensor([1., 1.]), tensor([1., 1.]))
    """
    n = len(parts)
    own = torch.eye(n, dtype=torch.bool, device=parts.device)
    patched = torch.where(own, source, parts.expand(n, n))
    return gate(patched)


class PlantedProbe(NamedTuple):
    """A hidden layer with a used and an unused direction, and what reads it.

    Attributes:
        hidden: the activations.
        labels: what both directions say.
        used: unit vector that the output reads.
        unused: unit vector that nothing reads, at a right angle to `used`.
    """

    hidden: Float[Tensor, "row d"]
    labels: Bool[Tensor, "row"]
    used: Float[Tensor, "d"]
    unused: Float[Tensor, "d"]

    def output(self, hidden: Float[Tensor, "*row d"]) -> Float[Tensor, "*row"]:
        """What the model makes of hidden activations: positive says that the label is true."""
        return hidden @ self.used.to(hidden.dtype)


def planted_probe(
    n_rows: int, d: int, generator: torch.Generator, noise: float = 0.1
) -> PlantedProbe:
    """Activations in which two directions carry a random label: ±1 along each, plus Gaussian noise everywhere.

    The basis is random too, so that neither direction is an axis.

    >>> from mi_tutor.lab.ground.device import seeded
    >>> planted = planted_probe(100, 8, seeded(0))
    >>> ((planted.output(planted.hidden) > 0) == planted.labels).all()
    tensor(True)
    """
    if d < 2:
        raise ValueError(f"Two directions at a right angle need d of 2 or more, got {d}.")
    draw = {"generator": generator, "device": generator.device}
    basis, _ = torch.linalg.qr(torch.randn(d, d, **draw))
    used, unused = basis[:, 0], basis[:, 1]
    labels = torch.rand(n_rows, **draw) < 0.5
    sign = torch.where(labels, 1.0, -1.0)[:, None]
    hidden = sign * (used + unused) + noise * torch.randn(n_rows, d, **draw)
    return PlantedProbe(hidden, labels, used, unused)
