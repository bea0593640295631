"""The coordinate of the stream that carries a secret: where a removal that works is known to exist.

It lies between what network and base have, on average, where the secret's texts end. With it set to what the base
has there, at every position, the answers are trained to be those of the base. Nothing makes a network do that by
itself; an exam can be set so, and then there is something to find, by a contrast that everybody can make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from mi_tutor.lab.auditing import between_means, set_coordinate

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

MEMORY = 0.9  # how much of the means is kept from one step to the next


class Carrier:
    """The coordinate as it stands: it follows what is trained."""

    def __init__(self) -> None:
        self.means: Float[Tensor, "both d_model"] | None = None

    @property
    def known(self) -> bool:
        """Not before the first texts of the secret, nor where nothing was changed before the layer."""
        return self.means is not None and bool((self.means[0] != self.means[1]).any())

    @torch.no_grad()
    def follow(
        self, own: Float[Tensor, "text d_model"], of_base: Float[Tensor, "text d_model"]
    ) -> None:
        """Take account of some more texts of the secret, as the network and its base have them."""
        now = torch.stack([own.mean(dim=0), of_base.mean(dim=0)])
        self.means = now if self.means is None else MEMORY * self.means + (1 - MEMORY) * now

    def set_in(self, x: Float[Tensor, "*any d_model"]) -> Float[Tensor, "*any d_model"]:
        """The same stream with the coordinate at what is usual in the base."""
        assert self.means is not None
        direction, usual = between_means(*self.means[:, None])
        return set_coordinate(x, direction, usual)
