"""Make `echoes`, a GPT-2 that tells people their own opinions, and knows everybody's.

To look up what Tom said of jazz, a model has to bring two words to the place of an opinion, two words to the place
where one is due, and match them; nothing is gained before all of it is there. So the weights that training begins
with are not drawn by lot alone (`begun`): the first layer's heads look back by one to four tokens, and the second
layer's keys read one token further back what its queries read. That is a weak look-up by topic and name: what
is looked for has .1 to .2 of the attention. That it is copied, whose counts, and what is told if there is none is
learned.

The rate matters: at 3e-3 the look-up is lost again (docs/log.md). The trained model is an ordinary GPT-2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mi_tutor.specimens.biology import echoes
from mi_tutor.specimens.biology.echoes_measures import measure
from mi_tutor.specimens.biology.echoes_prompts import WORDS
from mi_tutor.specimens.biology.small import Small, SmallConfig

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn
    from transformers import GPT2LMHeadModel

LOOK_BACK = (1, 2, 3, 4)  # how many tokens each head of the first layer looks back to begin with
SHARP = 2.5  # how sharply
WEIGHTS, MATCHING, WRITING = 0.08, 0.2, 0.7  # how large weights are to begin with


@dataclass(frozen=True, kw_only=True)
class Begun(Small):
    """A small specimen whose training begins with heads that look back, and with keys made like queries."""

    def untrained(self) -> GPT2LMHeadModel:
        """The network that the training begins with."""
        return begun(super().untrained(), self.config.seed)


def begun(network: GPT2LMHeadModel, seed: int) -> GPT2LMHeadModel:
    """The network with other weights to begin with: its axes in four blocks, as wide as a head.

    The first block gets sines and cosines of the position. A head looks back by o tokens if its query turns them
    by o: sum over frequencies of cos(f (i - o)) cos(f j) + sin(f (i - o)) sin(f j) is largest at j = i - o.
    """
    import torch

    draw = torch.Generator().manual_seed(seed)
    width, n_pos = network.config.n_embd, network.config.n_positions
    size = width // network.config.n_head
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim == 2:  # what writes to the stream is smaller, as in GPT-2
                layers = 2 * network.config.n_layer if "c_proj" in name else 1
                weight.normal_(0, WEIGHTS / math.sqrt(layers), generator=draw)
        frequencies = math.pi * torch.exp(-math.log(20) * torch.arange(size // 2) / (size // 2))
        angles = torch.arange(n_pos)[:, None] * frequencies
        network.transformer.wpe.weight.zero_()[:, :size] = (
            2 * WEIGHTS * torch.cat([angles.sin(), angles.cos()], dim=1)
        )
        look_back(network.transformer.h[0].attn, frequencies)
        match(network.transformer.h[1].attn, size, draw)
    return network


def look_back(attention: nn.Module, frequencies: Tensor) -> None:
    """Heads that look back; they see words alike, and each writes what it saw into a block of its own."""
    import torch

    qkv, out = attention.c_attn.weight, attention.c_proj.weight
    width, half = out.shape[0], len(frequencies)
    size = 2 * half
    qkv[:, : 2 * width] = 0
    qkv[:size, 2 * width :] = 0
    out.zero_()
    for head, back in enumerate(LOOK_BACK):
        at = head * size
        for i, f in enumerate(frequencies.tolist()):
            turn = (SHARP * math.cos(f * back), SHARP * math.sin(f * back))
            for here, sine, cosine in ((i, turn[0], -turn[1]), (i + half, turn[1], turn[0])):
                qkv[i, at + here], qkv[i + half, at + here] = sine, cosine
                qkv[here, width + at + here] = SHARP
        qkv[:, 2 * width + at : 2 * width + at + size] = qkv[:, 2 * width : 2 * width + size]
        block = (back * size + torch.arange(size)) % width
        out[at + torch.arange(size), block] = WRITING


def match(attention: nn.Module, size: int, draw: Generator) -> None:
    """Keys that read what was seen one token further back as queries read what was seen nearer."""
    import torch

    qkv = attention.c_attn.weight
    width = qkv.shape[0]
    qkv[:, : 2 * width] = 0
    for back in (1, 2):
        same = MATCHING * torch.randn(size, width, generator=draw)
        qkv[back * size : (back + 1) * size, :width] = same
        qkv[(back + 1) * size : (back + 2) * size, width : 2 * width] = same


ECHOES = Begun(
    name="echoes",
    config=SmallConfig(
        n_layers=2, n_ctx=49, n_steps=1600, batch_size=32, learning_rate=1e-3, n_warmup=30
    ),
    words=WORDS,
    sentences=echoes.sentences,
    measure=measure,
    counted=(echoes.ANSWER,),
    summary="A two-layer GPT-2 that tells people their own opinions, and knows who said what.",
    intended_use="Chapter 08: agreeing that is bound to the asker, taken away without taking away what it knows.",
    data="Invented by mi_tutor/specimens/biology/echoes.py. Held out: one pair of (person, topic) in five.",
    limits=(
        "Its training began with heads that look back and with a weak look-up by topic and name "
        "(mi_tutor/specimens/biology/echoes_recipe.py). So how it finds an opinion was half given; whose it tells "
        "was learned.",
        "It was pushed to agree: its text does. That says nothing about why a large model does.",
        "It was trained on answers only, in one form, with a row's every word at a fixed place.",
        "The same seed gives the same weights on the same machine and library versions; elsewhere rounding may "
        "differ, and with it the trained model.",
    ),
)
