"""What `switch-a-neuron-off` measures: neurons of absolute-value networks taken out, with and without a control."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.ground import seeded
from mi_tutor.lab.superposition import phenomena, sparse_features, train_absolute

DENSITY = 0.05
N_MODELS, N_SAMPLES = 16, 4000
CONTROLS = {
    "own off": "the output's own feature is 0 in all samples",
    "others off": "all features but the output's own are 0 in all samples",
    "positive inputs": "every feature is replaced by its size",
    "no bias": "b is 0",
    "no relu": "outputs are read before their ReLU",
    "others don't push": "the other neurons' positive weights out are 0",
    "others don't hold": "the other neurons' negative weights out are 0",
}
PAIRS = {
    "pusher": "the other neuron with the largest weight out to the output is gone, too",
    "holder": "the other neuron with the most negative weight out to the output is gone, too",
}
Network = tuple[Tensor, Tensor, Tensor]  # W_in [neuron feature], W_out [feature neuron], b


class Removals(NamedTuple):
    """Each neuron taken out in turn. rise: of the output; wrote: what the neuron wrote to it: [neuron output sample]."""

    rise: Tensor
    wrote: Tensor


def removals(network: Network, x: Tensor, control: str = "") -> Removals:
    """Every output without every neuron, minus with it, under a control or beside a missing partner."""
    W_in, W_out, b = network
    own = torch.eye(len(b), dtype=torch.bool)[:, None]
    inputs = x.expand(
        len(b), *x.shape
    )  # [output sample feature]: some controls depend on the output
    if control in ("own off", "others off"):
        inputs = inputs.masked_fill(own if control == "own off" else ~own, 0.0)
    if control == "positive inputs":
        inputs = inputs.abs()
    active = torch.relu(inputs @ W_in.T)  # [output sample neuron]
    weights = _weights(W_out, control)
    z = torch.einsum("osm,nom->nos", active, weights)
    z = z if control == "no bias" else z + b[:, None]
    wrote = torch.einsum("osn,on->nos", active, W_out)
    if control == "no relu":
        return Removals(-wrote, wrote)
    return Removals(torch.relu(z - wrote) - torch.relu(z), wrote)


def _weights(W_out: Tensor, control: str) -> Tensor:
    """The weights out beside each neuron that is taken out in turn: [neuron removed, output, neuron]."""
    n = W_out.shape[1]
    weights = W_out.expand(n, *W_out.shape)
    other = ~torch.eye(n, dtype=torch.bool)[:, None]
    if control in PAIRS:  # of the others only the partner goes
        signed = (W_out if control == "pusher" else -W_out).expand_as(weights)
        strongest = signed.masked_fill(~other, -torch.inf).argmax(dim=2, keepdim=True)
        other = torch.zeros_like(weights, dtype=torch.bool).scatter(2, strongest, True)
    if control in ("others don't push", "pusher"):
        return torch.where(other, weights.clamp_max(0.0), weights)
    if control in ("others don't hold", "holder"):
        return torch.where(other, weights.clamp_min(0.0), weights)
    return weights


@lru_cache(maxsize=4)
def networks(draw: int) -> list[Network]:
    """A draw's networks, trained from new seeds."""
    sweep = replace(
        phenomena.absolute_value(),
        probabilities=[DENSITY],
        n_seeds=N_MODELS,
        seed=1000 * (draw + 1),
        n_steps=1200,
        n_batch=256,
        learning_rate=0.015,
    )
    return list(zip(*train_absolute(sweep, progress=False)[:3], strict=True))


def samples(density: float, draw: int) -> Tensor:
    """Features that are uniform in [-1, 1) where they are on."""
    x = sparse_features(N_SAMPLES, torch.full((10,), density), seeded(draw))
    return torch.where(x > 0, 2 * x - 1, 0.0)


class Sums(NamedTuple):
    """Sums over networks and neurons, per density: what shows and what was written.

    held: at outputs that the neuron holds back. pushed: at outputs that it pushes, while their own feature is off.
    """

    held_rise: float
    held_wrote: float
    pushed_rise: float
    pushed_wrote: float


@lru_cache(maxsize=128)
def sums(draw: int, control: str = "", density: float = DENSITY) -> Sums:
    """All neurons of a draw's networks, taken out in turn under one control."""
    x = samples(density, draw)
    total = torch.zeros(4)
    for network in networks(draw):
        holds = (network[1] < 0).T[..., None]
        pushes_others = ~holds & (x == 0).T
        found = removals(network, x, control)
        parts = [part * where for where in (holds, pushes_others) for part in found]
        total += torch.stack([part.mean(dim=2).sum() for part in parts]) / density
    return Sums(*total.tolist())


def measure(finding: str, control: str, draw: int) -> float:
    """The number of finding "A", "B", "C" or "D" under a control ("": as it is)."""
    found = sums(draw, control)
    if finding == "A":
        return found.held_rise / sums(draw).held_rise
    if finding == "B":
        return _share(found.held_rise, found.held_wrote)
    if finding == "C":
        return _share(found.pushed_rise, found.pushed_wrote)
    return sums(draw, control, 1.0).held_rise / found.held_rise


def _share(rise: float, wrote: float) -> float:
    """How much of what was written shows when it goes; 0 where nothing was written."""
    return -rise / wrote if wrote else 0.0
