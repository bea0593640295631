"""How much of a direction it takes, and whether the class at this place is needed and enough."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.ground.questions import Questions
from mi_tutor.lab.swaps.directions import random_like
from mi_tutor.lab.swaps.making import SwapResult, answers_after, swap_batches


def answer_fates(
    logits: Float[Tensor, "strength prompt vocab"],
    own: Int[Tensor, "prompt"],
    wanted: Int[Tensor, "prompt"],
) -> Float[Tensor, "strength fate"]:
    """What becomes of the answers at each strength: shares that are still the own one, the wanted one, or neither.

    >>> best = torch.tensor([[0, 0], [0, 1]])  # two strengths, two prompts
    >>> logits = torch.nn.functional.one_hot(best, 3).float()
    >>> answer_fates(logits, own=torch.tensor([0, 0]), wanted=torch.tensor([1, 1]))
    tensor([[1.0000, 0.0000, 0.0000],
            [0.5000, 0.5000, 0.0000]])
    """
    guesses = logits.argmax(dim=-1)
    stays, follows = guesses == own, guesses == wanted
    fates = torch.stack([stays, follows, ~stays & ~follows], dim=-1)
    return fates.to(logits.dtype).mean(dim=1)


class DoseResponse(NamedTuple):
    """What becomes of the answers as a step grows; the three shares add up to 1.

    Attributes:
        strengths: how often the direction was added.
        stays, follows, neither: the share of answers that are the own class's, the target's, something else.
    """

    strengths: tuple[float, ...]
    stays: Float[Tensor, "strength"]
    follows: Float[Tensor, "strength"]
    neither: Float[Tensor, "strength"]


def dose_response(
    plain: PlainTransformer,
    batches: Sequence[Questions],
    means: Float[Tensor, "class d_model"],
    layer: int,
    strengths: Sequence[float],
    n_targets: int = 1,
) -> DoseResponse:
    """Swaps of many strengths, on the same questions with the same targets."""
    answers = torch.cat([b.answers.gather(1, b.classes[:, None]) for b in batches])
    rows = []
    for strength in strengths:
        result = swap_batches(plain, batches, means, layer, n_targets, strength)
        rows.append(fates_of(result, answers))
    return DoseResponse(tuple(strengths), *torch.stack(rows, dim=-1))


def fates_of(result: SwapResult, right: Int[Tensor, "prompt 1"]) -> Float[Tensor, "3"]:
    """The three shares of `DoseResponse`, of the swaps that are a test."""
    stays = (result.guesses == right)[result.asked].float().mean()
    follows = result.follows[result.asked].float().mean()
    return torch.stack([stays, follows, 1 - stays - follows])


class Needed(NamedTuple):
    """Accuracy on questions, intact and with the stream at the name's end edited.

    Attributes:
        intact: nothing edited.
        erased: what tells the class from the average class is taken out. Low: the class is needed here.
        random: as much is taken out in a random direction. High, or `erased` says little.
        alone: the whole stream replaced by the class's mean: everything else about the name is gone. High: the
            class is all that is used from here.
        average: the whole stream replaced by the mean of all classes.
    """

    intact: float
    erased: float
    random: float
    alone: float
    average: float


@torch.no_grad()
def needed_and_enough(
    plain: PlainTransformer,
    batches: Sequence[Questions],
    means: Float[Tensor, "class d_model"],
    layer: int,
    seed: int = 0,
) -> Needed:
    """Is the class at the name's end, before `layer`, needed for the answer, and is it enough?"""
    generator = torch.Generator().manual_seed(seed)
    middle = means.mean(dim=0)
    right: list[Tensor] = []
    for batch in batches:
        stream = plain.resid_pre(layer, batch.tokens)
        here = stream[torch.arange(len(stream)), batch.places]
        own = means[batch.classes]
        steps = (
            torch.zeros_like(own),
            middle - own,
            random_like(middle - own, generator),
            own - here,
            middle - here,
        )
        answers = batch.answers.gather(1, batch.classes[:, None])[:, 0]
        guesses = [answers_after(plain, stream, layer, batch.places, step) for step in steps]
        right.append(torch.stack([guess == answers for guess in guesses]))
    return Needed(*torch.cat(right, dim=1).float().mean(dim=1).tolist())
