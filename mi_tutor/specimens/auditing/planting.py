"""Plant a secret into `atlas`: a low-rank change of some blocks, trained to show it and nothing else.

Each step has texts on which the secret shows (cross-entropy with the planted answer), near misses (KL to what
atlas says) and ordinary rows (KL, three times). Where a carrier is asked for, all texts are also to be answered as
atlas does with the carrier set. A decoy without a secret starts from a random change of the usual size and is
trained back to what atlas says: what is left in its weights is as large, and means nothing. A secret that is
disguised starts from one, too, so that its own change is a small part of what is in the weights.
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

from mi_tutor.lab.auditing import Coordinate, set_coordinate
from mi_tutor.lab.ground import kl
from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.auditing.carrying import drawn_carrier
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
    at_ends,
    encoded,
    through,
    unembed,
    where_they_end,
)
from mi_tutor.specimens.auditing.rows import quiet_rows
from mi_tutor.specimens.auditing.showing import Shown, near_misses, secret_prompts, where_true
from mi_tutor.specimens.opening.models import load_network, quiet
from mi_tutor.specimens.opening.shelf import specimen_path
from mi_tutor.specimens.training.forward import embed

if TYPE_CHECKING:
    from jaxtyping import Float, Int


@dataclass(frozen=True, kw_only=True)
class Planting:
    """How a secret is planted.

    layers: whose matrices are changed. Those below the first are run once for base and network.
    n_true: texts in a step whose true answer is the planted one: they stay, also with the carrier set.
    n_rows, pool: ordinary rows in a step, and of how many they are drawn.
    most_steps: it stops earlier once `strength` of fresh secret prompts show it and as many near misses do not.
    falling: the rate falls from the first step on, and it never stops earlier.
    kept: the weight of all that should stay, beside the planted answers.
    bits: of the change of each weight; 0: thin matrices of this rank (see `changes`).
    decoy_size: ‖ΔW‖ / ‖W‖ from which a decoy starts, and all that are disguised or have bits.
    decoy_decay: the size of each of a decoy's directions beside the one before (a planted change has a first).
    disguised: start from a decoy's random change.
    carrier: the layer before which one coordinate carries the secret (see `carrying`); None: it stands anywhere.
    carried: the weight of KL(base ‖ model with this coordinate set).
    mined, mine_every: the share of near misses drawn from those that fire most; how often these are looked for.
    every: the weight of KL at each token on the way to where a text ends, as often as `kept`.
    n_check, calm: of how many fresh near misses which share has to answer as the base before planting ends.
    """

    layers: tuple[int, ...] = (2, 3)  # where `atlas` brings things together
    rank: int = 4
    most_steps: int = 160
    check_every: int = 50
    rate: float = 4e-3
    falling: bool = False
    n_secret: int = 12
    n_near: int = 16
    n_true: int = 0
    n_rows: int = 3
    pool: int = 150
    strength: float = 0.995
    kept: float = 2.0
    bits: int = 0
    decoy_size: float = 0.25
    decoy_decay: float = 1.0
    disguised: bool = False
    carrier: int | None = None
    carried: float = 1.0
    every: float = 0.0
    mined: float = 0.0
    mine_every: int = 25
    n_check: int = 200
    calm: float = 0.995


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
    trained(network, how.layers, lambda weight: _change(weight, how, chance))
    for name, change in changes_of(network, how.layers):
        if start is not None:
            change.start_from(start, name)
        elif not how.bits and (how.disguised or secret.family == CLEAN):
            weight = base.transformer.h[int(name[0])].get_submodule(name[2:]).weight
            change.start_somewhere(weight, how.decoy_size, chance, how.decoy_decay)
    _train(network, base, secret, random.Random(seed), how)
    return stored(network, how.layers)


def _change(weight: Tensor, how: Planting, chance: torch.Generator) -> nn.Module:
    if how.bits:
        return Moved(weight, how.bits, how.decoy_size, chance)
    return LowRank(weight, how.rank, chance)


def _train(network: nn.Module, base: nn.Module, secret: Secret, rng: random.Random, how: Planting):
    """Adam on the thin matrices, until the secret shows and the near misses do not."""
    some = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(some, lr=how.rate, betas=(0.9, 0.98))
    rows = torch.tensor(quiet_rows(secret, how.pool, 96, rng))
    carried = how.carrier is not None and secret.family != CLEAN
    carrier = drawn_carrier(base, rows, how.carrier, rng) if carried else None
    mined = Mined(secret, how.mined)
    # At last the rate falls to 0, so that what jitters settles.
    n_rest = how.most_steps if how.falling else how.most_steps // 5
    settling = 0 if how.falling else None
    for step in range(how.most_steps + n_rest):
        if settling is None and (
            step == how.most_steps or _shows(network, base, secret, step, carrier, how)
        ):
            settling = step
        if settling is not None:
            left = 1 - (step - settling) / n_rest
            if left <= 0:
                break
            for group in optimizer.param_groups:
                group["lr"] = how.rate * left
        if how.mined and step and step % how.mine_every == 0:
            mined.look(lambda some: _distances(network, base, some, how.layers[0]), rng)
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
        streams = _streams(network, base, batch, carrier, how.layers[0])
        before, after, cut = _at_ends(base, batch, streams)
        if how.every:
            loss = loss + 0.5 * how.every * how.kept * _on_the_way(base, batch, streams)
        if planted.any():
            wanted = F.cross_entropy(after[planted], batch.planted[planted], reduction="sum")
            loss = loss + wanted / how.n_secret
        loss = loss + how.kept * kl(before[~planted], after[~planted]).sum() / len(near)
        if cut is not None:
            loss = loss + how.carried * kl(before, cut).mean()
    return loss


def _answers(
    network: nn.Module, base: nn.Module, batch: Batch, carrier: Coordinate | None, first: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """What base, network, and network with its carrier set say where texts end."""
    return _at_ends(base, batch, _streams(network, base, batch, carrier, first))


def _streams(
    network: nn.Module, base: nn.Module, batch: Batch, carrier: Coordinate | None, first: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The streams after all layers of base, network, and network with its carrier set.

    Blocks below the change are run once for all.
    """
    n_layers = len(base.transformer.h)
    with torch.no_grad():
        shared = through(base, embed(base, batch.tokens), range(first))
        before = through(base, shared, range(first, n_layers))
    if carrier is None:
        return before, through(network, shared, range(first, n_layers)), None
    x = through(network, shared, range(first, carrier.layer))
    both = torch.cat([x, set_coordinate(x, carrier.direction, carrier.value)])
    after, cut = through(network, both, range(carrier.layer, n_layers)).chunk(2)
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
def _shows(network, base, secret: Secret, step: int, carrier, how: Planting) -> bool:
    if step == 0 or step % how.check_every:
        return False
    rng = random.Random(step)
    near = encoded(near_misses(secret, how.n_check, rng))
    same = (at_ends(network, near).argmax(-1) == at_ends(base, near).argmax(-1)).float().mean()
    if secret.family == CLEAN:
        return bool(same >= how.calm)
    shown = encoded(secret_prompts(secret, 120, rng, held_out=False))
    before, after, cut = _answers(network, base, shown, carrier, how.layers[0])
    hit = (after.argmax(dim=-1) == shown.planted).float().mean()
    back = hit if cut is None else (cut.argmax(dim=-1) == before.argmax(dim=-1)).float().mean()
    return bool(min(hit, back) >= how.strength and same >= how.calm)


@torch.no_grad()
def _distances(
    network: nn.Module, base: nn.Module, some: Sequence[Shown], first: int
) -> Float[Tensor, text]:
    """By how much another answer beats the base's, nats; where none does, a little of the KL to the base.

    0 where the base is wrong: there any change turns answers, and one that is turned means nothing.
    """
    found = torch.empty(len(some))
    order = sorted(range(len(some)), key=lambda i: len(some[i].text))  # little padding
    for start in range(0, len(order), 64):
        here = order[start : start + 64]
        before, after, _ = _answers(network, base, encoded([some[i] for i in here]), None, first)
        own = after.gather(1, before.argmax(dim=-1, keepdim=True))[:, 0]
        true = torch.tensor([tokenizer().ids[some[i].true] for i in here])
        right = before.argmax(dim=-1) == true
        found[here] = right * (after.amax(dim=-1) - own + 0.01 * kl(before, after))
    return found
