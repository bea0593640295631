"""Known and unknown: a default answer, and the direction that lifts it.

Lindsey et al. 2025 report that "I can't answer" is on by default in Claude 3.5 Haiku, that features of known
people turn it off, and that a hallucination can be made by turning it off for a stranger. In a small model the
same question is:

    d = mean(known people) - mean(strangers)      before one layer, at one position         [d_model]
    x <- x + strength * d

Strangers who are then given an answer are hallucinations. If known people's answers stay right, d lifts the
default and nothing else.

Whether "known" stands there at all is asked of people the direction has not seen (`told_apart`): with many
dimensions and few people, almost any two groups are told apart by a direction that was made from them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.swaps.making import answers_after


class Asked(NamedTuple):
    """Questions of one length about people, some known, some not.

    Attributes:
        tokens: the questions, up to the answer.
        known: whether each is about a known person.
        right: what should be answered; for a stranger that is the default.
    """

    tokens: Int[Tensor, "prompt pos"]
    known: Bool[Tensor, "prompt"]
    right: Int[Tensor, "prompt"]


class Lifted(NamedTuple):
    """What a direction did.

    Attributes:
        hallucinated: the share of strangers to whom something of `answers` was ascribed.
        kept: the share of known people whose answer is right.
        guesses: all answers.
    """

    hallucinated: Float[Tensor, ""]
    kept: Float[Tensor, ""]
    guesses: Int[Tensor, "prompt"]


def known_direction(
    activations: Float[Tensor, "prompt d_model"], known: Bool[Tensor, "prompt"]
) -> Float[Tensor, "d_model"]:
    """mean(known) - mean(strangers).

    >>> known_direction(torch.tensor([[1.0], [3.0], [7.0]]), torch.tensor([False, False, True]))
    tensor([5.])
    """
    if known.all() or not known.any():
        raise ValueError("There should be both known people and strangers.")
    return activations[known].mean(dim=0) - activations[~known].mean(dim=0)


def area(scores: Float[Tensor, "prompt"], known: Bool[Tensor, "prompt"]) -> Float[Tensor, ""]:
    """How often a known person's score is above a stranger's (a tie is a half): the area under the ROC curve.

    >>> area(torch.tensor([3.0, 1.0, 1.0, 0.0]), torch.tensor([True, True, False, False]))
    tensor(0.8750)
    """
    above = scores[known][:, None] - scores[~known]
    return ((above > 0).float() + 0.5 * (above == 0).float()).mean()


def told_apart(
    activations: Float[Tensor, "prompt d_model"],
    known: Bool[Tensor, "prompt"],
    folds: Int[Tensor, "prompt"],
) -> Float[Tensor, ""]:
    """Are known people told from strangers along mean(known) - mean(strangers) of *other* people? Chance is 0.5.

    folds: a number for each prompt; all prompts about one person have the same. The direction comes from the
    other folds. The mean over the folds of the area within each: scores along two directions are not compared.

    >>> x = torch.tensor([[0.0], [1.0], [0.0], [2.0]])
    >>> told_apart(x, torch.tensor([False, True, False, True]), torch.tensor([0, 0, 1, 1]))
    tensor(1.)
    """
    areas = []
    for fold in folds.unique():
        here = folds == fold
        direction = known_direction(activations[~here], known[~here])
        areas.append(area(activations[here] @ direction, known[here]))
    return torch.stack(areas).mean()


@torch.no_grad()
def lift_default(
    plain: PlainTransformer,
    asked: Asked,
    answers: Sequence[int],
    layer: int,
    direction: Float[Tensor, "d_model"],
    position: int = -1,
    strength: float = 1.0,
) -> Lifted:
    """Add a direction to every question, before a layer at one position, and see who is given an answer.

    answers: the token ids that would be an answer: anything else about a stranger is no hallucination.
    """
    stream = plain.resid_pre(layer, asked.tokens)
    n_prompts, n_pos = asked.tokens.shape
    places = torch.full((n_prompts,), range(n_pos)[position], device=asked.tokens.device)
    steps = (strength * direction).expand(n_prompts, -1)
    guesses = answers_after(plain, stream, layer, places, steps)
    ascribed = torch.isin(guesses, torch.tensor(answers, device=guesses.device))
    return Lifted(
        ascribed[~asked.known].float().mean(),
        (guesses == asked.right)[asked.known].float().mean(),
        guesses,
    )
