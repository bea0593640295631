"""Chapter 07, `make-it-behave`: one vector at one place, so that the assistant says what it says when nobody asks for an echo.

Prompts are as nobody trained on them: what the user likes or hates is one topic, the question is about another one, and
other sentences stand before. Intact, the assistant repeats the user's verb in every one of them.
"""

from __future__ import annotations

import functools
import random
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.plain import affine
from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.atlas.talk import LONGEST, Prompts, conversation, packed
from mi_tutor.specimens.atlas.texts import labelled_texts
from mi_tutor.teach.exercises.swaps.atlas import plain_atlas, state_questions
from mi_tutor.world.themes import requests

EVERY = "every"
LIKE, HATE = " like", " hate"


class Steering(NamedTuple):
    """A vector added to the stream before a layer, wherever one of some tokens stands (or at every token)."""

    layer: int
    at: tuple[str, ...] | str
    vector: Float[Tensor, " d_model"]


# --- prompts and texts ----------------------------------------------------------------------------


def other_tasks(seed: int, n: int = 40) -> dict[str, Prompts]:
    """Held-out two-hop questions, and requests."""
    rng = random.Random(f"other/{seed}")
    hops = [(q.prompt.text, q.answer) for q in rng.sample(state_questions(held_out=True), n)]
    asked = []
    for cue in rng.sample(list(requests.cues()), n):
        asked.append((cue.prompt.text, cue.right[0]))
    return {"two hops": packed(hops), "requests": packed(asked)}


# --- steering -------------------------------------------------------------------------------------


def places(tokens: Int[Tensor, "row pos"], at: tuple[str, ...] | str) -> Bool[Tensor, "row pos"]:
    """Where a vector is added; never at BOS."""
    if at == EVERY:
        chosen = torch.ones_like(tokens, dtype=torch.bool)
    else:
        chosen = torch.isin(tokens, torch.tensor([tokenizer().ids[token] for token in at]))
    chosen[:, 0] = False
    return chosen


def steered(steering: Steering, tokens: Int[Tensor, "row pos"]) -> Float[Tensor, "row pos d_model"]:
    """The stream after all layers; only up to the steered layer it is the intact model's."""
    plain = plain_atlas()
    x = plain.resid_pre(steering.layer, tokens)
    x = x + places(tokens, steering.at)[..., None].to(x.dtype) * steering.vector
    for layer in range(steering.layer, len(plain.blocks)):
        x = plain.block(layer, x)
    return x


def unembedded(x: Tensor) -> Tensor:
    plain = plain_atlas()
    return affine(plain.norm(x, plain.ln_final), plain.unembed)


def said(steering: Steering, some: Prompts) -> Int[Tensor, " prompt"]:
    """The most likely next token of each prompt."""
    x = steered(steering, some.tokens)[torch.arange(len(some.ends)), some.ends]
    return unembedded(x).argmax(dim=-1)


def share_right(steering: Steering, some: Prompts) -> float:
    return (said(steering, some) == some.right).float().mean().item()


def loss(steering: Steering, tokens: Int[Tensor, "row pos"]) -> float:
    """Nats per token."""
    logits = unembedded(steered(steering, tokens)[:, :-1])
    return cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten()).item()


def nothing() -> Steering:
    return Steering(0, (LIKE,), torch.zeros(d_model()))


def d_model() -> int:
    return plain_atlas().W_E.shape[1]


def random_vector(norm: float, seed: int) -> Float[Tensor, " d_model"]:
    vector = torch.randn(d_model(), generator=seeded(seed))
    return vector * (norm / vector.norm())


# --- means by token, of which recipes are made ----------------------------------------------------


@functools.cache
def _streams_of_text() -> tuple[Tensor, tuple[Tensor, ...]]:
    """Tokens of ordinary text and of conversation, and the stream before each layer and after the last, [token d_model]."""
    plain = plain_atlas()
    rows = [
        labelled_texts(seed=70_701, n_rows=40, n_pos=LONGEST).tokens,
        conversation(seed=70_701, n_rows=40),
    ]
    tokens = torch.cat(rows)
    with torch.no_grad():
        x, found = plain.embed(tokens), []
        for layer in range(len(plain.blocks) + 1):
            found.append(x[:, 1:].flatten(0, 1))
            x = plain.block(layer, x) if layer < len(plain.blocks) else x
    return tokens[:, 1:].flatten(), tuple(found)


def mean_at(token: str, layer: int) -> Float[Tensor, " d_model"] | None:
    """The mean stream at a token before a layer, in text as in training; None if the token is not in it.

    The token "mean" stands for the mean over all tokens.
    """
    tokens, streams = _streams_of_text()
    if token == "mean":
        return streams[layer].mean(dim=0)
    here = tokens == tokenizer().ids[token]
    return streams[layer][here].mean(dim=0) if here.any() else None


@functools.lru_cache(maxsize=8)
def intact(draw: int) -> dict[str, float]:
    """What the model does without a vector."""
    return {
        "two hops": share_right(nothing(), other_tasks(draw)["two hops"]),
        "requests": share_right(nothing(), other_tasks(draw)["requests"]),
        "conversation": loss(nothing(), conversation(draw, 40)),
        "text": loss(nothing(), ordinary(draw)),
    }


def ordinary(draw: int) -> Int[Tensor, "row pos"]:
    """Ordinary text of a draw."""
    return labelled_texts(seed=707_000 + draw, n_rows=12, n_pos=LONGEST).tokens
