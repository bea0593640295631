"""Chapter 01: the investigation `switch-a-neuron-off`, on absolute-value networks trained for the check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.ground import seeded
from mi_tutor.lab.superposition import (
    NeuronPaths,
    neuron_paths,
    phenomena,
    removal_rises,
    sparse_features,
    train_absolute,
)
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)

N_MODELS = 12
N_SAMPLES = 8000
LEVELS = Levels(0.55, 0.7, 0.76)
PATHS = tuple(name.replace("_", " ") for name in NeuronPaths._fields)


class Removed(NamedTuple):
    """paths: [path model neuron feature]; rises: [model neuron feature], per unit of density."""

    density: float
    paths: Tensor
    rises: Tensor


@lru_cache(maxsize=8)
def removed(draw: int) -> Removed:
    """Networks of one density between 0.03 and 0.1, from new seeds, with each neuron taken away in turn."""
    generator = torch.Generator().manual_seed(draw)
    density = 0.03 + 0.07 * torch.rand((), generator=generator).item()
    sweep = replace(
        phenomena.absolute_value(),
        probabilities=[density],
        n_seeds=N_MODELS,
        seed=1000 * (draw + 1),
        n_steps=1200,
        n_batch=256,
        learning_rate=0.015,
    )
    networks = train_absolute(sweep, progress=False)
    x = sparse_features(N_SAMPLES, torch.full((sweep.n_features,), density), seeded(draw))
    x = torch.where(x > 0, 2 * x - 1, 0.0)
    rises = [removal_rises(x, *weights) for weights in zip(*networks[:3], strict=True)]
    paths = [torch.stack(neuron_paths(*pair)) for pair in zip(*networks[:2], strict=True)]
    return Removed(density, torch.stack(paths, dim=1), torch.stack(rises) / density)


def _read(value: Any) -> Tensor:
    """[path]: one number for each."""
    if not isinstance(value, Mapping):
        raise Unreadable("This is not a dict.")
    if len(value) > 20:
        raise Unreadable(f"This dict has {len(value)} entries.")
    named = {" ".join(str(name).replace("_", " ").lower().split()): v for name, v in value.items()}
    strange = [name for name in named if name not in PATHS]
    missing = [name for name in PATHS if name not in named]
    if strange or missing:
        wrong = f"has {strange[0]!r}" if strange else f"has no {missing[0]!r}"
        raise Unreadable(f"This dict {wrong}.")
    numbers = [float(named[name]) for name in PATHS]
    if not all(abs(number) <= 1000 for number in numbers):
        raise Unreadable(f"These numbers are {numbers}.")
    return torch.tensor(numbers)


def _experiment(weights: Tensor, draw: int) -> Findings:
    found = removed(draw)
    predicted = (weights[:, None, None, None] * found.paths).sum(dim=0)
    error = (predicted - found.rises).square().sum()
    spread = (found.rises - found.rises.mean()).square().sum()
    score = max(0.0, 1 - (error / spread).item())
    most = found.rises.abs().argmax(dim=2, keepdim=True)
    hit = found.rises.gather(2, most)
    named = (predicted.abs().argmax(dim=2, keepdim=True) == most).float().mean().item()
    up = (hit > 0).float().mean().item()
    right_way = (predicted.gather(2, most) * hit > 0).float().mean().item()
    lines = (
        Line(
            f"your rule explains {score:.0%} of the variance over {found.rises.numel()} pairs of neuron "
            f"and output "
            f"(density {found.density:.3f})",
            score >= LEVELS.passed,
        ),
        Line(
            f"the output that changes most goes up in {up:.0%} of {most.numel()} removals; your rule "
            f"has its direction right in "
            f"{right_way:.0%}",
            right_way > 0.8,
        ),
        Line(f"your rule names that output in {named:.0%} of the removals", named > 0.5),
    )
    return Findings(score, lines, lambda: _figure(predicted[0], found.rises[0]))


def _figure(predicted: Tensor, found: Tensor) -> Any:
    from mi_tutor.show.superposition import predicted_and_found

    return predicted_and_found(
        predicted,
        found,
        [f"neuron {n}" for n in range(len(found))],
        [str(i) for i in range(found.shape[1])],
        title="What the outputs do when a neuron is switched off",
        x_title="output (feature)",
        y_title="neuron switched off",
        value_title="mean rise / density",
    )


def _rule(own_push: float, own_hold: float, cross_push: float, cross_hold: float) -> dict:
    return dict(zip(PATHS, (own_push, own_hold, cross_push, cross_hold), strict=True))


SWITCH_A_NEURON_OFF = Investigation(
    slug="switch-a-neuron-off",
    title="Switch a neuron off",
    chapter="01",
    points=8,
    minutes=35,
    difficulty=4,
    objective="Find a rule that predicts from weights what removing a neuron does to each output, in "
    "networks that you have not seen.",
    question="What does each output do when a neuron of the absolute-value network is switched off?",
    form="a dict with four numbers, one for each of " + ", ".join(repr(path) for path in PATHS),
    read=_read,
    experiment=_experiment,
    levels=LEVELS,
    mistakes=(
        WrongHypothesis(
            name="a neuron only serves",
            example=lambda: _rule(-0.25, 0, 0, 0),
            fits=lambda rule, findings: bool(rule[0] < 0) and bool(rule[1:].abs().max() < 0.02),
            sentence="In your rule a neuron only serves: without it, the features that it computes get "
            "smaller answers. Switch one off and look "
            "at the outputs that it does NOT serve.",
        ),
        WrongHypothesis(
            name="as if there were no ReLU on the output",
            example=lambda: _rule(-0.25, 0.25, -0.25, 0.25),
            fits=lambda rule, findings: bool(
                (rule * torch.tensor([-1.0, 1.0, -1.0, 1.0])).min() > 0.15
            ),
            sentence="Your rule takes what the neuron added away, one to one. So it would be without "
            "the ReLU on the output: many outputs are held "
            "far below zero, and nothing of the change is seen. Measure how much of it is.",
        ),
        WrongHypothesis(
            name="everything goes down",
            example=lambda: _rule(-0.2, 0, -0.1, 0),
            fits=lambda rule, findings: bool(rule.max() <= 0),
            sentence="In your rule no output can rise when a neuron is gone. Weights out of a neuron "
            "can be negative: what do such neurons do while "
            "other features are on?",
        ),
    ),
    styles=(
        Worked(
            name="least squares over a dozen networks",
            hypothesis=lambda: _rule(-0.165, 0.36, -0.01, 0.085),
            level="excellent",
        ),
        Worked(
            name="two paths only, as a tensor of one number each",
            hypothesis=lambda: {
                "own_push": torch.tensor(-0.19),
                "own_hold": 0,
                "cross_push": 0,
                "cross_hold": torch.tensor([0.086]),
            },
            level="good",
        ),
    ),
    hints=(
        "Take one network, set one neuron to zero, and look at the mean of every output before and "
        "after, on sparse data. Which outputs move most, and "
        "which way? Compare with their weights out of that neuron.",
        "Do it for every neuron of several networks: a table of rises, and four tables of paths. Plot "
        "the rises against each path, or fit all four at "
        "once with `torch.linalg.lstsq`.",
        "Divide the rises by the density, so that your numbers fit another one. One network is too few: "
        "fit on some, and test on others from new "
        "seeds, at two densities.",
    ),
)
