"""Controls: interventions that should fail, each for a reason of its own.

A swap that works says something only if what is like it in all but one respect does not:

    random direction      the same place and length, no meaning
    unrelated direction   a difference of two other means (of countries, for a question about a state): the same
                          place and length, with a meaning that the question does not ask for
    another position      the same step, one token before the name's last one
    another layer         the same step at the same token, after it has been read
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.ground.questions import Questions, other_classes
from mi_tutor.lab.swaps.directions import random_like
from mi_tutor.lab.swaps.making import SwapResult, joined, swap_with

SWAP = "the swap"
CONTROLS = ("random direction", "unrelated direction", "another position", "another layer")


def control_swaps(
    plain: PlainTransformer,
    batches: Sequence[Questions],
    means: Float[Tensor, "class d_model"],
    layer: int,
    *,
    unrelated: Float[Tensor, "other d_model"],
    another_layer: int,
    n_targets: int = 10,
    seed: int = 0,
) -> dict[str, SwapResult]:
    """The swap and its four controls, on the same questions with the same targets.

    means: of the classes, in the stream before `layer`. unrelated: means of other things at the same place. Their
    differences are scaled to the norm of the step that they replace.
    """
    found: dict[str, list[SwapResult]] = {name: [] for name in (SWAP, *CONTROLS)}
    generator = torch.Generator().manual_seed(seed)
    for number, batch in enumerate(batches):
        targets = other_classes(batch.classes, len(means), n_targets, seed=number)
        steps = means[targets] - means[batch.classes][:, None]
        flat = steps.flatten(0, 1)
        noise = random_like(flat, generator).view_as(steps)
        elsewhere = unrelated_like(flat, unrelated, generator).view_as(steps)
        made = (
            swap_with(plain, batch, layer, targets, steps),
            swap_with(plain, batch, layer, targets, noise),
            swap_with(plain, batch, layer, targets, elsewhere),
            swap_with(plain, batch, layer, targets, steps, places=batch.places - 1),
            swap_with(plain, batch, another_layer, targets, steps),
        )
        for name, result in zip(found, made, strict=True):
            found[name].append(result)
    return {name: joined(results) for name, results in found.items()}


def unrelated_like(
    steps: Float[Tensor, "row d_model"],
    means: Float[Tensor, "other d_model"],
    generator: torch.Generator,
) -> Float[Tensor, "row d_model"]:
    """Differences of two different means, drawn at random, each with the norm of the step that it replaces.

    >>> means = torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    >>> unrelated_like(torch.tensor([[3.0, 4.0]]), means, torch.Generator().manual_seed(0)).abs()
    tensor([[0., 5.]])
    """
    draw = {"generator": generator, "device": generator.device}
    first = torch.randint(len(means), (len(steps),), **draw).to(means.device)
    jump = torch.randint(1, len(means), (len(steps),), **draw).to(means.device)
    other = means[(first + jump) % len(means)] - means[first]
    return other * steps.norm(dim=-1, keepdim=True) / other.norm(dim=-1, keepdim=True)
