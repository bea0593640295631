"""Chapter 06: `the-generic-latent`, an investigation."""

from __future__ import annotations

from typing import Any

import torch

from mi_tutor.teach.exercises.tracing.latents_at_end import (
    countries,
    experiment,
    read_own,
    strongest,
    usual,
)
from mi_tutor.teach.investigation import Investigation, Levels, Worked, WrongHypothesis

NUMBERS = {
    "without": 0.17,
    "generic_without": 0.92,
    "on_top": 0.31,
}  # as measured with rounds that no draw has


def _excess() -> torch.Tensor:
    """By how much a latent is more on for a country than for the others."""
    return usual() - usual().mean(dim=0)


def _each(latents: list[list[int]], **numbers: float) -> dict[str, Any]:
    own = dict(zip(countries(), latents, strict=True))
    return {"own": own, "generic": strongest(), **NUMBERS, **numbers}


def one_each(**numbers: float) -> dict[str, Any]:
    return _each([[i] for i in _excess().argmax(dim=1).tolist()], **numbers)


def three_each() -> dict[str, Any]:
    return _each(_excess().topk(3, dim=1).indices.tolist())


def those_of_its_own(least: float = 0.1) -> dict[str, Any]:
    """All latents of which most of what there is belongs to one country."""
    part = usual() / usual().sum(dim=0).clamp_min(1e-6)
    chosen = (part > 0.3) & (usual() > least)
    order = usual().argsort(dim=1, descending=True)
    return _each(
        [[i for i in row.tolist() if mine[i]][:6] for row, mine in zip(order, chosen, strict=True)]
    )


THE_GENERIC_LATENT = Investigation(
    slug="the-generic-latent",
    optional=True,
    title="The strongest one",
    chapter="06",
    points=8,
    minutes=40,
    difficulty=4,
    objective="Find the latents that stand for one thing among those that are strong, by an experiment that tells "
    "them apart, for all cases and not for most.",
    question="Which latents of attention 2 say which country it is, and what does the strongest one do?",
    form="a dict with “own” (each country's English name -> a list of latents), “generic” (a latent), “without”, "
    "“generic_without” and “on_top” (shares)",
    read=read_own,
    experiment=experiment,
    levels=Levels(0.75, 0.88, 0.96),
    mistakes=(
        WrongHypothesis(
            name="the strongest one",
            example=lambda: _each([[strongest()]] * len(countries())),
            fits=lambda own, findings: (
                findings.facts["shared"] > 8 and findings.facts["mean"] < 0.1
            ),
            sentence="You name the same latent for many countries, and exchanging it moves hardly an answer. What is on for "
            "every country cannot say which one it is. Compare a latent with itself: when is it higher than usual?",
        ),
        WrongHypothesis(
            name="one latent for each",
            example=one_each,
            fits=lambda own, findings: findings.facts["alone"] and findings.facts["mean"] > 0.5,
            sentence="One latent for each country does for most, and the worst quarter tells that it does not for all. Take a "
            "country with a low share and look at its questions city by city, in each language: which latents are on?",
        ),
        WrongHypothesis(
            name="the old one gives way by itself",
            example=lambda: three_each() | {"on_top": 0.95},
            fits=lambda own, findings: findings.facts["far"] in ("on_top", "without"),
            sentence="What happens when a country's own latents go off, or stay on beside the new ones, is another experiment "
            "than the swap, and it comes out otherwise than you say. Run both.",
        ),
        WrongHypothesis(
            name="strong, so it is needed",
            example=lambda: three_each() | {"generic_without": 0.1},
            fits=lambda own, findings: findings.facts["far"] == "generic_without",
            sentence="The strongest latent writes more than any other, and you expect the answers to need it. Switch it off and "
            "count.",
        ),
    ),
    styles=(
        Worked(name="three for each", hypothesis=three_each, level="excellent"),
        Worked(
            name="those that are mostly its own", hypothesis=those_of_its_own, level="excellent"
        ),
    ),
    hints=(
        "Make a table: the mean of each latent over taught questions, by country. Subtract from each column its mean.",
        "A country need not have one latent. Look at a country for which the swap often fails, and group its questions by "
        "city: is your latent on for each?",
        "A latent at the prompt's end is edited by adding its change times its row of W_dec to what attention 2 writes "
        "there (`tracing.intervene` with a `Change` does it, or a hook). Count over many questions in three languages.",
    ),
)
