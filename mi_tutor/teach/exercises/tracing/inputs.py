"""Random models, recordings, transcoders and graphs of chapter 06, as inputs for cases.

A random model is small enough to be made anew for every run, and has what a trained one lacks: LayerNorms whose
scales and shifts are not folded away, and other numbers of layers, heads and positions than the chapter's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from mi_tutor.lab.ground.plain import Affine, Block, PlainTransformer
from mi_tutor.lab.tracing import Recording, record
from mi_tutor.teach.exercise import Handle
from mi_tutor.teach.exercises.making import normal, uniform


@dataclass(frozen=True)
class Size:
    """Of a random model and a prompt."""

    n_layers: int = 3
    d_model: int = 12
    n_heads: int = 3
    n_pos: int = 5
    n_vocab: int = 17


def random_plain(g: torch.Generator, size: Size) -> PlainTransformer:
    """A GPT-2 with random weights, biases in every place."""
    d = size.d_model

    def weights(n: int, m: int) -> Affine:
        return Affine(normal(g, n, m) / n**0.5, 0.3 * normal(g, m))

    def norm() -> Affine:
        return Affine(1 + 0.3 * normal(g, d), 0.3 * normal(g, d))

    def block() -> Block:
        return Block(
            norm(), weights(d, 3 * d), weights(d, d), norm(), weights(d, 2 * d), weights(2 * d, d)
        )

    return PlainTransformer(
        W_E=normal(g, size.n_vocab, d),
        W_pos=normal(g, 2 * size.n_pos, d) / 2,
        blocks=tuple(block() for _ in range(size.n_layers)),
        ln_final=norm(),
        unembed=weights(d, size.n_vocab),
        n_heads=size.n_heads,
        eps=1e-5,
        activation=partial(F.gelu, approximate="tanh"),
    )


def model_and_recording(g: torch.Generator, size: Size) -> tuple[Handle, Handle, Recording]:
    """A random model, its recording on a random prompt, both made anew for every run; and the recording itself."""
    seed = int(torch.randint(2**31, (), generator=g))
    tokens = torch.randint(size.n_vocab, (size.n_pos,), generator=g)

    def plain() -> PlainTransformer:
        return random_plain(torch.Generator().manual_seed(seed), size)

    def seen() -> Recording:
        return record(plain(), tokens)

    return (
        Handle(f"a random model of {size.n_layers} layers", plain),
        Handle(f"what it did on {tokens.tolist()}", seen),
        seen(),
    )


def clt_weights(
    g: torch.Generator, n_layers: int, m: int, d: int, dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """Weights of a cross-layer transcoder, with nothing written to earlier layers."""
    W_dec = normal(g, n_layers, m, n_layers, d, dtype=dtype)
    for layer in range(n_layers):
        W_dec[layer, :, :layer] = 0
    return {
        "W_enc": normal(g, n_layers, d, m, dtype=dtype),
        "b_enc": 0.3 * normal(g, n_layers, m, dtype=dtype),
        "threshold": uniform(g, n_layers, m, low=0.2, high=1.5, dtype=dtype),
        "W_dec": W_dec,
        "b_dec": normal(g, n_layers, d, dtype=dtype),
    }


@dataclass(frozen=True)
class RandomGraph:
    """A graph without a way back: signed weights, rows of errors and embeddings 0."""

    adjacency: Tensor
    weights: Tensor
    is_error: Tensor
    is_embedding: Tensor


def random_graph(
    g: torch.Generator,
    n_latents: int,
    n_errors: int,
    n_embeddings: int,
    n_logits: int,
    dtype: torch.dtype = torch.float32,
    orphan: bool = False,
) -> RandomGraph:
    """Latents feed later latents; everything feeds logits. orphan: one latent has no input at all."""
    n = n_latents + n_errors + n_embeddings + n_logits
    kind = torch.tensor([0] * n_latents + [1] * n_errors + [2] * n_embeddings + [3] * n_logits)
    adjacency = normal(g, n, n, dtype=dtype) * (uniform(g, n, n) < 0.7)
    earlier = torch.ones(n, n, dtype=torch.bool).tril(-1)
    may = (kind[None] != 3) & (kind[:, None] != 1) & (kind[:, None] != 2)
    may &= earlier | (kind[None] != 0) | (kind[:, None] == 3)
    adjacency = torch.where(may, adjacency, 0.0)
    adjacency[n_latents + n_errors + n_embeddings :, 0] = 1.3  # no logit without an input
    if orphan:
        adjacency[n_latents // 2] = 0
    share = uniform(g, n_logits, low=0.2, dtype=dtype)
    weights = torch.zeros(n, dtype=dtype)
    weights[kind == 3] = 0.95 * share / share.sum()
    order = torch.randperm(n, generator=g)  # no order of nodes to rely on
    return RandomGraph(
        adjacency[order][:, order], weights[order], (kind == 1)[order], (kind == 2)[order]
    )
