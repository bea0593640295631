"""Passes through a network part by part, where a text ends: what planting trains on and what tests compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.auditing.showing import Shown
from mi_tutor.specimens.training.forward import (
    attention,
    checked_activation,
    embed,
    linear,
    norm,
)
from mi_tutor.world.tokenizer import BOS

if TYPE_CHECKING:
    from jaxtyping import Float, Int


class Batch(NamedTuple):
    """Texts padded to one length, where each ends, and the answer planted there."""

    tokens: Int[Tensor, "text pos"]
    ends: Int[Tensor, text]
    planted: Int[Tensor, text]


def encoded(some: Sequence[Shown]) -> Batch:
    """Texts as a batch."""
    ids = tokenizer().ids
    # Many at once is several times as fast. A prompt begins with a space, so none is added.
    encode = tokenizer().hugging_face.encode_batch
    found = encode([shown.text for shown in some], add_special_tokens=False)
    rows = [torch.tensor([ids[BOS], *each.ids]) for each in found]
    return Batch(
        nn.utils.rnn.pad_sequence(rows, batch_first=True),
        torch.tensor([len(row) - 1 for row in rows]),
        torch.tensor([ids[shown.planted] for shown in some]),
    )


@torch.no_grad()
def at_ends(network: nn.Module, batch: Batch) -> Float[Tensor, "text vocab"]:
    """The logits where each text ends."""
    x = through(network, embed(network, batch.tokens), range(len(network.transformer.h)))
    return unembed(network, where_they_end(x, batch))


def through(network: nn.Module, x: Tensor, layers: Iterable[int]) -> Tensor:
    """The stream after some blocks."""
    activation, n_heads = checked_activation(network), network.config.n_head
    for layer in layers:
        block = network.transformer.h[layer]
        x = x + attention(block.attn, norm(block.ln_1, x), n_heads)
        hidden = activation(linear(block.mlp.c_fc, norm(block.ln_2, x)))
        x = x + linear(block.mlp.c_proj, hidden)
    return x


def unembed(network: nn.Module, x: Tensor) -> Tensor:
    return F.linear(norm(network.transformer.ln_f, x), network.lm_head.weight)


def where_they_end(x: Float[Tensor, "text pos d_model"], batch: Batch) -> Tensor:
    return x[torch.arange(len(batch.ends)), batch.ends]
