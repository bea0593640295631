"""Chapter 02, `ablate-a-latent`: dictionaries of planted features that are trained only when a forecast of them is checked.

Features are at right angles and of size 1, so what a dictionary says of one is its sum's part along that direction. Each
dictionary (BatchTopK) may have as many latents on as a code needs that says A and what goes with it by one, unless its
setting says otherwise. One feature's best latent is taken out: is a feature gone from the sum, is a part of it left, or all?
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mi_tutor.lab.ground.device import seeded

D, N_FEATURES, N_LATENTS = 24, 12, 40
OTHERS = slice(4, N_FEATURES)  # features that come by themselves, each in 8 % of samples
N_STARTS, N_STEPS, N_BATCH, N_WARMUP, LEARNING_RATE = 3, 700, 256, 30, 6e-3
N_TEST = 4096
LEFT = ("gone", "part", "there")  # less than 1/4, between, more than 3/4
A, C = 0, slice(1, 4)  # the feature taken out, and up to three beside it

Planted = Callable[[Tensor, torch.Generator], None]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is planted beside A, how many latents may be on, and what is asked.

    plant: fills in the features that go with A, given which samples have A.
    needs: how many latents may be on, from which features are on: [sample] of numbers.
    more: so many times as many may be on.
    asked: the feature whose rest is measured. where: in which of the samples that have A.
    """

    plant: Planted
    needs: Callable[[Tensor], Tensor]
    more: float = 1.0
    asked: int = A
    where: Callable[[Tensor], Tensor] = lambda on: on[:, A]


def _alone(on: Tensor, generator: torch.Generator) -> None:
    """Nothing goes with A."""


def _implied(share: float) -> Planted:
    """A second feature that never comes without A, in a share of its samples."""

    def plant(on: Tensor, generator: torch.Generator) -> None:
        on[:, 1] = on[:, A] & _coin(on, share, generator)

    return plant


def _twin(on: Tensor, generator: torch.Generator) -> None:
    on[:, 1] = on[:, A]


def _forms(on: Tensor, generator: torch.Generator) -> None:
    """A always comes in one of three forms, which nothing else has."""
    form = torch.randint(3, (len(on), 1), generator=generator)
    on[:, C] = on[:, A, None] & (form == torch.arange(3))


def _coin(on: Tensor, share: float, generator: torch.Generator) -> Tensor:
    return torch.rand(len(on), generator=generator) < share


def _each_its_own(on: Tensor) -> Tensor:
    return on.float().sum(dim=1)


def _a_with_its_own(on: Tensor) -> Tensor:
    """One latent for A and what goes with it."""
    return on.float().sum(dim=1) - on[:, C].float().sum(dim=1)


def _with(on: Tensor) -> Tensor:
    return on[:, A] & on[:, 1]


def _without(on: Tensor) -> Tensor:
    return on[:, A] & ~on[:, 1]


SETTINGS: Mapping[str, Setting] = {
    "alone": Setting(plant=_alone, needs=_each_its_own),
    "without its own": Setting(plant=_implied(0.2), needs=_a_with_its_own, where=_without),
    "with its own": Setting(plant=_implied(0.2), needs=_a_with_its_own, where=_with),
    "with a rare one": Setting(plant=_implied(0.05), needs=_a_with_its_own, where=_with),
    "with its own, enough for each": Setting(plant=_implied(0.2), needs=_each_its_own, where=_with),
    "the twin": Setting(plant=_twin, needs=_a_with_its_own, asked=1),
    "in three forms": Setting(plant=_forms, needs=_a_with_its_own),
    "five times as many": Setting(plant=_alone, needs=_each_its_own, more=5.0),
}


def features_on(setting: Setting, n: int, generator: torch.Generator) -> Tensor:
    """Which features are on: [sample feature]."""
    on = torch.zeros(n, N_FEATURES, dtype=torch.bool)
    on[:, OTHERS] = torch.rand(n, N_FEATURES - OTHERS.start, generator=generator) < 0.08
    on[:, A] = _coin(on, 0.25, generator)
    setting.plant(on, generator)
    return on


class Dictionaries:
    """Several dictionaries side by side, each with its own features [feature d] and weights [dictionary ...]."""

    def __init__(self, settings: list[Setting], seeds: list[int]) -> None:
        generators = [seeded(seed) for seed in seeds]
        random = torch.stack([torch.randn(D, D, generator=g) for g in generators])
        self.directions = torch.linalg.qr(random).Q[:, :N_FEATURES]
        start = torch.stack([torch.randn(N_LATENTS, D, generator=g) for g in generators])
        start = start / start.norm(dim=-1, keepdim=True)
        self.W_dec, self.W_enc = start.clone(), start.transpose(1, 2).clone()
        self.b_enc, self.b_dec = start.new_zeros(len(seeds), 1, N_LATENTS), start[:, :1] * 0
        self.n_on = [
            each.more * each.needs(features_on(each, 40_000, g)).mean().item()
            for each, g in zip(settings, generators, strict=True)
        ]
        for weight in self.weights:
            weight.requires_grad_()

    @property
    def weights(self) -> list[Tensor]:
        return [self.W_enc, self.W_dec, self.b_enc, self.b_dec]

    def encode(self, x: Tensor) -> Tensor:
        """BatchTopK: of a batch's values the largest stay, n_on per sample on average."""
        f = ((x - self.b_dec) @ self.W_enc + self.b_enc).relu()
        flat, n = f.detach().flatten(1), x.shape[1]
        cut = [
            row.kthvalue(len(row) - int(k * n)).values
            for row, k in zip(flat, self.n_on, strict=True)
        ]
        return f * (f > torch.stack(cut)[:, None, None])


def train(settings: list[Setting], seeds: list[int]) -> Dictionaries:
    """Mean squared error, Adam, rows of the decoder kept at length 1; the rate rises, then falls to a tenth."""
    made = Dictionaries(settings, seeds)
    batches = torch.stack(
        [
            features_on(each, N_STEPS * N_BATCH, seeded(seed + 1)).float()
            for each, seed in zip(settings, seeds, strict=True)
        ]
    ).split(N_BATCH, dim=1)
    adam = torch.optim.Adam(made.weights, lr=LEARNING_RATE)
    for step, on in enumerate(batches):
        rate = min(1.0, (step + 1) / N_WARMUP) * (1 - 0.9 * step / N_STEPS)
        adam.param_groups[0]["lr"] = LEARNING_RATE * rate
        x = on @ made.directions
        error = made.encode(x) @ made.W_dec + made.b_dec - x
        adam.zero_grad()
        (error**2).sum(dim=-1).mean(dim=-1).sum().backward()
        adam.step()
        with torch.no_grad():
            made.W_dec /= made.W_dec.norm(dim=-1, keepdim=True)
    return made


@torch.no_grad()
def what_is_left(made: Dictionaries, settings: list[Setting], seed: int) -> Tensor:
    """The share of the asked feature that is left in the sum without A's best latent: [dictionary].

    A's best latent is the one whose row of the decoder has the largest cosine with A.
    """
    on = torch.stack([features_on(each, N_TEST, seeded(seed)) for each in settings])
    f = made.encode(on.float() @ made.directions)
    shares = []
    for k, setting in enumerate(settings):
        along_a = made.W_dec[k] @ made.directions[k, A]
        best = along_a.argmax()
        along = made.W_dec[k] @ made.directions[k, setting.asked]
        here = f[k, setting.where(on[k])]
        shares.append(1 - (here[:, best] * along[best]).mean() / (here @ along).mean())
    return torch.stack(shares)


@functools.lru_cache(maxsize=8)
def left_in(draw: int) -> Tensor:
    """How often a feature was gone, there in part, or there, over a draw's random starts: [setting word]."""
    settings = [each for each in SETTINGS.values() for _ in range(N_STARTS)]
    seeds = [10_000 * (draw + 1) + 10 * k for k in range(len(settings))]
    left = what_is_left(train(settings, seeds), settings, seed=draw)
    words = (left > 0.25).int() + (left > 0.75).int()
    return (
        torch.nn.functional.one_hot(words.long(), len(LEFT))
        .float()
        .view(-1, N_STARTS, len(LEFT))
        .mean(dim=1)
    )
