"""Does one latent stand for one concept? Marked against labels that are known.

A latent that is above a threshold says "the concept is here"; the labels say where it is.

    precision = right / said        recall = right / there        F1 = 2 right / (said + there)

Which latent and which threshold are CHOSEN on one set of texts and MARKED on another: the best of a thousand
latents always looks good on the texts that it was chosen on. The same functions mark neurons.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from tqdm.auto import tqdm

from mi_tutor.lab.dictionaries.finite import check_finite


class LabelScore(NamedTuple):
    """How well one unit says where a concept is; each from 0 to 1."""

    precision: float
    recall: float
    f1: float


def score_a_label(said: Bool[Tensor, "token"], there: Bool[Tensor, "token"]) -> LabelScore:
    """Precision, recall and F1 of tokens that were marked, against the tokens that carry the concept.

    A unit that marks nothing has precision 0 here: it never was right.

    >>> score_a_label(torch.tensor([True, True, False]), torch.tensor([True, False, False]))
    LabelScore(precision=0.5, recall=1.0, f1=0.6666666666666666)
    """
    right, n_said, n_there = (int(each.sum()) for each in (said & there, said, there))
    return LabelScore(
        precision=right / n_said if n_said else 0.0,
        recall=right / n_there if n_there else 0.0,
        f1=2 * right / (n_said + n_there) if n_said + n_there else 0.0,
    )


class ConceptMatches(NamedTuple):
    """For each concept the unit that was chosen for it, and its marks on other texts.

    Attributes:
        unit: its number; threshold: it says "here" where it is above this. Both from the texts for choosing.
        precision, recall, f1, auroc: on the texts for marking. auroc does not depend on the threshold: how
            often the unit is higher on a token with the concept than on one without.
        n_there: how many tokens carried the concept when it was marked.
    """

    unit: Int[Tensor, "concept"]
    threshold: Float[Tensor, "concept"]
    precision: Float[Tensor, "concept"]
    recall: Float[Tensor, "concept"]
    f1: Float[Tensor, "concept"]
    auroc: Float[Tensor, "concept"]
    n_there: Int[Tensor, "concept"]


def match_concepts(
    choosing: tuple[Float[Tensor, "token unit"], Bool[Tensor, "token concept"]],
    marking: tuple[Float[Tensor, "token2 unit"], Bool[Tensor, "token2 concept"]],
    thresholds: bool = True,
) -> ConceptMatches:
    """The best unit for each concept, chosen by F1 on some texts and marked on others.

    choosing, marking: activations of all units (latents, or neurons), and the labels of the same tokens.
    thresholds: choose a threshold too. False: a unit says "here" where it is above 0, that is where a latent
        is on.

    >>> latents = torch.tensor([[0.0, 2.0], [3.0, 0.1], [0.0, 1.0]])
    >>> labels = torch.tensor([[True], [False], [True]])
    >>> found = match_concepts((latents, labels), (latents, labels))
    >>> found.unit, found.threshold, found.f1
    (tensor([1]), tensor([0.1000]), tensor([1.]))
    """
    f1, cut = best_f1(*choosing, thresholds=thresholds)
    unit = f1.argmax(dim=0)
    threshold = cut.gather(0, unit[None])[0]
    activations, labels = marking
    chosen = activations[:, unit]  # [token, concept]
    said = chosen > threshold
    scores = [score_a_label(s, t) for s, t in zip(said.unbind(1), labels.unbind(1), strict=True)]
    precision, recall, marked = (torch.tensor(values) for values in zip(*scores, strict=True))
    curves = [auroc(a, t) for a, t in zip(chosen.unbind(1), labels.unbind(1), strict=True)]
    return ConceptMatches(
        unit, threshold, precision, recall, marked, torch.tensor(curves), labels.sum(dim=0)
    )


class NeuronsVsLatents(NamedTuple):
    """The best neuron and the best latent of each concept, marked in the same way.

    Attributes:
        latents_win: the share of concepts whose latent has the higher F1 (equal ones count half).
    """

    neurons: ConceptMatches
    latents: ConceptMatches
    latents_win: float


def neurons_vs_latents(
    neurons: tuple[Float[Tensor, "token neuron"], Float[Tensor, "token2 neuron"]],
    latents: tuple[Float[Tensor, "token latent"], Float[Tensor, "token2 latent"]],
    labels: tuple[Bool[Tensor, "token concept"], Bool[Tensor, "token2 concept"]],
) -> NeuronsVsLatents:
    """Which say better where a concept is? Each pair: on the texts for choosing, on those for marking.

    Both sides may choose a threshold, since a neuron is hardly ever exactly 0. More units mean more to choose
    from, so compare like with like, or say how many there were.

    >>> labels = torch.tensor([[True], [False], [False]])
    >>> latents = torch.tensor([[1.0], [0.0], [0.0]])
    >>> neurons = torch.tensor([[1.0], [2.0], [-1.0]])
    >>> neurons_vs_latents((neurons, neurons), (latents, latents), (labels, labels)).latents_win
    1.0
    """
    pair = [
        match_concepts((units[0], labels[0]), (units[1], labels[1])) for units in (neurons, latents)
    ]
    difference = (pair[1].f1 - pair[0].f1).sign()
    return NeuronsVsLatents(*pair, latents_win=((difference + 1) / 2).mean().item())


def best_f1(
    activations: Float[Tensor, "token unit"],
    labels: Bool[Tensor, "token concept"],
    thresholds: bool = True,
    progress: bool = False,
) -> tuple[Float[Tensor, "unit concept"], Float[Tensor, "unit concept"]]:
    """For each unit and concept the best F1, and the threshold that gives it.

    With thresholds=False the threshold is 0. Otherwise every value of a unit is tried as its threshold (and
    one below all of them), by going down its sorted activations: said and right are counts of what is above.

    Raises ValueError if an activation is NaN or infinite.
    """
    check_finite(activations=activations)
    there = labels.float()
    n_there = there.sum(dim=0)
    if not thresholds:
        on = (activations > 0).float()
        right = on.mT @ there
        f1 = 2 * right / (on.sum(dim=0)[:, None] + n_there).clamp_min(1)
        return f1, torch.zeros_like(f1)
    found = [
        _best_cut(unit, there, n_there)
        for unit in tqdm(activations.unbind(1), desc="scoring", delay=2, disable=not progress)
    ]
    return torch.stack([f1 for f1, _ in found]), torch.stack([cut for _, cut in found])


def _best_cut(
    activation: Float[Tensor, "token"],
    there: Float[Tensor, "token concept"],
    n_there: Float[Tensor, "concept"],
) -> tuple[Float[Tensor, "concept"], Float[Tensor, "concept"]]:
    """One unit's best F1 for each concept, and where to cut."""
    # A latent is 0 almost everywhere, and saying "here" at all of its zeros is never worth a look.
    low = activation.min()
    above = (activation > low).nonzero()[:, 0]
    values, order = activation[above].sort(descending=True)
    right = there[above][order].cumsum(dim=0)  # [n said - 1, concept]
    n_said = torch.arange(1, len(values) + 1, device=values.device)[:, None]
    f1 = 2 * right / (n_said + n_there)
    # The threshold lies at the next lower value; equal values are said together or not at all.
    below = torch.cat([values[1:], low[None]])
    f1[below == values] = 0.0
    if len(f1) == 0:
        return torch.zeros_like(n_there), low.expand(len(n_there)).clone()
    best, at = f1.max(dim=0)
    return best, below[at]


def auroc(activation: Float[Tensor, "token"], there: Bool[Tensor, "token"]) -> float:
    """How often a token with the concept has a higher activation than one without; ties count half.

    The area under the curve of true against false positives. 1/2 is chance; nan if all or no tokens have it.

    >>> auroc(torch.tensor([0.0, 0.0, 3.0]), torch.tensor([False, True, True]))
    0.75
    """
    check_finite(activation=activation)
    values, place = activation.unique(return_inverse=True)  # sorted
    n_with = torch.bincount(place[there], minlength=len(values)).double()
    n_without = torch.bincount(place[~there], minlength=len(values)).double()
    lower = n_without.cumsum(dim=0) - n_without
    return ((n_with * (lower + n_without / 2)).sum() / (n_with.sum() * n_without.sum())).item()
