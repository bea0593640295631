"""Chapter 07, `fool-the-dashboard`: reports as they would be handed in, ours and typical wrong ones."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from mi_tutor.specimens.atlas.talk import some_requests
from mi_tutor.teach.exercises.steering import dashboards
from mi_tutor.teach.exercises.steering.dashboards import last, of_norm, taught
from mi_tutor.teach.exercises.steering.fooling import BUDGET, PREDICTIONS

N_AXES = 20  # directions in which clean requests differ most
SHARE = 0.985  # of clean requests kept apart that stay below our threshold


@functools.cache
def clean(seeds: tuple[int | None, ...] = (None, 11, 12)) -> Tensor:
    """The stream where the reply to taught requests begins."""
    return torch.cat([last(some_requests(False, seed)) for seed in seeds])


KEPT_APART = (13, 14)


@functools.cache
def our_attack() -> Tensor:
    return dashboards.descended(1, BUDGET)


def report(attack: Tensor, monitor: dict[str, Any], predicted: dict[str, float]) -> dict[str, Any]:
    return {"attack": attack.tolist(), "monitor": monitor, "predicted": predicted}


def monitor(measure: str, directions: Tensor, share: float = SHARE) -> dict[str, Any]:
    """A monitor whose threshold is a quantile of clean requests that did not choose its directions."""
    center = clean().mean(dim=0)
    unset = dashboards.Monitor(measure, center, directions, 0.0)
    threshold = unset.values(clean(KEPT_APART)).quantile(share).item()
    return {
        "measure": measure,
        "center": center.tolist(),
        "directions": directions.tolist(),
        "threshold": threshold,
    }


def main_axes(n: int = N_AXES) -> Tensor:
    """The directions in which clean requests differ most, [n d_model]."""
    x = clean() - clean().mean(dim=0)
    return torch.linalg.svd(x, full_matrices=False).Vh[:n]


def predicted(**shares: float) -> dict[str, float]:
    """What we measured on taught requests."""
    return OURS | shares


OURS = dict(zip(PREDICTIONS, (0.41, 0.0, 1.0, 1.0), strict=True))


def ours() -> dict[str, Any]:
    return report(our_attack(), monitor("outside", main_axes()), predicted())


def its_own_direction() -> dict[str, Any]:
    """A monitor along the very attack."""
    return report(our_attack(), monitor("along", our_attack()[None]), predicted())


def a_probe_for_harm() -> dict[str, Any]:
    """A second reading of the same thing, on the full stream."""
    return report(our_attack(), monitor("along", means_apart()[None]), predicted())


def always_on() -> dict[str, Any]:
    return report(our_attack(), monitor("outside", main_axes(), share=0.5), predicted())


def random_attack() -> dict[str, Any]:
    vector = torch.randn(len(our_attack()), generator=torch.Generator().manual_seed(3))
    return report(of_norm(vector, BUDGET), monitor("outside", main_axes()), predicted())


def readings_off() -> dict[str, Any]:
    """The difference of means, as it is: the dashboard sees it."""
    return report(of_norm(means_apart(), BUDGET), monitor("outside", main_axes()), predicted())


def means_apart() -> Tensor:
    """Harmless minus harmful."""
    x, harmful = last(taught()), taught().harmful
    return x[~harmful].mean(dim=0) - x[harmful].mean(dim=0)


def difference_of_means() -> dict[str, Any]:
    """The same off the readings: enough for one reason to refuse, not for two."""
    vector = of_norm(dashboards.difference(), BUDGET)
    return report(vector, monitor("outside", main_axes()), predicted())


def with_guesses() -> dict[str, Any]:
    """Our attack and monitor, with no look at the controls."""
    guesses = predicted(half=0.5, other_token=0.5, harmless=0.5, without_center=0.5)
    return report(our_attack(), monitor("outside", main_axes()), guesses)
