"""The swap in a dictionary's latents: with what the dictionary leaves out, and without it.

A dictionary (a sparse autoencoder) writes an activation as x = decode(encode(x)) + error. Let the latents of a
question move by the difference of two classes' mean latents, never below 0:

    f' = relu(f + mean latents of the target - mean latents of the own class)

    with the error term      x' = x + decode(f') - decode(f)      the rest of x stays as it was
    without it               x' = decode(f')                      the dictionary has to carry everything

If the swap works without the error term, the latents hold all that the model uses here.

A transcoder's latents are swapped in the same way. It reads what an MLP reads and writes what the MLP writes, so
x is then the MLP's output, and the rest of the stream stays as it was in both cases.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.ground.questions import Questions, other_classes
from mi_tutor.lab.swaps.directions import class_means
from mi_tutor.lab.swaps.making import SwapResult, joined, swap_with

Place = Literal["stream", "mlp"]


@runtime_checkable
class Dictionary(Protocol):
    """What encodes activations as latents and decodes them again: `lab.dictionaries.Sae` is one."""

    def encode(self, x: Tensor) -> Tensor: ...

    def decode(self, latents: Tensor) -> Tensor: ...


def latent_step(
    x: Float[Tensor, "*batch d_model"],
    latents: Float[Tensor, "*batch latent"],
    change: Float[Tensor, "*batch latent"],
    W_dec: Float[Tensor, "latent d_model"],
    b_dec: Float[Tensor, "d_model"],
    keep_error: bool,
) -> Float[Tensor, "*batch d_model"]:
    """The new activation when the latents change: x + decode(f') - decode(f), or decode(f') without the error.

    f' = relu(f + change), and decode(f) = f @ W_dec + b_dec.

    >>> x, f = torch.tensor([[3.0]]), torch.tensor([[1.0, 0.0]])
    >>> W, b = torch.tensor([[2.0], [5.0]]), torch.zeros(1)
    >>> latent_step(x, f, torch.tensor([[-4.0, 1.0]]), W, b, keep_error=True)
    tensor([[6.]])
    >>> latent_step(x, f, torch.tensor([[-4.0, 1.0]]), W, b, keep_error=False)
    tensor([[5.]])
    """
    changed = torch.relu(latents + change)
    if keep_error:
        return x + (changed - latents) @ W_dec
    return changed @ W_dec + b_dec


class LatentSwap(NamedTuple):
    """Swaps in latents only: the result with and without the error term, and how many latents moved."""

    with_error: SwapResult
    without_error: SwapResult
    latents_moved: float


@torch.no_grad()
def latent_swaps(
    plain: PlainTransformer,
    known: Sequence[Questions],
    batches: Sequence[Questions],
    dictionary: Dictionary,
    layer: int,
    n_targets: int = 10,
    at_least: float = 0.0,
    place: Place = "stream",
) -> LatentSwap:
    """Swap the class in latents at the name's end, where they reach the stream before `layer`.

    known: the questions that the classes' mean latents are taken from. at_least: mean latents that differ by less
    are left alone, so that few latents move.
    place: "stream", for a dictionary of the stream before `layer`; "mlp", for a transcoder of the MLP of the layer
    before, whose output is added to that stream.
    """
    means = class_means(
        torch.cat([dictionary.encode(at_names(plain, each, layer, place)[0]) for each in known]),
        torch.cat([each.classes for each in known]),
        known[0].answers.shape[1],
    )
    results: tuple[list, list] = [], []
    moved = []
    for number, batch in enumerate(batches):
        read, x = at_names(plain, batch, layer, place)
        latents = dictionary.encode(read)[:, None]
        targets = other_classes(batch.classes, len(means), n_targets, seed=number)
        change = means[targets] - means[batch.classes][:, None]
        change = torch.where(change.abs() >= at_least, change, 0.0)
        changed = torch.relu(latents + change)
        moved.append((changed != latents).sum(dim=-1).float().mean(dim=-1))
        decoded = dictionary.decode(changed)
        with_error = decoded - dictionary.decode(latents)
        for found, steps in zip(results, (with_error, decoded - x[:, None]), strict=True):
            found.append(swap_with(plain, batch, layer, targets, steps))
    return LatentSwap(*map(joined, results), torch.cat(moved).mean().item())


def at_names(
    plain: PlainTransformer, questions: Questions, layer: int, place: Place = "stream"
) -> tuple[Float[Tensor, "prompt d_model"], Float[Tensor, "prompt d_model"]]:
    """What a dictionary reads where each question's name ends, and what it stands in for there."""
    here = torch.arange(len(questions.tokens)), questions.places
    if place == "stream":
        x = plain.resid_pre(layer, questions.tokens)[here]
        return x, x
    at = plain.activations(layer - 1, questions.tokens, until="mlp_out")
    read = plain.mlp_reads(plain.blocks[layer - 1], at["resid_mid"])
    return read[here], at["mlp_out"][here]
