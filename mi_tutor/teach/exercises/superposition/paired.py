"""Chapter 01: `correlated-features`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.superposition import paired_features
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import GOES_ON, fresh_generator, run_with_generator
from mi_tutor.teach.exercises.sampling import (
    FREQUENCY,
    LINK,
    MAGNITUDE,
    N_BATCH,
    magnitude_links,
    to_the_sample,
    together,
    while_on,
)


def _paired_cases(generator: torch.Generator) -> list[Case]:
    seeds = torch.randint(10_000, (3,), generator=generator).tolist()
    settings = [
        ("correlated pairs", 2, 0.3, True),
        ("anti-correlated pairs", 2, 0.3, False),
        ("three anti-correlated pairs, rarely on", 3, 0.1, False),
    ]
    return [
        Case(
            label=label,
            inputs={
                "n_batch": N_BATCH,
                "n_pairs": n_pairs,
                "probability": probability,
                "correlated": correlated,
                "generator": fresh_generator(seed),
            },
        )
        for (label, n_pairs, probability, correlated), seed in zip(settings, seeds, strict=True)
    ]


def _paired_view(
    value: dict, n_batch: int, n_pairs: int, probability: float, **_: Any
) -> dict[str, Any]:
    x = value["sample"]
    if x.shape != (n_batch, 2 * n_pairs):
        return {"the shape": list(x.shape)}
    is_on = x != 0
    left, right = is_on[:, 0::2], is_on[:, 1::2]
    one_mask = bool((is_on == is_on[:1]).all())
    view: dict[str, Any] = {
        "the shape": list(x.shape),
        "one on/off pattern for the whole batch": one_mask,
    }
    if one_mask:
        return view
    both = left & right
    same = both & (x[:, 0::2] == x[:, 1::2])
    return view | {
        "how often both of a pair are on": both.float().mean(0),
        "how often each feature is on": is_on.float().mean(0),
        "whether features are on just as often as they should be, to the sample": to_the_sample(
            is_on, torch.full((2 * n_pairs,), probability)
        ),
        "how often two neighbouring pairs are on together": (
            (left | right)[:, 0] & (left | right)[:, 1]
        )
        .float()
        .mean(),
        "how often the two of a pair are equal while on": same.sum() / both.sum().clamp(min=1),
        "how often any two features are on together": together(is_on),
        "the correlation of two features' magnitudes": magnitude_links(x, is_on),
        "the mean magnitude of each feature while it is on": while_on(x, is_on),
        "the mean squared magnitude while it is on": while_on(x**2, is_on),
        "draws from the generator it is given": value["used"],
        GOES_ON: value["goes on"],
    }


def _pairs(is_on: Tensor, generator: torch.Generator) -> Tensor:
    """Magnitudes for a mask of shape (batch, pair, 2)."""
    return (is_on * torch.rand(is_on.shape, generator=generator)).flatten(1)


def _both(n_batch, n_pairs, probability, generator):
    draw = torch.rand(n_batch, n_pairs, 1, generator=generator)
    return (draw < probability).expand(-1, -1, 2)


def _either(n_batch, n_pairs, probability, generator):
    draw = torch.rand(n_batch, n_pairs, 1, generator=generator)
    return torch.cat([draw < probability, (draw >= probability) & (draw < 2 * probability)], dim=-1)


def _independent(n_batch, n_pairs, probability, correlated, generator):
    return _pairs(torch.rand(n_batch, n_pairs, 2, generator=generator) < probability, generator)


def _equal_magnitudes(n_batch, n_pairs, probability, correlated, generator):
    mask = (_both if correlated else _either)(n_batch, n_pairs, probability, generator)
    return (mask * torch.rand(n_batch, n_pairs, 1, generator=generator)).flatten(1)


def _half_as_often(n_batch, n_pairs, probability, correlated, generator):
    if correlated:
        return _pairs(_both(n_batch, n_pairs, probability, generator), generator)
    return _pairs(_either(n_batch, n_pairs, probability / 2, generator), generator)


def _one_always_on(n_batch, n_pairs, probability, correlated, generator):
    if correlated:
        return _pairs(_both(n_batch, n_pairs, probability, generator), generator)
    first = torch.rand(n_batch, n_pairs, 1, generator=generator) < probability
    return _pairs(torch.cat([first, ~first], dim=-1), generator)


def _swapped(n_batch, n_pairs, probability, correlated, generator):
    return _pairs(
        (_either if correlated else _both)(n_batch, n_pairs, probability, generator), generator
    )


def _all_pairs_together(n_batch, n_pairs, probability, correlated, generator):
    mask = (_both if correlated else _either)(n_batch, 1, probability, generator)
    return _pairs(mask.expand(-1, n_pairs, 2), generator)


def _second_given_first(n_batch, n_pairs, probability, correlated, generator):
    if correlated:
        return _pairs(_both(n_batch, n_pairs, probability, generator), generator)
    mask = torch.rand(n_batch, n_pairs, 2, generator=generator) < probability
    return _pairs(torch.stack([mask[..., 0], mask[..., 1] & ~mask[..., 0]], dim=-1), generator)


def _negative_partner(n_batch, n_pairs, probability, correlated, generator):
    mask = _both(n_batch, n_pairs, probability, generator)
    if correlated:
        return _pairs(mask, generator)
    x = mask * torch.rand(n_batch, n_pairs, 2, generator=generator)
    return (x * torch.tensor([1.0, -1.0])).flatten(1)


def _paired_by_choice(n_batch, n_pairs, probability, correlated, generator):
    """Whether the pair is on, then which of the two."""
    x = torch.rand(n_batch, n_pairs, 2, generator=generator)
    if correlated:
        return (x * (torch.rand(n_batch, n_pairs, 1, generator=generator) < probability)).flatten(1)
    pair_on = torch.rand(n_batch, n_pairs, generator=generator) < 2 * probability
    which = torch.randint(2, (n_batch, n_pairs), generator=generator)
    return (x * pair_on[..., None] * torch.nn.functional.one_hot(which, 2)).flatten(1)


def _paired_by_loop(n_batch, n_pairs, probability, correlated, generator):
    x = torch.rand(n_batch, 2 * n_pairs, generator=generator)
    for pair in range(n_pairs):
        draw = torch.rand(n_batch, generator=generator)
        first_off = draw >= probability
        second_off = first_off if correlated else (draw < probability) | (draw >= 2 * probability)
        x[first_off, 2 * pair] = 0
        x[second_off, 2 * pair + 1] = 0
    return x


CORRELATED_FEATURES = Exercise(
    slug="correlated-features",
    title="Features that come in pairs",
    chapter="01",
    points=3,
    minutes=10,
    difficulty=3,
    objective="Make pairs of features that are on together, or never together, without changing how often each is on.",
    cases=_paired_cases,
    reference=paired_features,
    run=lambda answer, n_batch, n_pairs, probability, correlated, generator: run_with_generator(
        answer,
        generator=generator,
        n_batch=n_batch,
        n_pairs=n_pairs,
        probability=probability,
        correlated=correlated,
    ),
    view=_paired_view,
    tolerance={
        "how often both of a pair are on": FREQUENCY,
        "how often each feature is on": FREQUENCY,
        "how often two neighbouring pairs are on together": FREQUENCY,
        "how often the two of a pair are equal while on": FREQUENCY,
        "how often any two features are on together": FREQUENCY,
        "the correlation of two features' magnitudes": LINK,
        "the mean magnitude of each feature while it is on": MAGNITUDE,
        "the mean squared magnitude while it is on": MAGNITUDE,
    },
    mistakes=(
        Mistake(
            name="independent features",
            wrong=_independent,
            sentence="The two features of your pairs go on and off independently of each other. One random draw per PAIR "
            "has to decide for both.",
        ),
        Mistake(
            name="equal magnitudes",
            wrong=_equal_magnitudes,
            sentence="The two features of a pair always have the same magnitude. Only being on or off is shared; each "
            "magnitude is a draw of its own.",
        ),
        Mistake(
            name="half as often",
            wrong=_half_as_often,
            sentence="In your anti-correlated pairs each feature is on with probability p/2. Each one has to be on with "
            "probability p, so one of the two is on with probability 2p.",
        ),
        Mistake(
            name="one of the two is always on",
            wrong=_one_always_on,
            sentence="In your anti-correlated pairs the second feature is on whenever the first is off. Most of the time "
            "both should be off.",
        ),
        Mistake(
            name="correlated and anti-correlated exchanged",
            wrong=_swapped,
            sentence="`correlated=True` gives you pairs that are never on together, and False pairs that always are: the "
            "two branches are exchanged.",
        ),
        Mistake(
            name="all pairs share one draw",
            wrong=_all_pairs_together,
            sentence="All your pairs go on and off together. Different pairs are independent: draw once per sample and pair.",
        ),
        Mistake(
            name="second feature only if the first is off",
            wrong=_second_given_first,
            sentence="You draw both features and then switch the second off where the first is on. They exclude each "
            "other, but the second is now on less often than p.",
        ),
        Mistake(
            name="negative partner",
            wrong=_negative_partner,
            sentence="Your anti-correlated features are on together with opposite signs. Anti-correlated means here that "
            "when one is on the other is off; magnitudes are never negative.",
        ),
    ),
    styles=(
        Style(name="whether the pair is on, then which", right=_paired_by_choice),
        Style(name="a loop over pairs", right=_paired_by_loop),
    ),
    hints=(
        "Decide for each pair, not for each feature: draw one uniform number per sample and pair.",
        "For anti-correlated pairs cut the interval [0, 1) into three: first on (length p), second on (length p), neither.",
        "Give the mask a last axis of length 2 and flatten pair and member together at the end: features 2k and 2k + 1 "
        "are pair k.",
    ),
)
