"""Patching parts of a small circuit in both directions, and three circuits to try it on.

gained   start corrupted, make one part clean (denoise): is it enough?
lost     start clean, make one part corrupted (noise): is it needed?
"""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.patching.planted import and_gate, or_gate, patch_parts


def part_effects(
    circuit: Callable[[Tensor], Tensor],
    clean: Float[Tensor, "part"],
    corrupted: Float[Tensor, "part"],
) -> tuple[Float[Tensor, "part"], Float[Tensor, "part"]]:
    """What each part gains by itself when denoised, and what is lost with it when noised.

    circuit: [*row part] -> [*row].

    >>> import torch
    >>> part_effects(and_gate, torch.ones(2), torch.zeros(2))
    (tensor([0., 0.]), tensor([1., 1.]))
    >>> part_effects(or_gate, torch.ones(2), torch.zeros(2))
    (tensor([1., 1.]), tensor([0., 0.]))
    """
    gained = patch_parts(circuit, corrupted, clean) - circuit(corrupted)
    lost = circuit(clean) - patch_parts(circuit, clean, corrupted)
    return gained, lost


def second_of_two(parts: Float[Tensor, "*row 2"]) -> Float[Tensor, "*row"]:
    """The second part; the first does nothing."""
    return parts[..., 1]


MYSTERIES = (or_gate, second_of_two, and_gate)
