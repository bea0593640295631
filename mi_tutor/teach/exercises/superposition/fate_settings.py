"""The settings of `predict-the-fate`: none of them is in the chapter. Each draw has its own densities and random starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from mi_tutor.lab.superposition import ARRANGEMENTS, ToySweep, arrangements, train_sweep

Between = Callable[[float, float], float]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is trained and which features are asked about.

    densities: a function of `between(low, high)`, which draws a density -> one density per feature.
    asked: the features whose arrangement is predicted; where several are asked they are alike.
    n_models: random starts behind each frequency; fewer where each model answers for many features.
    """

    n_features: int
    n_hidden: int
    densities: Callable[[Between], list[float]]
    asked: tuple[int, ...]
    importance: tuple[float, ...] = ()
    features: str = "independent"
    n_models: int = 12


def _all(n: int, low: float, high: float, n_models: int) -> dict:
    """n features that are alike, all of them asked about."""
    return {
        "n_features": n,
        "densities": lambda between: [between(low, high)] * n,
        "asked": tuple(range(n)),
        "n_models": n_models,
    }


def _first_differs(n: int, first: tuple[float, float], rest: tuple[float, float]) -> dict:
    """Feature 0 has a density of its own, and is asked about."""
    return {
        "n_features": n,
        "densities": lambda between: [between(*first), *[between(*rest)] * (n - 1)],
        "asked": (0,),
    }


SETTINGS = {
    "frequent": Setting(n_hidden=2, **_first_differs(6, (0.6, 1.0), (0.04, 0.06))),
    "rare": Setting(n_hidden=2, **_first_differs(5, (0.015, 0.03), (0.45, 0.55))),
    "one too many": Setting(n_hidden=7, **_all(8, 0.02, 0.05, 6)),
    "twice as many": Setting(n_hidden=8, **_all(16, 0.5, 0.6, 4)),
    "everything on": Setting(n_hidden=2, **_all(4, 0.85, 0.95, 12)),
    "always together": Setting(n_hidden=1, features="correlated", **_all(2, 0.05, 0.15, 16)),
    "together, often": Setting(n_hidden=2, features="correlated", **_all(4, 0.27, 0.33, 12)),
    "together, rarely": Setting(n_hidden=2, features="correlated", **_all(4, 0.02, 0.04, 12)),
    "together, poor partner": Setting(
        n_hidden=1,
        features="correlated",
        importance=(10.0, 1.0),
        **_all(2, 0.05, 0.15, 12) | {"asked": (1,)},
    ),
    "never together, rich partner": Setting(
        n_hidden=1,
        features="anti-correlated",
        importance=(30.0, 1.0),
        **_all(2, 0.25, 0.35, 12) | {"asked": (1,)},
    ),
    "never together, crowded": Setting(
        n_hidden=1, features="anti-correlated", **_all(4, 0.1, 0.3, 8)
    ),
    "never together, room": Setting(
        n_hidden=2, features="anti-correlated", **_all(2, 0.25, 0.35, 16)
    ),
}


def sweep_of(setting: Setting, generator: torch.Generator, seed: int) -> ToySweep:
    """The models of one draw: densities from their ranges, random starts counted from `seed`."""

    def between(low: float, high: float) -> float:
        return low + (high - low) * torch.rand((), generator=generator).item()

    return ToySweep(
        n_features=setting.n_features,
        n_hidden=setting.n_hidden,
        probabilities=[setting.densities(between)],
        importances=[setting.importance] if setting.importance else (),
        features=setting.features,
        n_seeds=setting.n_models,
        n_batch=256,
        n_steps=1000,
        learning_rate=0.02,
        seed=seed,
    )


@lru_cache(maxsize=8)
def frequencies(draw: int) -> Tensor:
    """[setting arrangement]: what became of the asked features in the models of a draw."""
    generator = torch.Generator().manual_seed(draw)
    rows = []
    for k, setting in enumerate(SETTINGS.values()):
        sweep = sweep_of(setting, generator, seed=10_000 * (draw + 1) + 100 * k)
        found = arrangements(train_sweep(sweep, progress=False).W)[:, list(setting.asked)]
        counts = torch.bincount(found.flatten(), minlength=len(ARRANGEMENTS))
        rows.append(counts / counts.sum())
    return torch.stack(rows)
