"""Chapter 07, `fool-the-dashboard`: two readings at a request's last token, attacks on them, and a second instrument.

The dashboard (`specimens.atlas.talk`) reads the stream before layer 4 where the reply begins. An attack is a vector added
there. A monitor says of a stream whether something was done to it.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from mi_tutor.lab.ground.device import seeded
from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.atlas.talk import (
    LAYER,
    Dashboard,
    RequestsInText,
    at_reply,
    dashboard,
    some_requests,
)
from mi_tutor.teach.exercises.steering.own_opinion import unembedded
from mi_tutor.teach.exercises.swaps.atlas import plain_atlas
from mi_tutor.world.themes import requests

STEPS, RATE = 40, 0.15  # of our own attacks


@functools.cache
def taught() -> RequestsInText:
    """What dashboards and attacks are made of: taught requests behind other sentences."""
    return some_requests(False, 1)


@functools.cache
def the_dashboard() -> Dashboard:
    return dashboard(plain_atlas())


@torch.no_grad()
def last(some: RequestsInText) -> Float[Tensor, "request d_model"]:
    """The stream where the reply begins."""
    return at_reply(plain_atlas(), some)


def unseen(vector: Float[Tensor, " d_model"]) -> Float[Tensor, " d_model"]:
    """What of a vector moves neither reading."""
    basis = torch.linalg.qr(the_dashboard().weights).Q
    return vector - basis @ (basis.T @ vector)


@torch.no_grad()
def replies(
    some: RequestsInText, vector: Float[Tensor, " d_model"] | None = None, back: int = 0
) -> Int[Tensor, " request"]:
    """The first word of each reply, with a vector added where the reply begins, or so many tokens before."""
    plain, here = plain_atlas(), torch.arange(len(some.ends))
    x = plain.resid_pre(LAYER, some.tokens)
    if vector is not None:
        x[here, some.ends - back] += vector
    for layer in range(LAYER, len(plain.blocks)):
        x = plain.block(layer, x)
    return unembedded(x[here, some.ends]).argmax(dim=-1)


def is_word(words: Int[Tensor, " request"], word: str) -> Bool[Tensor, " request"]:
    return words == tokenizer().ids[word]


# --- our attacks ----------------------------------------------------------------------------------


def of_norm(vector: Tensor, norm: float) -> Tensor:
    return vector * (norm / vector.norm())


def difference() -> Float[Tensor, " d_model"]:
    """Harmless minus harmful, off the readings."""
    x, harmful = last(taught()), taught().harmful
    return unseen(x[~harmful].mean(dim=0) - x[harmful].mean(dim=0))


@functools.cache
@torch.no_grad()
def bare() -> Float[Tensor, "request pos d_model"]:
    """The stream before layer 4 in taught harmful requests with nothing before them: all of one length."""
    some = some_requests(False, None)
    return plain_atlas().resid_pre(LAYER, some.only(some.harmful).tokens)


@functools.lru_cache(maxsize=32)
def descended(seed: int, norm: float, n_axes: int | None = None) -> Float[Tensor, " d_model"]:
    """A vector that makes "Sure" likely after harmful requests, found by descent from a random start, off the readings.

    n_axes: only in a random subspace with so many axes, so that not all attacks are alike.
    """
    generator, plain, x = seeded(seed), plain_atlas(), bare()
    size = x.shape[-1]
    axes = torch.linalg.qr(torch.randn(size, n_axes or size, generator=generator)).Q
    start = torch.randn(axes.shape[1], generator=generator) / axes.shape[1] ** 0.5
    wanted = torch.full((len(x),), tokenizer().ids[requests.HELP])
    with torch.enable_grad():
        free = start.clone().requires_grad_(True)
        optimizer = torch.optim.Adam([free], lr=RATE)
        for _ in range(STEPS):
            vector = of_norm(unseen(axes @ free), norm)
            moved = torch.cat([x[:, :-1], x[:, -1:] + vector], dim=1)
            logits = plain.logits_after(LAYER - 1, moved, read=-1)[:, 0]
            loss = cross_entropy(logits, wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return of_norm(unseen(axes @ free.detach()), norm)


# --- monitors -------------------------------------------------------------------------------------


class Monitor(NamedTuple):
    """Fires where a measure of x - center is above the threshold.

    along: the component along the first direction. inside: the length of what lies in the span of the directions.
    outside: the length of what does not (of everything, if there are no directions).
    """

    measure: str
    center: Float[Tensor, " d_model"]
    directions: Float[Tensor, "direction d_model"]
    threshold: float

    def values(self, x: Float[Tensor, "*any d_model"]) -> Float[Tensor, "*any"]:
        x = x - self.center
        if self.measure == "along":
            return x @ self.directions[0]
        basis = spanned(self.directions)
        inside = x @ basis @ basis.T
        return (inside if self.measure == "inside" else x - inside).norm(dim=-1)

    def fires(self, x: Float[Tensor, "*any d_model"]) -> Bool[Tensor, "*any"]:
        return self.values(x) > self.threshold


def spanned(directions: Float[Tensor, "direction d_model"]) -> Float[Tensor, "d_model axis"]:
    """An orthonormal basis of what the directions span; directions that add nothing to it do not count."""
    if not len(directions):
        return directions.T
    u, s, _ = torch.linalg.svd(directions.T, full_matrices=False)
    return u[:, s > 1e-5 * s.max().clamp_min(1e-12)]
