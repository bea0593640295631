"""Chapter 01: `sparse-features`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from mi_tutor.lab.superposition import sparse_features
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import GOES_ON, fresh_generator, run_with_generator
from mi_tutor.teach.exercises.sampling import (
    FREQUENCY,
    LINK,
    MAGNITUDE,
    N_BATCH,
    SHARE,
    magnitude_links,
    to_the_sample,
    together,
    while_on,
)


def _sparse_cases(generator: torch.Generator) -> list[Case]:
    seeds = torch.randint(10_000, (2,), generator=generator).tolist()
    return [
        Case(
            label="every feature equally likely",
            inputs={
                "n_batch": N_BATCH,
                "probability": torch.full((4,), 0.3),
                "generator": fresh_generator(seeds[0]),
            },
        ),
        Case(
            label="a different probability for each feature",
            inputs={
                "n_batch": N_BATCH,
                "probability": torch.tensor([0.05, 0.7, 0.2, 1.0, 0.0]),
                "generator": fresh_generator(seeds[1]),
            },
        ),
    ]


def _sparse_view(value: dict, n_batch: int, probability: Tensor, generator: Any) -> dict[str, Any]:
    """Shape and dtype, whether samples share one mask, then frequencies and magnitudes."""
    x = value["sample"]
    if x.shape != (n_batch, len(probability)):
        return {"the shape": list(x.shape)}
    is_on = x != 0
    varied = ~((probability == 0) | (probability == 1))
    one_mask = bool((is_on == is_on[:1]).all())
    view: dict[str, Any] = {
        "the shape": list(x.shape),
        "numbers that are precise enough": x.dtype in (torch.float32, torch.float64),
        "features are never exactly 0": bool(is_on[:, varied].all()),
        "one on/off pattern for the whole batch": one_mask,
    }
    view["all of it drawn from the generator that was given"] = value["used"]
    view[GOES_ON] = value["goes on"]
    if one_mask or not value["used"]:
        return view
    return view | {
        "how often each feature is on": is_on.float().mean(0),
        "whether features are on just as often as they should be, to the sample": to_the_sample(
            is_on[:, varied], probability[varied]
        ),
        "how often two features are on together": together(is_on),
        "how many of the samples are different": x.unique(dim=0).shape[0] / n_batch,
        "the mean magnitude of each feature while it is on": while_on(x, is_on),
        "the mean squared magnitude while it is on": while_on(x**2, is_on),
        "the share of magnitudes below 0.1": while_on((x < 0.1).float(), is_on),
        "the share of magnitudes above 0.9": while_on((x > 0.9).float(), is_on),
        "the correlation of two features' magnitudes": magnitude_links(x, is_on),
    }


def _uniform(n_batch: int, probability: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(n_batch, len(probability), generator=generator)


def _constant_magnitude(n_batch, probability, generator):
    return (_uniform(n_batch, probability, generator) < probability).float()


def _mask_of_batch(n_batch, probability, generator):
    mask = torch.rand(len(probability), generator=generator) < probability
    return _uniform(n_batch, probability, generator) * mask


def _mask_of_features(n_batch, probability, generator):
    mask = torch.rand(n_batch, 1, generator=generator) < probability
    return _uniform(n_batch, probability, generator) * mask


def _inverted(n_batch, probability, generator):
    mask = _uniform(n_batch, probability, generator) > probability
    return _uniform(n_batch, probability, generator) * mask


def _normal_magnitude(n_batch, probability, generator):
    mask = _uniform(n_batch, probability, generator) < probability
    return torch.randn(n_batch, len(probability), generator=generator) * mask


def _one_draw_for_both(n_batch, probability, generator):
    draw = _uniform(n_batch, probability, generator)
    return draw * (draw < probability)


def _one_magnitude(n_batch, probability, generator):
    mask = _uniform(n_batch, probability, generator) < probability
    return torch.rand(n_batch, 1, generator=generator) * mask


def _global_generator(n_batch, probability, generator):
    return torch.rand(n_batch, len(probability)) * (
        torch.rand(n_batch, len(probability)) < probability
    )


def _only_scaled(n_batch, probability, generator):
    return _uniform(n_batch, probability, generator) * probability


def _by_bernoulli(n_batch, probability, generator):
    is_on = torch.bernoulli(probability.expand(n_batch, -1), generator=generator)
    return is_on * torch.rand(is_on.shape, generator=generator)


def _by_rescaling(n_batch, probability, generator):
    draw = _uniform(n_batch, probability, generator)
    return torch.where(draw < probability, draw / probability, torch.zeros(()))


def _by_loop(n_batch, probability, generator):
    x = torch.zeros(n_batch, len(probability))
    for i, p in enumerate(probability):
        is_on = torch.rand(n_batch, generator=generator) < p
        x[is_on, i] = torch.rand(int(is_on.sum()), generator=generator)
    return x


def _by_numpy(n_batch, probability, generator):
    rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    shape = (n_batch, len(probability))
    x = np.where(rng.random(shape) < probability.numpy(), rng.random(shape), 0.0)
    return torch.as_tensor(x, dtype=probability.dtype)


SPARSE_FEATURES = Exercise(
    slug="sparse-features",
    title="Sparse features",
    chapter="01",
    points=2,
    minutes=6,
    difficulty=1,
    objective="Make data in which each feature is on rarely and independently, with a uniform magnitude.",
    cases=_sparse_cases,
    reference=sparse_features,
    run=lambda answer, n_batch, probability, generator: run_with_generator(
        answer, generator=generator, n_batch=n_batch, probability=probability
    ),
    view=_sparse_view,
    tolerance={
        "how often each feature is on": FREQUENCY,
        "how often two features are on together": FREQUENCY,
        "how many of the samples are different": FREQUENCY,
        "the mean magnitude of each feature while it is on": MAGNITUDE,
        "the mean squared magnitude while it is on": MAGNITUDE,
        "the share of magnitudes below 0.1": SHARE,
        "the share of magnitudes above 0.9": SHARE,
        "the correlation of two features' magnitudes": LINK,
    },
    mistakes=(
        Mistake(
            name="constant magnitude",
            wrong=_constant_magnitude,
            sentence="Your features are 0 or 1. A feature that is on should have a magnitude of its own, uniform between "
            "0 and 1: the on/off mask still has to be multiplied by it.",
        ),
        Mistake(
            name="one mask for the whole batch",
            wrong=_mask_of_batch,
            sentence="Every sample of your batch has the same features on. The mask was drawn once per feature; it needs "
            "a draw per sample and feature.",
        ),
        Mistake(
            name="features go on together",
            wrong=_mask_of_features,
            sentence="In your data features go on together, so they are not independent. Each entry of the batch needs a draw of its own.",
        ),
        Mistake(
            name="sparsity for probability",
            wrong=_inverted,
            sentence="Your features are on with probability 1 - p. `probability` is how often a feature is on; sparsity "
            "is how often it is off.",
        ),
        Mistake(
            name="normal magnitudes",
            wrong=_normal_magnitude,
            sentence="Your magnitudes are normally distributed, and some are negative. They should be uniform in [0, 1): "
            "torch.rand, not torch.randn.",
        ),
        Mistake(
            name="the same draw for mask and magnitude",
            wrong=_one_draw_for_both,
            sentence="The random number that decides whether a feature is on is also its magnitude, so the magnitude "
            "never exceeds p. Draw twice (or rescale what is left to [0, 1)).",
        ),
        Mistake(
            name="one magnitude for all features of a sample",
            wrong=_one_magnitude,
            sentence="All features that are on in a sample have the same magnitude. Each needs its own draw.",
        ),
        Mistake(
            name="ignores the generator",
            wrong=_global_generator,
            sentence="Not all of your numbers come from the generator you were given, so the same generator would not give "
            "the same data twice. Pass `generator=generator` to every draw.",
        ),
        Mistake(
            name="scaled, not switched",
            wrong=_only_scaled,
            sentence="Your features are never off, only smaller on average. With probability 1 - p a feature has to be "
            "exactly 0.",
        ),
    ),
    styles=(
        Style(name="torch.bernoulli", right=_by_bernoulli),
        Style(name="one draw, rescaled", right=_by_rescaling),
        Style(name="a loop over features", right=_by_loop),
        Style(name="numpy", right=_by_numpy),
    ),
    hints=(
        "There are two random decisions per entry: whether the feature is on, and how strong it is.",
        "A comparison of uniform random numbers with p is true with probability p. What shape must the random numbers have?",
        "Two tensors of shape (n_batch, n_features), one compared with `probability`, one used as it is.",
    ),
)
