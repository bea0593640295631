"""Questions with a middle step: their tokens, where the name ends, its class, and what each class would answer."""

from collections import defaultdict
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor, nn


class Questions(NamedTuple):
    """Prompts of one length, each about one class.

    Attributes:
        tokens: with BOS at position 0.
        places: where the name of what is asked about ends.
        classes: which class it belongs to.
        answers: the right next token if the class were another one, for every class.
    """

    tokens: Int[Tensor, "prompt pos"]
    places: Int[Tensor, "prompt"]
    classes: Int[Tensor, "prompt"]
    answers: Int[Tensor, "prompt class"]


def name_place(
    model: nn.Module, before: str, name: str, after: str
) -> tuple[Int[Tensor, "pos"], int]:
    """A prompt's tokens with BOS in front, and the position of the last token of a name in it.

    A name may be several tokens. Whoever reads it knows which name it is at its last one.

    >>> from mi_tutor.specimens import open_specimen
    >>> model = open_specimen("primer", device="cpu")
    >>> tokens, place = name_place(model, "The capital of", " France", " is")
    >>> model.to_string(tokens[place]), len(tokens)
    (' France', 6)
    """
    tokens = model.to_tokens(before + name + after)[0]
    return tokens, model.to_tokens(before + name).shape[1] - 1


def other_classes(
    classes: Int[Tensor, "prompt"], n_classes: int, n_targets: int, seed: int
) -> Int[Tensor, "prompt target"]:
    """For each prompt some random classes that are not its own, each once.

    >>> sorted(other_classes(torch.tensor([1]), n_classes=3, n_targets=2, seed=0)[0].tolist())
    [0, 2]
    """
    draw = torch.rand(len(classes), n_classes, generator=torch.Generator().manual_seed(seed))
    draw[torch.arange(len(classes)), classes.cpu()] = 2.0  # sorted last, never taken
    return draw.argsort(dim=-1)[:, : min(n_targets, n_classes - 1)].to(classes.device)


def thinned(questions: Questions, step: int) -> Questions:
    """Every so many of the questions.

    >>> one = torch.zeros(5, dtype=torch.long)
    >>> len(thinned(Questions(one[:, None], one, one, one[:, None]), 2).classes)
    3
    """
    return Questions(*(each[::step] for each in questions))


def partners(questions: Questions, seed: int) -> Int[Tensor, "prompt"]:
    """For each prompt another one that asks the same about another class, its name at the same place; else -1.

    Two prompts ask the same if every class would answer them alike.
    """
    alike: defaultdict[tuple, list[int]] = defaultdict(list)
    for i, (place, answers) in enumerate(zip(questions.places, questions.answers, strict=True)):
        alike[place.item(), *answers.tolist()].append(i)
    found = torch.full_like(questions.classes, -1)
    generator = torch.Generator().manual_seed(seed)
    for numbers in alike.values():
        group = questions.classes.new_tensor(numbers)
        classes = questions.classes[group]
        draw = torch.rand(len(group), len(group), generator=generator).to(classes.device)
        draw[classes[:, None] == classes] = -1.0  # a class is no partner of itself
        best = draw.max(dim=-1)
        found[group] = torch.where(best.values >= 0, group[best.indices], -1)
    return found
