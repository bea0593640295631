"""Does the model owe to a latent what the graph says? Predicted influence against measured ablation.

Predicted is a latent's influence on the logits (`scores`); measured is what happens to the model's answer when the
latent is switched off: the divergence KL(before || after) at the last position. They have no common unit, so that
what can be asked is whether they put latents in the same order: Spearman's correlation of ranks.

The number depends on which latents are asked about. Among all latents most matter little by both measures, and the
order is easy; among the sixty strongest it is not. Say which sample a correlation is of.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.patching.attribution import pearson, ranks
from mi_tutor.lab.tracing.graph import AttributionGraph
from mi_tutor.lab.tracing.interventions import changes_of, intervene
from mi_tutor.lab.tracing.local import LocalReplacementModel
from mi_tutor.lab.tracing.scores import node_influence


class Validation(NamedTuple):
    """Predicted and measured effects of the same latents.

    Attributes:
        predicted: influence on the logits.
        measured: KL(before || after) of the next token when the latent is switched off.
        spearman: the correlation of their ranks.
    """

    predicted: Float[Tensor, "latent"]
    measured: Float[Tensor, "latent"]
    spearman: float


def spearman(a: Float[Tensor, "item"], b: Float[Tensor, "item"]) -> float:
    """The correlation of ranks. Raises ValueError if all values of one are the same, or there are fewer than two.

    >>> spearman(torch.tensor([1.0, 2.0, 9.0]), torch.tensor([0.5, 0.1, 0.0]))
    -1.0
    """
    if min(len(each.unique()) for each in (a, b)) < 2:
        raise ValueError(
            "A correlation of ranks needs two different values on both sides at least."
        )
    return pearson(ranks(a), ranks(b))


def divergences(
    before: Float[Tensor, "vocab"], after: Float[Tensor, "run vocab"]
) -> Float[Tensor, "run"]:
    """KL(before || after) of the next token, from logits.

    >>> divergences(torch.zeros(2), torch.tensor([[0.0, 0.0], [5.0, 5.0]]))
    tensor([0., 0.])
    """
    before, after = before.log_softmax(dim=-1), after.log_softmax(dim=-1)
    return (before.exp() * (before - after)).sum(dim=-1)


def agreement(
    predicted: Float[Tensor, "latent"],
    before: Float[Tensor, "vocab"],
    after: Float[Tensor, "latent vocab"],
    sample: Int[Tensor, "asked"],
) -> float:
    """Spearman's correlation of predicted effects and divergences, among the latents of a sample.

    before, after: logits of the next token, intact and with each latent switched off. Ranks are those within the
    sample.

    >>> after = torch.tensor([[3.0, 0.0], [1.0, 0.0], [0.0, 9.0]])
    >>> round(agreement(torch.tensor([0.5, 0.1, 0.2]), torch.zeros(2), after, torch.tensor([0, 1])), 4)
    1.0
    """
    return spearman(predicted[sample], divergences(before, after)[sample])


@torch.no_grad()
def validate(
    local: LocalReplacementModel,
    graph: AttributionGraph,
    numbers: Sequence[int],
    layers: range | None = None,
    freeze_patterns: bool = False,
) -> Validation:
    """Switch off latents one by one, in the model, and compare with their influence.

    numbers: latents, by their number in the graph.
    layers, freeze_patterns: as in `intervene`; with layers None each latent is clamped where it writes.
    """
    predicted = node_influence(graph)[list(numbers)]
    before = local.recording.logits[-1]
    changes = changes_of(graph.nodes, numbers)
    measured = torch.zeros_like(predicted)
    # Which MLPs are held depends on where a latent reads: one run for each layer.
    for place in sorted({(change.component, change.layer) for change in changes}):
        mine = [i for i, change in enumerate(changes) if (change.component, change.layer) == place]
        found = intervene(local, [[changes[i]] for i in mine], layers, freeze_patterns)
        measured[mine] = divergences(before, found.logits[:, -1])
    return Validation(predicted, measured, spearman(predicted, measured))
