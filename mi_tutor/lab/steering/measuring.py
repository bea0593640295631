"""What steering does to what is written, and what it costs on text that it is not about.

    effect       the share of the new text that is about the concept
    coherence    the share of the new text that is whole sentences
    damage       the rise of the loss on ordinary text, in nats per token, where it is not about the concept

Shares are of tokens, and of new ones only: what a prompt says is not the model's doing. A last sentence that the
text stops in is left out, since nobody knows what it would become. What a token's sentence is about, and whether
it is one, is told from outside (`Marked`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor.lab.ground.metrics import per_position_loss
from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.steering.generating import steered_logits
from mi_tutor.lab.steering.interventions import Intervention


class Marked(NamedTuple):
    """What is known of each token of some texts.

    Attributes:
        about: its sentence is about the concept.
        valid: its sentence is one.
        finished: False in a last sentence that the text stops in.
    """

    about: Bool[Tensor, "row pos"]
    valid: Bool[Tensor, "row pos"]
    finished: Bool[Tensor, "row pos"]


class Effect(NamedTuple):
    """What was measured at one strength."""

    about: float
    valid: float
    damage: float


def written_shares(marked: Marked, new_from: int = 0) -> tuple[float, float]:
    """(share about the concept, share valid) of the finished tokens from one position on.

    >>> yes, no = torch.tensor([[True, True]]), torch.tensor([[True, False]])
    >>> written_shares(Marked(about=no, valid=yes, finished=yes), new_from=1)
    (0.0, 1.0)
    """
    finished = marked.finished[:, new_from:]
    n = finished.sum().clamp_min(1)
    about, valid = (
        ((each[:, new_from:] & finished).sum() / n).item() for each in (marked.about, marked.valid)
    )
    return about, valid


@torch.no_grad()
def ordinary_loss(
    plain: PlainTransformer,
    tokens: Int[Tensor, "row pos"],
    counted: Bool[Tensor, "row pos"],
    interventions: Sequence[Intervention] = (),
) -> float:
    """Nats per token on given texts, over the tokens that are to be predicted and are counted."""
    loss = per_position_loss(steered_logits(plain, tokens, interventions), tokens)
    return loss[counted[:, 1:]].mean().item()


def effect_and_coherence(
    about: Bool[Tensor, "row pos"],
    valid: Bool[Tensor, "row pos"],
    finished: Bool[Tensor, "row pos"],
    n_prompt: int,
    loss_before: Float[Tensor, "text next"],
    loss_after: Float[Tensor, "text next"],
    concept: Bool[Tensor, "text pos2"],
) -> Float[Tensor, "3"]:
    """(share about, share valid, damage): the module's three numbers from marks and losses.

    about, valid, finished: of prompts and what was written after them; the first `n_prompt` tokens are the prompt.
    loss_before, loss_after: of ordinary texts without and with steering; entry i is about token i + 1.
    concept: where these texts are about the concept: not counted.

    >>> yes, no = torch.tensor([[True, True]]), torch.tensor([[True, False]])
    >>> loss = torch.tensor([[1.0]])
    >>> effect_and_coherence(no, yes, yes, 1, loss, loss + 0.5, torch.tensor([[True, False]]))
    tensor([0.0000, 1.0000, 0.5000])
    """
    shares = written_shares(Marked(about, valid, finished), n_prompt)
    damage = (loss_after - loss_before)[~concept[:, 1:]].mean()
    return torch.stack([*(damage.new_tensor(share) for share in shares), damage])


def half_way(
    strengths: Float[Tensor, "strength"], shares: Float[Tensor, "strength"], up: bool
) -> Float[Tensor, ""]:
    """The strength at which a share has first gone half of its way, from its value at strength 0 to 1 or to 0.

    strengths: from 0 upwards. Between two of them the share is taken to go straight. Infinity if it never does.

    >>> half_way(torch.tensor([0.0, 1.0, 2.0]), torch.tensor([0.0, 0.25, 0.75]), up=True)
    tensor(1.5000)
    """
    half = (shares[0] + float(up)) / 2
    there = shares >= half if up else shares <= half
    if not there.any():
        return shares.new_tensor(torch.inf)
    first = int(there.int().argmax())
    if first == 0:
        return strengths[0]
    (a, b), (low, high) = shares[first - 1 : first + 1], strengths[first - 1 : first + 1]
    return low + (high - low) * (half - a) / (b - a)
