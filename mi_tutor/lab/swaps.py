"""Swap what a model has worked out in the middle of a computation, and see whether the answer follows.

The middle step of a two-hop question ("the capital of the state of Dallas is") is a class: which state. Each class
has a mean activation at some site, and the difference of two means is a direction from one class to the other:

    direction(a -> b) = mean(activations of b) - mean(activations of a)         [d_model]

Added to the residual stream of a question about a, it should make the model answer as if it had been about b. If
it does so for questions that the model has never seen, for every answer that depends on the class, and if other
directions of the same length do nothing, then this is where the class is, and it is used.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor.lab.plain import PlainTransformer


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


def class_means(
    activations: Float[Tensor, "prompt d_model"], classes: Int[Tensor, "prompt"], n_classes: int
) -> Float[Tensor, "class d_model"]:
    """The mean activation of each class.

    Raises ValueError if a class does not occur.

    >>> class_means(torch.tensor([[0.0], [2.0], [7.0]]), torch.tensor([0, 0, 1]), 2).flatten()
    tensor([1., 7.])
    """
    counts = torch.bincount(classes, minlength=n_classes)
    if len(counts) > n_classes or (counts == 0).any():
        raise ValueError(
            f"Each of the {n_classes} classes should occur, and no other; the classes seen are "
            f"{sorted(set(classes.tolist()))}."
        )
    sums = torch.zeros(n_classes, activations.shape[1], dtype=activations.dtype)
    return sums.to(activations.device).index_add_(0, classes, activations) / counts[:, None]


def nearest_mean(
    activations: Float[Tensor, "prompt d_model"], means: Float[Tensor, "class d_model"]
) -> Int[Tensor, "prompt"]:
    """The class whose mean is nearest: the simplest way to read a class from an activation.

    >>> nearest_mean(torch.tensor([[0.9], [6.0]]), torch.tensor([[1.0], [7.0]]))
    tensor([0, 1])
    """
    return torch.cdist(activations, means).argmin(dim=-1)


def streams(
    plain: PlainTransformer, tokens: Int[Tensor, "prompt pos"]
) -> Float[Tensor, "layer prompt pos d_model"]:
    """The residual stream before each layer, and after the last one."""
    found = [plain.embed(tokens)]
    for layer in range(len(plain.blocks)):
        found.append(plain.block(layer, found[-1]))
    return torch.stack(found)


def answers_after(
    plain: PlainTransformer,
    stream: Float[Tensor, "prompt pos d_model"],
    layer: int,
    places: Int[Tensor, "prompt"],
    steps: Float[Tensor, "prompt d_model"],
) -> Int[Tensor, "prompt"]:
    """The most likely next tokens when a step is added to the stream before `layer`, at each prompt's place."""
    edited = stream.clone()
    edited[torch.arange(len(stream)), places] += steps
    return plain.logits_after(layer - 1, edited, read=-1)[:, 0].argmax(dim=-1)


class SwapResult(NamedTuple):
    """What swapping did. Rows are questions, columns are the classes swapped in.

    Attributes:
        follows: whether the answer became the one of the class swapped in.
        asked: where that is a test: another class, with another answer.
    """

    follows: Bool[Tensor, "prompt class"]
    asked: Bool[Tensor, "prompt class"]

    @property
    def success(self) -> float:
        """The share of tests that the swap passed."""
        return self.follows[self.asked].float().mean().item()


def swap_all(
    plain: PlainTransformer,
    questions: Questions,
    means: Float[Tensor, "class d_model"],
    layer: int,
    strength: float = 1.0,
    random_seed: int | None = None,
) -> SwapResult:
    """Swap the class of each question for every other class, by difference of means before `layer`.

    strength: how often the direction is added. random_seed: if given, each step is a random direction of the
    same norm instead: the control.
    """
    stream = streams(plain, questions.tokens)[layer]
    here = torch.arange(len(stream))
    right = questions.answers[here, questions.classes]
    noise = None if random_seed is None else torch.Generator().manual_seed(random_seed)
    follows = []
    for target in range(len(means)):
        steps = strength * (means[target] - means[questions.classes])
        if noise is not None:
            other = torch.randn(steps.shape, generator=noise)
            steps = other * steps.norm(dim=-1, keepdim=True) / other.norm(dim=-1, keepdim=True)
        answered = answers_after(plain, stream, layer, questions.places, steps)
        follows.append(answered == questions.answers[:, target])
    return SwapResult(torch.stack(follows, dim=-1), questions.answers != right[:, None])
