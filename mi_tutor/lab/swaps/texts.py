"""Swaps in a model that was not made for this course: plain texts, hooks, any architecture.

A large vocabulary has answers of several tokens, and a model may want to say " the" first. So answers are judged
among the classes' own answers, each by its first token: which of them does the model hold most likely?
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.questions import name_place
from mi_tutor.lab.ground.sites import hook_name
from mi_tutor.lab.swaps.directions import class_means, random_like
from mi_tutor.lab.swaps.making import swap_logits


class TextQuestion(NamedTuple):
    """A prompt in three parts, and the class of the name in the middle."""

    before: str
    name: str
    after: str
    own: int


class TextSwaps(NamedTuple):
    """What swapping did, judged among the classes' answers.

    Attributes:
        accuracy: intact: the own class's answer is the most likely of all.
        success: of all swaps: the target's answer is.
        random: the same with random directions of the same norm.
    """

    accuracy: float
    success: float
    random: float


@torch.no_grad()
def swap_texts(
    model: nn.Module,
    questions: Sequence[TextQuestion],
    answers: Sequence[str],
    layer: int,
    seed: int = 0,
) -> TextSwaps:
    """Swap the class of each question for every other one, in the stream before `layer`, where its name ends.

    answers: of each class, with its space; the first token counts. Means are made from these same questions.

    Raises ValueError if two answers begin with the same token.
    """
    first = torch.cat([model.to_tokens(each, prepend_bos=False)[0, :1] for each in answers])
    if len(first.unique()) < len(first):
        raise ValueError(
            f"Two of the answers {list(answers)} begin with the same token, so they cannot be told apart."
        )
    prompts = [name_place(model, each.before, each.name, each.after) for each in questions]
    stream = torch.cat([stream_at(model, tokens, place, layer) for tokens, place in prompts])
    classes = torch.tensor([each.own for each in questions], device=stream.device)
    means = class_means(stream, classes, len(answers))
    generator = torch.Generator().manual_seed(seed)
    intact, swapped, control = [], [], []
    for (tokens, place), own in zip(prompts, classes.tolist(), strict=True):
        targets = torch.tensor([each for each in range(len(answers)) if each != own])
        steps = means[targets] - means[own]
        row = first_answers(model, tokens, place, torch.zeros_like(steps[:1]), layer, first)
        intact.append(row == own)
        for found, step in ((swapped, steps), (control, random_like(steps, generator))):
            found.append(first_answers(model, tokens, place, step, layer, first) == targets)
    return TextSwaps(
        *(torch.cat(each).float().mean().item() for each in (intact, swapped, control))
    )


def stream_at(
    model: nn.Module, tokens: Int[Tensor, "pos"], place: int, layer: int
) -> Float[Tensor, "1 d_model"]:
    """The stream before a layer at one position."""
    name = hook_name("resid_pre", layer)
    return model.run_with_cache(tokens[None], names_filter=name)[1][name][:, place]


def first_answers(
    model: nn.Module,
    tokens: Int[Tensor, "pos"],
    place: int,
    steps: Float[Tensor, "step d_model"],
    layer: int,
    first: Int[Tensor, "class"],
) -> Int[Tensor, "step"]:
    """For each step the class whose answer's first token is the most likely one."""
    n = len(steps)
    logits = swap_logits(model, tokens.expand(n, -1), torch.full((n,), place), steps, layer)
    return logits[:, first].argmax(dim=-1).cpu()
