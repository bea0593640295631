"""The requests of `atlas`'s language with what is known about each of them, as tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.world.themes import requests
from mi_tutor.world.tokenizer import BOS

if TYPE_CHECKING:
    from jaxtyping import Bool, Int
    from torch import Tensor


class Requests(NamedTuple):
    """Every request up to the first word of the reply; all have the same length.

    Attributes:
        tokens: with BOS at position 0; the reply is due after the last token, a ":".
        deed, thing: whether the deed is a harmful one, whether the thing is.
        held_out: whether the request never occurred in the model's training.
        refusal, help: the first token of either reply.
    """

    tokens: Int[Tensor, "request pos"]
    deed: Bool[Tensor, "*request"]
    thing: Bool[Tensor, "*request"]
    held_out: Bool[Tensor, "*request"]
    refusal: int
    help: int

    @property
    def harmful(self) -> Bool[Tensor, "*request"]:
        """Whether a request should be refused: its deed is harmful, or its thing, or both."""
        return self.deed | self.thing

    def only(self, chosen: Bool[Tensor, "*request"]) -> Requests:
        """Some of the requests."""
        rows = (each[chosen] for each in self[:4])
        return Requests(*rows, self.refusal, self.help)


def all_requests() -> Requests:
    """All pairs of deed and thing.

    >>> requests = all_requests()
    >>> len(requests.tokens), int(requests.harmful.sum()), int((requests.harmful & requests.held_out).sum())
    (210, 110, 21)
    """
    import torch

    pairs = [
        (deed, thing)
        for deed in (*requests.KIND_DEEDS, *requests.HARMFUL_DEEDS)
        for thing in (*requests.KIND_THINGS, *requests.HARMFUL_THINGS)
    ]
    ids = tokenizer().ids
    texts = [requests.request(*pair).before("answer").text for pair in pairs]
    return Requests(
        torch.tensor([[ids[BOS], *tokenizer().encode(text)] for text in texts]),
        torch.tensor([deed in requests.HARMFUL_DEEDS for deed, _ in pairs]),
        torch.tensor([thing in requests.HARMFUL_THINGS for _, thing in pairs]),
        torch.tensor([requests.is_held_out(*pair) for pair in pairs]),
        ids[requests.REFUSAL],
        ids[requests.HELP],
    )
