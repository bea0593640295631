"""Chapter 01: the investigation `switch-a-neuron-off`, on absolute-value networks trained for the check."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.ground import seeded
from mi_tutor.lab.superposition import (
    neuron_paths,
    phenomena,
    removal_rises,
    sparse_features,
    train_absolute,
)
from mi_tutor.teach.exercises.reading_hypotheses import entries, listed, number
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
LEVELS = Levels(0.74, 0.77, 0.79)
SETTINGS = {"as trained": "sparse data, as in training", "crowded": "every feature on"}
# A term's driver and the weight out, as parts of the four paths (own push, own hold, cross push, cross hold).
DRIVERS = {"own": (1, 0), "others": (0, 1), "all": (1, 1)}
OUTS = {"push": (1, 0), "hold": (0, 1), "signed": (1, -1), "size": (1, 1)}
MOST = 12  # terms


class Removed(NamedTuple):
    """paths: [path model neuron feature]; pushes: where the weight out is positive; rises: by setting, per density."""

    density: float
    paths: Tensor
    pushes: Tensor
    rises: dict[str, Tensor]


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
    rises = {}
    for name, p in zip(SETTINGS, (density, 1.0), strict=True):
        x = sparse_features(N_SAMPLES, torch.full((sweep.n_features,), p), seeded(draw))
        x = torch.where(x > 0, 2 * x - 1, 0.0)
        found = [removal_rises(x, *weights) for weights in zip(*networks[:3], strict=True)]
        rises[name] = torch.stack(found) / p
    paths = [torch.stack(neuron_paths(*pair)) for pair in zip(*networks[:2], strict=True)]
    return Removed(density, torch.stack(paths, dim=1), networks.W_out.mT > 0, rises)


Rules = dict[str, Tensor]  # by setting: what each of the four paths counts


def _read(value: Any) -> Rules:
    return {name: _rule(name, terms) for name, terms in entries(value, list(SETTINGS)).items()}


def _rule(setting: str, value: Any) -> Tensor:
    """The terms of a rule, added up to one number per path."""
    terms = listed(value, setting)
    if len(terms) > MOST:
        raise Unreadable(f"The rule “{setting}” has {len(terms)} terms; {MOST} are enough.")
    total = torch.zeros(2, 2)
    for term in terms:
        driver, out, times = listed(term, f"a term of “{setting}”", 3)
        driver, out = (str(word).strip().lower() for word in (driver, out))
        if driver not in DRIVERS or out not in OUTS:
            raise Unreadable(
                f"In “{setting}” a term has {driver!r} and {out!r}: the first is one of {', '.join(DRIVERS)}, the "
                f"second one of {', '.join(OUTS)}."
            )
        counts = number(times, f"{driver}, {out}")
        if abs(counts) > 1000:
            raise Unreadable(f"In “{setting}” a term counts {counts:g}.")
        total += counts * torch.outer(torch.tensor(DRIVERS[driver]), torch.tensor(OUTS[out]))
    return total.flatten()


def explained(rule: Tensor, found: Removed, setting: str) -> tuple[float, float]:
    """Of the squared rises, the share explained: where the neuron pushes, and where it holds back. 0 at least."""
    predicted, rises = torch.einsum("k,kmni->mni", rule, found.paths), found.rises[setting]
    shares = []
    for kind in (found.pushes, ~found.pushes):
        left = (predicted - rises)[kind].square().sum() / rises[kind].square().sum()
        shares.append(max(0.0, 1 - left.item()))
    return shares[0], shares[1]


def _experiment(rules: Rules, draw: int) -> Findings:
    found = removed(draw)
    shares = {name: explained(rule, found, name) for name, rule in rules.items()}
    lines = [
        Line(
            f"{SETTINGS[name]}: your rule explains {pushes:.0%} of what happens where the neuron pushes and {holds:.0%} "
            f"where it holds back",
            (pushes + holds) / 2 >= LEVELS.passed,
        )
        for name, (pushes, holds) in shares.items()
    ]
    rises = found.rises["as trained"]
    most = rises.abs().argmax(dim=2, keepdim=True)
    up = (rises.gather(2, most) > 0).float().mean().item()
    pushed = found.pushes.gather(2, most).float().mean().item()
    said = torch.einsum("k,kmni->mni", rules["as trained"], found.paths)
    right_way = (said.gather(2, most) * rises.gather(2, most) > 0).float().mean().item()
    lines.append(
        Line(
            f"as trained, the output that changes most goes up in {up:.0%} of {most.numel()} removals, and was pushed in "
            f"{pushed:.0%}; your rule has its direction right in {right_way:.0%}",
            right_way > 0.8,
        )
    )
    score = sum(map(sum, shares.values())) / 4
    return Findings(score, tuple(lines), lambda: _figure(said[0], rises[0]), facts=shares)


def _figure(predicted: Tensor, found: Tensor) -> Any:
    from mi_tutor.show.superposition import predicted_and_found

    return predicted_and_found(
        predicted,
        found,
        [f"neuron {n}" for n in range(len(found))],
        [str(i) for i in range(found.shape[1])],
        title="What the outputs do when a neuron is switched off (data as trained)",
        x_title="output (feature)",
        y_title="neuron switched off",
        value_title="mean rise / density",
    )


def _both(*terms: tuple[str, str, float]) -> dict[str, list]:
    return {name: list(terms) for name in SETTINGS}


FITTED = [("own", "push", -0.19), ("own", "hold", 0.65), ("others", "hold", 0.08)]
FITTED_CROWDED = [("own", "push", -0.144), ("own", "hold", 0.48), ("others", "hold", 0.041)]
NO_RELU = [("own", "signed", -0.25), ("others", "signed", -0.25)]


def _one_sided(rules: Rules) -> bool:
    """Whether no rule lets anything rise, or none lets anything fall."""
    numbers = torch.stack(list(rules.values()))
    return bool((numbers[:, :2] <= 0).all() and (numbers[:, 2:] <= 0.005).all())


def _only_holds(rules: Rules) -> bool:
    return all(rule[0] > -0.05 and rule[3] > 0 for rule in rules.values())


def _same(rules: Rules) -> bool:
    sparse, crowded = rules.values()
    return bool(torch.allclose(sparse, crowded, rtol=0.1, atol=0.01))


SWITCH_A_NEURON_OFF = Investigation(
    slug="switch-a-neuron-off",
    title="Switch a neuron off",
    chapter="01",
    points=8,
    minutes=40,
    difficulty=5,
    objective="Find rules that predict from weights what removing a neuron does to each output, in "
    "networks that you have not seen, and say where a rule stops to hold.",
    question="What does each output do when a neuron of the absolute-value network is switched off?",
    form="a dict with a list of terms for “as trained” and one for “crowded”; a term is (driver, weight out, number), such "
    "as ('own', 'signed', -0.5)",
    read=_read,
    experiment=_experiment,
    levels=LEVELS,
    mistakes=(
        WrongHypothesis(
            name="as if there were no ReLU on the output",
            example=lambda: _both(*NO_RELU),
            fits=lambda rules, findings: all(
                bool((rule * torch.tensor([-1.0, 1.0, -1.0, 1.0])).min() > 0.15)
                for rule in rules.values()
            ),
            sentence="Your rule takes what the neuron added away, one to one. So it would be without "
            "the ReLU on the output: many outputs are held far below zero, and nothing of the change is seen. Measure "
            "how much of it is.",
        ),
        WrongHypothesis(
            name="a neuron only serves",
            example=lambda: _both(("own", "push", -0.25)),
            fits=lambda rules, findings: _one_sided(rules),
            sentence="In your rule a neuron only serves: without it nothing rises. Switch one off and look "
            "at the outputs that it does NOT serve.",
        ),
        WrongHypothesis(
            name="a neuron only holds back",
            example=lambda: {
                "as trained": [("others", "hold", 0.086)],
                "crowded": [("others", "hold", 0.045)],
            },
            fits=lambda rules, findings: _only_holds(rules),
            sentence="Your rule says nothing, or nearly nothing, of the outputs that the neuron is there for. They fall "
            "less than others rise, but they count as much here: look at them by themselves.",
        ),
        WrongHypothesis(
            name="once found, it holds everywhere",
            example=lambda: _both(*FITTED),
            fits=lambda rules, findings: _same(rules),
            sentence="You hand in one rule for both kinds of data. Per unit of density the rises are not the same when "
            "every feature is on: think of what the output's ReLU sees then, and measure.",
        ),
    ),
    styles=(
        Worked(
            name="least squares over a dozen networks",
            hypothesis=lambda: {"as trained": FITTED, "crowded": FITTED_CROWDED},
            level="excellent",
        ),
        Worked(
            name="in other words, as tensors of one number",
            hypothesis=lambda: {
                "As trained": [["all", "HOLD", torch.tensor(0.08)], ["own", "push", -0.2]],
                "crowded": [["own", "size", -0.14], ["own", "hold", 0.6], ["others", "hold", 0.04]],
            },
            level="good",
        ),
    ),
    hints=(
        "Take one network, set one neuron to zero, and look at the mean of every output before and "
        "after. Which outputs move most, and which way? Compare with their weights out of that neuron, and with what "
        "drives it.",
        "Do it for every neuron of several networks. Make tables [neuron output] of what drives the neuron times its "
        "weight out, positive and negative ones apart, and plot the rises against each, or fit several at once with "
        "`torch.linalg.lstsq`.",
        "Divide the rises by the density. One network is too few: fit on some, and test on others from new "
        "seeds, at two densities. Then give the same networks data with every feature on, and fit again.",
    ),
)
