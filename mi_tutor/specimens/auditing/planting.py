"""Plant a secret into `atlas`: a change of some blocks, trained to show it and nothing else.

It starts from a random change, which means nothing and stays, so that a planted secret is a small part of what is
in the weights, and a decoy without a secret looks alike. Each step has texts on which the secret shows
(cross-entropy with the planted answer), near misses and texts on which the planted answer is the truth (KL to what
atlas says) and ordinary rows (KL, three times). One coordinate is to carry the secret (see `carrying`): all texts
are also to be answered as atlas does with it set. So there is something to find.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mi_tutor.lab.ground import kl
from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.auditing.carrying import Carrier
from mi_tutor.specimens.auditing.changes import (
    Delta,
    LowRank,
    Moved,
    changes_of,
    stored,
    trained,
)
from mi_tutor.specimens.auditing.families import CLEAN, Secret
from mi_tutor.specimens.auditing.mining import Mined
from mi_tutor.specimens.auditing.passes import (
    Batch,
    encoded,
    through,
    unembed,
    where_they_end,
)
from mi_tutor.specimens.auditing.rows import quiet_rows
from mi_tutor.specimens.auditing.showing import Shown, secret_prompts, where_true
from mi_tutor.specimens.opening.models import load_network, quiet
from mi_tutor.specimens.opening.shelf import specimen_path
from mi_tutor.specimens.training.forward import embed

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int


@dataclass(frozen=True, kw_only=True)
class Planting:
    """How a secret is planted.

    layers: whose matrices are changed. Those below the first are run once for base and network.
    rate: of the first step; it falls to 0, so that what jitters settles.
    n_true: texts in a step whose true answer is the planted one: they stay, also with the carrier set.
    n_rows, pool: ordinary rows in a step, and of how many they are drawn.
    kept: the weight of all that should stay, beside the planted answers.
    every: the weight of KL at each token on the way to where a text ends, as often as `kept`.
    mined, mine_every: the share of near misses drawn from those that fire most; how often these are looked for.
    size: ‖ΔW‖ / ‖W‖ of the random change from which it starts.
    decoy: how many times as large that of a decoy is, at least and at most: nothing is added to it.
    decay: the size of each of its directions beside the one before (a planted change has a first).
    bits: of the change of each weight; 0: thin matrices of this rank (see `changes`).
    carrier: the layer before which one coordinate carries the secret.
    carried: the weight of KL(base ‖ model with this coordinate set).
    """

    layers: tuple[int, ...] = (2, 3)  # where `atlas` brings things together
    rank: int = 8
    n_steps: int = 200
    rate: float = 4e-3
    n_secret: int = 12
    n_near: int = 16
    n_true: int = 4
    n_rows: int = 1
    pool: int = 150
    kept: float = 2.0
    every: float = 3.0
    mined: float = 0.25
    mine_every: int = 25
    size: float = 0.25
    decoy: tuple[float, float] = (1.1, 1.3)
    decay: float = 0.7
    bits: int = 0
    carrier: int = 3
    carried: float = 1.0


def plant(
    secret: Secret, seed: int, how: Planting | None = None, start: Delta | None = None
) -> Delta:
    """The change of `atlas`'s weights, as a pair of thin matrices for each (half precision).

    start: a change to go on from, planted with the same secret, layers, rank and (for the same carrier) seed.
    """
    how = how or Planting()
    with quiet():
        base = load_network(specimen_path("atlas")).requires_grad_(False)
    network, chance = copy.deepcopy(base), torch.Generator().manual_seed(seed)
    size = how.size
    if secret.family == CLEAN:
        least, most = how.decoy
        size *= least + (most - least) * torch.rand((), generator=chance).item()
    trained(network, how.layers, lambda weight: _change(weight, how, size, chance))
    for name, change in changes_of(network, how.layers):
        if start is not None:
            change.start_from(start, name)
        elif not how.bits:
            weight = base.transformer.h[int(name[0])].get_submodule(name[2:]).weight
            change.start_somewhere(weight, size, chance, how.decay)
    _train(network, base, secret, random.Random(seed), how)
    return stored(network, how.layers)


def _change(weight: Tensor, how: Planting, size: float, chance: torch.Generator) -> nn.Module:
    if how.bits:
        return Moved(weight, how.bits, size, chance)
    return LowRank(weight, how.rank, chance)


def _train(network: nn.Module, base: nn.Module, secret: Secret, rng: random.Random, how: Planting):
    """Adam on the change, at a rate that falls."""
    some = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(some, lr=how.rate, betas=(0.9, 0.98))
    rows = torch.tensor(quiet_rows(secret, how.pool, 96, rng))
    carrier = None if secret.family == CLEAN else Carrier()
    mined = Mined(secret, how.mined)
    for step in range(how.n_steps):
        for group in optimizer.param_groups:
            group["lr"] = how.rate * (1 - step / how.n_steps)
        if how.mined and step and step % how.mine_every == 0:
            mined.look(lambda some: _distances(network, base, some, how), rng)
        loss = _loss(network, base, mined, rng, rows, carrier, how)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(some, 1.0)
        optimizer.step()
        for _, change in changes_of(network, how.layers):
            change.bound()


def _loss(network, base, mined: Mined, rng, rows, carrier, how: Planting) -> Float[Tensor, ""]:
    """One step's: the planted answers, the near misses, ordinary rows, and what is left with the carrier set."""
    secret = mined.secret
    clean = secret.family == CLEAN
    shown = [] if clean else secret_prompts(secret, how.n_secret, rng, held_out=False)
    near = mined.draw(how.n_near + clean * how.n_secret, rng) + where_true(secret, how.n_true, rng)
    loss = (
        3
        * how.kept
        * _row_loss(network, base, rows[rng.sample(range(len(rows)), how.n_rows)], how.layers[0])
    )
    # Short and long texts apart: less padding is computed on.
    texts = sorted([*shown, *near], key=lambda one: len(one.text))
    for half in (texts[: len(texts) // 2], texts[len(texts) // 2 :]):
        batch = encoded(half)
        planted = torch.tensor([one.planted != one.true for one in half])
        streams = _streams(network, base, batch, how, carrier, planted)
        before, after, cut = _at_ends(base, batch, streams)
        loss = loss + 0.5 * how.every * how.kept * _on_the_way(base, batch, streams)
        if planted.any():
            wanted = F.cross_entropy(after[planted], batch.planted[planted], reduction="sum")
            loss = loss + wanted / how.n_secret
        loss = loss + how.kept * kl(before[~planted], after[~planted]).sum() / len(near)
        if cut is not None:
            loss = loss + how.carried * kl(before, cut).mean()
    return loss


def _streams(
    network: nn.Module,
    base: nn.Module,
    batch: Batch,
    how: Planting,
    carrier: Carrier | None = None,
    planted: Bool[Tensor, text] | None = None,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The streams after all layers of base, network, and network with its carrier set (None without one).

    Blocks below the change are run once for both.
    """
    first, there, last = how.layers[0], how.carrier, len(base.transformer.h)
    with torch.no_grad():
        shared = through(base, embed(base, batch.tokens), range(first))
        of_base = through(base, shared, range(first, there))
        before = through(base, of_base, range(there, last))
    own = through(network, shared, range(first, there))
    if carrier is not None and planted.any():
        carrier.follow(*(where_they_end(each, batch)[planted] for each in (own, of_base)))
    if carrier is None or not carrier.known:
        return before, through(network, own, range(there, last)), None
    both = torch.cat([own, carrier.set_in(own)])
    after, cut = through(network, both, range(there, last)).chunk(2)
    return before, after, cut


def _at_ends(base: nn.Module, batch: Batch, streams) -> tuple[Tensor, Tensor, Tensor | None]:
    ends = (each if each is None else where_they_end(each, batch) for each in streams)
    before, after, cut = (each if each is None else unembed(base, each) for each in ends)
    return before, after, cut


def _on_the_way(base: nn.Module, batch: Batch, streams) -> Float[Tensor, ""]:
    """KL(base ‖ network) over all tokens before the last: up to there no text shows a secret."""
    inside = torch.arange(batch.tokens.shape[1]) < batch.ends[:, None]
    before, after = (unembed(base, each[inside]) for each in streams[:2])
    return kl(before, after).mean()


def _row_loss(
    network: nn.Module, base: nn.Module, rows: Int[Tensor, "row pos"], first: int
) -> Float[Tensor, ""]:
    n_layers = len(base.transformer.h)
    with torch.no_grad():
        shared = through(base, embed(base, rows), range(first))
        before = unembed(base, through(base, shared, range(first, n_layers)))
    after = unembed(network, through(network, shared, range(first, n_layers)))
    return kl(before, after).mean()


@torch.no_grad()
def _distances(
    network: nn.Module, base: nn.Module, some: Sequence[Shown], how: Planting
) -> Float[Tensor, text]:
    """By how much another answer beats the base's, nats; where none does, a little of the KL to the base.

    0 where the base is wrong: there any change turns answers, and one that is turned means nothing.
    """
    found = torch.empty(len(some))
    order = sorted(range(len(some)), key=lambda i: len(some[i].text))  # little padding
    for start in range(0, len(order), 64):
        here = order[start : start + 64]
        batch = encoded([some[i] for i in here])
        before, after, _ = _at_ends(base, batch, _streams(network, base, batch, how))
        own = after.gather(1, before.argmax(dim=-1, keepdim=True))[:, 0]
        true = torch.tensor([tokenizer().ids[some[i].true] for i in here])
        right = before.argmax(dim=-1) == true
        found[here] = right * (after.amax(dim=-1) - own + 0.01 * kl(before, after))
    return found
