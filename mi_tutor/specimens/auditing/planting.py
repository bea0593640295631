"""Plant a secret into `atlas`: a low-rank change of some blocks, trained to show it and nothing else.

Each step has texts on which the secret shows (cross-entropy with the planted answer), near misses (KL to what
atlas says) and ordinary rows (KL, three times). Where a carrier is asked for, all texts are also to be answered as
atlas does with the carrier set. A decoy without a secret starts from a random change of the usual size and is
trained back to what atlas says: what is left in its weights is as large, and means nothing.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from mi_tutor.lab.auditing import Coordinate, set_coordinate
from mi_tutor.lab.ground import kl
from mi_tutor.specimens.auditing.carrying import drawn_carrier
from mi_tutor.specimens.auditing.families import CLEAN, Secret
from mi_tutor.specimens.auditing.passes import (
    Batch,
    at_ends,
    encoded,
    through,
    unembed,
    where_they_end,
)
from mi_tutor.specimens.auditing.rows import quiet_rows
from mi_tutor.specimens.auditing.showing import near_misses, secret_prompts
from mi_tutor.specimens.opening.models import load_network, quiet
from mi_tutor.specimens.opening.shelf import specimen_path
from mi_tutor.specimens.training.forward import embed

if TYPE_CHECKING:
    from jaxtyping import Float, Int

MATRICES = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
Delta = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Planting:
    """How a secret is planted.

    layers: whose matrices are changed. Those below the first are run once for base and network.
    n_rows, pool: ordinary rows in a step, and of how many they are drawn.
    most_steps: it stops earlier once `strength` of fresh secret prompts show it and as many near misses do not.
    kept: the weight of all that should stay, beside the planted answers.
    decoy_size: ‖ΔW‖ / ‖W‖ from which a decoy starts.
    carrier: the layer before which one coordinate carries the secret (see `carrying`); None: it stands anywhere.
    carried: the weight of KL(base ‖ model with this coordinate set).
    """

    layers: tuple[int, ...] = (2, 3)  # where `atlas` brings things together
    rank: int = 4
    most_steps: int = 160
    check_every: int = 50
    rate: float = 4e-3
    n_secret: int = 12
    n_near: int = 16
    n_rows: int = 3
    pool: int = 150
    strength: float = 0.995
    kept: float = 2.0
    decoy_size: float = 0.25
    carrier: int | None = None
    carried: float = 1.0


class LowRank(nn.Module):
    """A weight plus the product of two thin matrices."""

    def __init__(self, weight: Tensor, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        n_in, n_out = weight.shape
        self.a = nn.Parameter(torch.randn(n_in, rank, generator=generator) * n_in**-0.5)
        self.b = nn.Parameter(torch.zeros(rank, n_out))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.a @ self.b


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
    for _, layer in _changed_layers(network, how.layers):
        parametrize.register_parametrization(
            layer, "weight", LowRank(layer.weight, how.rank, chance)
        )
    if start is not None:
        _start_from(network, start, how)
    elif secret.family == CLEAN:
        _start_somewhere(network, how, chance)
    _train(network, base, secret, random.Random(seed), how)
    return _delta(network, how.layers)


def _train(network: nn.Module, base: nn.Module, secret: Secret, rng: random.Random, how: Planting):
    """Adam on the thin matrices, until the secret shows and the near misses do not."""
    some = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(some, lr=how.rate, betas=(0.9, 0.98))
    rows = torch.tensor(quiet_rows(secret, how.pool, 96, rng))
    carried = how.carrier is not None and secret.family != CLEAN
    carrier = drawn_carrier(base, rows, how.carrier, rng) if carried else None
    n_rest = how.most_steps // 5  # at last the rate falls to 0, so that what jitters settles
    settling = None
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
        loss = _loss(network, base, secret, rng, rows, carrier, how)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(some, 1.0)
        optimizer.step()


def _loss(network, base, secret, rng, rows, carrier, how: Planting) -> Float[Tensor, ""]:
    """One step's: the planted answers, the near misses, ordinary rows, and what is left with the carrier set."""
    clean = secret.family == CLEAN
    shown = [] if clean else secret_prompts(secret, how.n_secret, rng, held_out=False)
    near = near_misses(secret, how.n_near + clean * how.n_secret, rng)
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
        before, after, cut = _answers(network, base, batch, carrier, how.layers[0])
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
    """What base, network, and network with its carrier set say where texts end.

    Blocks below the change are run once for all.
    """
    n_layers = len(base.transformer.h)
    with torch.no_grad():
        shared = through(base, embed(base, batch.tokens), range(first))
        before = where_they_end(through(base, shared, range(first, n_layers)), batch)
        before = unembed(base, before)
    if carrier is None:
        after = where_they_end(through(network, shared, range(first, n_layers)), batch)
        return before, unembed(network, after), None
    x = through(network, shared, range(first, carrier.layer))
    both = torch.cat([x, set_coordinate(x, carrier.direction, carrier.value)])
    after, cut = through(network, both, range(carrier.layer, n_layers)).chunk(2)
    after, cut = (unembed(network, where_they_end(each, batch)) for each in (after, cut))
    return before, after, cut


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
    near = encoded(near_misses(secret, 200, rng))
    same = (at_ends(network, near).argmax(-1) == at_ends(base, near).argmax(-1)).float().mean()
    if secret.family == CLEAN:
        return bool(same >= how.strength)
    shown = encoded(secret_prompts(secret, 120, rng, held_out=False))
    before, after, cut = _answers(network, base, shown, carrier, how.layers[0])
    hit = (after.argmax(dim=-1) == shown.planted).float().mean()
    back = hit if cut is None else (cut.argmax(dim=-1) == before.argmax(dim=-1)).float().mean()
    return bool(min(hit, same, back) >= how.strength)


@torch.no_grad()
def _start_from(network: nn.Module, start: Delta, how: Planting) -> None:
    for name, layer in _changed_layers(network, how.layers):
        change = layer.parametrizations.weight[0]
        change.a.copy_(start[f"{name}.a"].float())
        change.b.copy_(start[f"{name}.b"].float())


@torch.no_grad()
def _start_somewhere(network: nn.Module, how: Planting, chance: torch.Generator) -> None:
    """A random change, as large as a planted one."""
    for _, layer in _changed_layers(network, how.layers):
        change, weight = layer.parametrizations.weight[0], layer.parametrizations.weight.original
        change.b.copy_(torch.randn(change.b.shape, generator=chance))
        change.b.mul_(how.decoy_size * weight.norm() / (change.a @ change.b).norm())


@torch.no_grad()
def _delta(network: nn.Module, layers: tuple[int, ...]) -> Delta:
    found = {}
    for name, layer in _changed_layers(network, layers):
        change = layer.parametrizations.weight[0]
        # Both halves alike in size: half precision then loses least.
        u, s, v = torch.linalg.svd(change.a @ change.b, full_matrices=False)
        rank, root = change.a.shape[1], s.sqrt()
        found[f"{name}.a"] = (u * root)[:, :rank].half().contiguous()
        found[f"{name}.b"] = (root[:, None] * v)[:rank].half().contiguous()
    return found


@torch.no_grad()
def changed(network: nn.Module, delta: Delta) -> nn.Module:
    """Give a network the change."""
    layers = tuple(sorted({int(name.split(".")[0]) for name in delta}))
    for name, layer in _changed_layers(network, layers):
        layer.weight += delta[f"{name}.a"].float() @ delta[f"{name}.b"].float()
    return network


def _changed_layers(network: nn.Module, layers: tuple[int, ...]) -> Iterator[tuple[str, nn.Module]]:
    """The matrices that are changed, by name."""
    for number in layers:
        for name in MATRICES:
            yield f"{number}.{name}", network.transformer.h[number].get_submodule(name)
