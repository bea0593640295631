"""Chapter 02, a dictionary for features that are known: `match-features`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import and_near_zero, normal


def _match_cases(g: torch.Generator) -> list[Case]:
    features = normal(g, 5, 8)
    shuffled = torch.cat([normal(g, 4, 8), 3 * features[torch.tensor([3, 1, 4, 0, 2])]])
    opposite = F.normalize(normal(g, 4, 6), dim=1)
    with_opposites = torch.cat([-0.9 * opposite[:2], 0.4 * opposite[2:], normal(g, 3, 6)])
    one_side = 2 + normal(g, 3, 6)
    lengths = torch.tensor([[0.1], [1.0], [10.0], [0.5], [4.0], [0.2], [1.0]])
    settings = [
        ("more latents than features", normal(g, 9, 6), normal(g, 5, 6)),
        ("14 latents for 12 features", normal(g, 14, 6), normal(g, 12, 6)),
        ("fewer latents than features", normal(g, 3, 5), normal(g, 7, 5)),
        ("as many latents as features", normal(g, 6, 4), normal(g, 6, 4)),
        ("every feature found, in another order and length", shuffled, features),
        ("latents that point the opposite way", with_opposites, opposite),
        ("a single latent, far from every feature", -one_side.mean(0, keepdim=True), one_side),
        ("latents of very different lengths", lengths * normal(g, 7, 3), normal(g, 4, 3)),
    ]
    return [
        Case(label=label, inputs={"W_dec": W_dec, "features": features})
        for label, W_dec, features in settings
    ]


def _cosines(W_dec: Tensor, features: Tensor) -> Tensor:
    return F.normalize(features, dim=1) @ F.normalize(W_dec, dim=1).T


def _match_loop(W_dec, features):
    cosines, latents = [], []
    for feature in features:
        each = [float(torch.cosine_similarity(feature, row, dim=0)) for row in W_dec]
        cosines.append(max(each))
        latents.append(each.index(max(each)))
    return cosines, latents


def _match_by_distance(W_dec, features):
    """Between unit vectors the nearest is the one with the largest cosine: |a - b|² = 2 - 2 cos."""
    distance, latent = torch.cdist(F.normalize(features), F.normalize(W_dec)).min(dim=1)
    return 1 - distance**2 / 2, latent


def _best(table, dim=1):
    return tuple(table.max(dim=dim))


def _no_latent_twice(W_dec, features):
    """Greedy: the best pair first, then the best of what is left."""
    left = _cosines(W_dec, features).clone()
    cosine, latent = torch.zeros(len(features)), torch.zeros(len(features), dtype=torch.long)
    for _ in range(min(left.shape)):
        f, i = divmod(int(left.argmax()), left.shape[1])
        cosine[f], latent[f] = left[f, i], i
        left[f], left[:, i] = -2, -2
    return cosine, latent


def _absolute(W_dec, features):
    cosine = _cosines(W_dec, features)
    latent = cosine.abs().argmax(dim=1)
    return cosine.abs().amax(dim=1), latent


MATCH_FEATURES = Exercise(
    slug="match-features",
    title="Was every feature found?",
    chapter="02",
    points=2,
    minutes=6,
    difficulty=2,
    objective="Measure how well a dictionary has found features that are known: the largest cosine for each of them.",
    cases=and_near_zero(_match_cases, "W_dec"),
    reference=lab.match_features,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="two loops, lists", right=_match_loop),
        Style(name="the nearest unit vector", right=_match_by_distance),
        Style(
            name="cosine_similarity, broadcast",
            right=lambda W_dec, features: F.cosine_similarity(
                features[:, None], W_dec[None], dim=-1
            ).max(dim=-1),
        ),
    ),
    mistakes=(
        Mistake(
            name="one per latent",
            wrong=lambda W_dec, features: _best(_cosines(W_dec, features), dim=0),
            sentence="You give the best feature of each LATENT. The question is whether every FEATURE was found: the maximum is over latents, one "
            "result per feature.",
        ),
        Mistake(
            name="products in place of cosines",
            wrong=lambda W_dec, features: _best(features @ W_dec.T),
            sentence="These are inner products, in which a long row beats one that points the right way. Divide by both lengths.",
        ),
        Mistake(
            name="only the latents normalised",
            wrong=lambda W_dec, features: _best(features @ F.normalize(W_dec, dim=1).T),
            sentence="The latents have length 1 in your product, the features do not. A cosine divides by both lengths.",
        ),
        Mistake(
            name="only the features normalised",
            wrong=lambda W_dec, features: _best(F.normalize(features, dim=1) @ W_dec.T),
            sentence="The features have length 1 in your product, the latents do not. A cosine divides by both lengths.",
        ),
        Mistake(
            name="opposite directions count",
            wrong=_absolute,
            sentence="You take the absolute value, so a latent that points the opposite way counts as a match. Latents are never negative: it could "
            "not write the feature.",
        ),
        Mistake(
            name="columns normalised",
            wrong=lambda W_dec, features: _best(
                F.normalize(features, dim=0) @ F.normalize(W_dec, dim=0).T
            ),
            sentence="You scaled columns. Each row is a direction, in both matrices.",
        ),
        Mistake(
            name="cosines alone",
            wrong=lambda W_dec, features: _cosines(W_dec, features).amax(dim=1),
            sentence="These are the cosines alone. Give the latents' numbers too: a pair (cosine, latent).",
        ),
        Mistake(
            name="order exchanged",
            wrong=lambda W_dec, features: _best(_cosines(W_dec, features))[::-1],
            sentence="Your pair is exchanged: first the cosines, then the latents' numbers.",
        ),
        Mistake(
            name="no latent twice",
            wrong=_no_latent_twice,
            sentence="You use no latent for two features. Here each feature looks for its own best latent, whatever the others chose.",
        ),
        Mistake(
            name="smallest angle by mean",
            wrong=lambda W_dec, features: (
                _cosines(W_dec, features).mean(dim=1),
                _cosines(W_dec, features).argmax(dim=1),
            ),
            sentence="You average the cosines over latents. One good latent is enough: take the maximum.",
        ),
    ),
    hints=(
        "First a table of cosines, [feature latent].",
        "A product of two matrices whose rows all have length 1 holds cosines.",
        "`.max(dim=...)` gives values and places at once. Which axis is latents?",
    ),
)
