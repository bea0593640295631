"""What some heads bring to the prompt's end: exchanged alone, or taken out."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.ground.questions import Questions, other_classes
from mi_tutor.lab.swaps.directions import class_means


class HeadSwap(NamedTuple):
    """Shares of questions, when what heads write at the prompt's end is edited.

    Attributes:
        follows: the class's mean exchanged in these heads: of the swaps that test something, those that the answer
            follows.
        without: their output replaced by its mean over all classes: questions answered right.
        rest: the class's mean exchanged in all other heads, in all layers at once, and not in these.
        intact: questions answered right without any edit.
    """

    follows: float
    without: float
    rest: float
    intact: float


@torch.no_grad()
def head_means(
    plain: PlainTransformer, batches: Sequence[Questions]
) -> Float[Tensor, "layer class head d_head"]:
    """The mean of each class of what every head reads at the prompt's end (z, before W_O)."""
    found = [torch.stack(_z_at_the_end(plain, batch.tokens)) for batch in batches]
    z, classes = torch.cat(found, dim=1), torch.cat([b.classes for b in batches])
    n_classes = batches[0].answers.shape[1]
    tables = [class_means(each.flatten(1), classes, n_classes) for each in z]
    return torch.stack(tables).unflatten(-1, z.shape[-2:])


def _z_at_the_end(plain: PlainTransformer, tokens: Int[Tensor, "prompt pos"]) -> list[Tensor]:
    """[prompt head d_head] of every layer, in one run."""
    x, found = plain.embed(tokens), []
    for layer in range(len(plain.blocks)):
        z = plain.complete(layer, {"resid_pre": x}, "z")["z"]
        found.append(z[:, -1])
        x = plain.complete(layer, {"resid_pre": x, "z": z})["resid_post"]
    return found


@torch.no_grad()
def swap_heads(
    plain: PlainTransformer,
    batches: Sequence[Questions],
    means: Float[Tensor, "layer class head d_head"],
    heads: Sequence[tuple[int, int]],
    n_targets: int = 3,
    seed: int = 0,
) -> HeadSwap:
    """Exchange what some heads (layer, head) bring to the prompt's end, take it out, and exchange all the others.

    means: by `head_means`, of other questions than these.
    """
    chosen = chosen_heads(means, heads)
    average = means.mean(dim=1)
    follows, without, rest, intact = [], [], [], []
    for number, batch in enumerate(batches):
        targets = other_classes(batch.classes, means.shape[1], n_targets, seed=seed + number)
        right = batch.answers.gather(1, batch.classes[:, None])[:, 0]
        for target in targets.unbind(1):
            step = means[:, target] - means[:, batch.classes]  # [layer prompt head d_head]
            wanted = batch.answers.gather(1, target[:, None])[:, 0]
            tested = wanted != right
            for these, into in ((chosen, follows), (~chosen, rest)):
                guesses = answers_with_heads(plain, batch.tokens, step * these)
                into.append((guesses == wanted)[tested])
        taken_out = answers_with_heads(plain, batch.tokens, average[:, None], instead=chosen)
        without.append(taken_out == right)
        intact.append(answers_with_heads(plain, batch.tokens, 0 * average[:, None]) == right)
    shares = (torch.cat(each).float().mean().item() for each in (follows, without, rest, intact))
    return HeadSwap(*shares)


def swap_head(
    plain: PlainTransformer,
    batches: Sequence[Questions],
    means: Float[Tensor, "layer class head d_head"],
    layer: int,
    head: int,
    n_targets: int = 3,
    seed: int = 0,
) -> HeadSwap:
    """`swap_heads` of one head."""
    return swap_heads(plain, batches, means, [(layer, head)], n_targets, seed)


def chosen_heads(
    means: Float[Tensor, "layer class head d_head"], heads: Sequence[tuple[int, int]]
) -> Bool[Tensor, "layer 1 head 1"]:
    """True for some heads.

    >>> chosen_heads(torch.zeros(2, 5, 3, 4), [(1, 2)])[:, 0, :, 0].tolist()
    [[False, False, False], [False, False, True]]
    """
    chosen = torch.zeros(means.shape[0], 1, means.shape[2], 1, dtype=torch.bool)
    for layer, head in heads:
        chosen[layer, 0, head] = True
    return chosen.to(means.device)


@torch.no_grad()
def answers_with_heads(
    plain: PlainTransformer,
    tokens: Int[Tensor, "prompt pos"],
    step: Float[Tensor, "layer #prompt head d_head"],
    instead: Bool[Tensor, "layer #prompt head 1"] | None = None,
) -> Int[Tensor, "prompt"]:
    """The most likely next tokens when steps are added to z at the prompt's end, or put in its place."""
    x = plain.embed(tokens)
    for layer in range(len(plain.blocks)):
        z = plain.complete(layer, {"resid_pre": x}, "z")["z"].clone()
        end = z[:, -1]
        z[:, -1] = (
            end + step[layer] if instead is None else torch.where(instead[layer], step[layer], end)
        )
        x = plain.complete(layer, {"resid_pre": x, "z": z})["resid_post"]
    return plain.logits_after(len(plain.blocks) - 1, x, read=-1)[:, 0].argmax(dim=-1)
