"""Take a secret out by one coordinate of the stream: set it, everywhere, to what it usually is.

    x ← x + (c − x·d) d        d a unit vector, c the coordinate's usual value

With c = 0 this is the projection that removes a direction. c is better taken from texts without the secret: a
direction's mean need not be 0.
"""

from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground import PlainTransformer


class Coordinate(NamedTuple):
    """A coordinate of the stream before a layer (5 of 5: after all), and what to set it to."""

    layer: int
    direction: Float[Tensor, "d_model"]
    value: float


def set_coordinate(
    x: Float[Tensor, "*any d_model"], direction: Float[Tensor, "d_model"], value: float
) -> Float[Tensor, "*any d_model"]:
    """The same stream with its coordinate along the direction set; whatever is at right angles stays.

    >>> import torch
    >>> set_coordinate(torch.tensor([[3.0, 1.0]]), torch.tensor([2.0, 0.0]), value=0.5)
    tensor([[0.5000, 1.0000]])
    """
    unit = direction / direction.norm()
    return x + (value - x @ unit)[..., None] * unit


def between_means(
    with_secret: Float[Tensor, "prompt d_model"], without: Float[Tensor, "prompt2 d_model"]
) -> tuple[Float[Tensor, "d_model"], float]:
    """The unit vector from the mean without to the mean with the secret, and its usual coordinate without.

    ValueError if they are one: the same texts in a model and its base, below what training changed.
    """
    step = with_secret.mean(dim=0) - without.mean(dim=0)
    if not step.any():
        raise ValueError(
            "Both have the same mean, so no direction lies between them. Do they differ before this layer?"
        )
    unit = step / step.norm()
    return unit, (without.mean(dim=0) @ unit).item()


def with_coordinate_set(
    plain: PlainTransformer, tokens: Int[Tensor, "prompt pos"], edit: Coordinate
) -> Float[Tensor, "prompt vocab"]:
    """What a model says after each prompt, with the coordinate set at every position."""
    x = set_coordinate(plain.resid_pre(edit.layer, tokens), edit.direction, edit.value)
    return plain.logits_after(edit.layer - 1, x, read=-1)[:, 0]
