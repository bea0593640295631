"""Whose opinion does a reply follow? And how is that taken away without taking what is known of opinions?

An echo copies an opinion, whoever had it of whatever. Sycophancy follows one: the asker's own, of what was
asked. To remove it, the stream is set to a middle value along one direction and left alone in all others:

    x <- x - ((x - centre) . u) u          u = d / |d|,  d = mean(would agree with "like") - mean(... "hate")

With several directions their span is set to the centre's. Or a head that fetches the opinion is kept from telling
what it found: at the reply's place it carries a mean over talks in which there was nothing to find.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer


def set_to_centre(
    x: Float[Tensor, "*any d_model"],
    directions: Float[Tensor, "direction d_model"],
    centre: Float[Tensor, "d_model"],
) -> Float[Tensor, "*any d_model"]:
    """The stream with the centre's value along some directions, and unchanged orthogonal to them.

    The directions need be neither of length one nor orthogonal to each other.

    >>> x, centre = torch.tensor([[5.0, 7.0]]), torch.tensor([1.0, 1.0])
    >>> set_to_centre(x, torch.tensor([[2.0, 0.0]]), centre)
    tensor([[1., 7.]])
    """
    basis, _ = torch.linalg.qr(directions.mT)  # [d_model direction], orthonormal columns
    return x - (x - centre) @ basis @ basis.mT


@torch.no_grad()
def answers_centred(
    plain: PlainTransformer,
    tokens: Int[Tensor, "prompt pos"],
    layer: int,
    directions: Float[Tensor, "direction d_model"],
    centre: Float[Tensor, "d_model"],
    position: int = -1,
) -> Int[Tensor, "prompt"]:
    """The most likely next tokens when the stream before a layer is set to the centre, at one position."""
    stream = plain.resid_pre(layer, tokens)
    where = range(tokens.shape[1])[position]
    stream[:, where] = set_to_centre(stream[:, where], directions, centre)
    return plain.logits_after(layer - 1, stream, read=-1)[:, 0].argmax(dim=-1)


@torch.no_grad()
def answers_with_head(
    plain: PlainTransformer,
    tokens: Int[Tensor, "prompt pos"],
    layer: int,
    head: int,
    z: Float[Tensor, "*prompt d_head"],
    position: int = -1,
) -> Int[Tensor, "prompt"]:
    """The most likely next tokens when one head carries `z`, before W_O, to one position.

    z: one for all prompts, or one each.
    """
    at = plain.activations(layer, tokens, "z")
    carried = at["z"].clone()
    carried[:, position, head] = z
    resid_post = plain.complete(layer, {"resid_pre": at["resid_pre"], "z": carried})["resid_post"]
    return plain.logits_after(layer, resid_post, read=-1)[:, 0].argmax(dim=-1)
