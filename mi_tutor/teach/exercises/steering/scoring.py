"""Chapter 07: `guard-score`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab.steering import Score, guard_score
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import normal, uniform


def _score_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("two latents", 40, 12, 2),
        ("three latents", 60, 12, 3),
        ("one latent", 30, 12, 1),
        ("most requests are harmless", 80, 15, 2),
        ("values that are equal to the threshold", 50, 12, 2),
        ("one request", 1, 12, 2),
        ("a guard that is never on", 25, 12, 2),
    ]
    cases = []
    for label, n, d_sae, watched in settings:
        activations = normal(g, n, d_sae).relu()
        harmful = uniform(g, n) < (0.15 if "most" in label else 0.6)
        latents = torch.randperm(d_sae, generator=g)[:watched]
        thresholds = uniform(g, watched, low=0.3, high=0.9)
        if n > 1:
            harmful[:2] = torch.tensor([True, False])
            # Some harmful rows have exactly one latent on, so that "and" is not "or".
            for row, latent in enumerate(latents.tolist()):
                activations[row * 3] = 0
                activations[row * 3, latent] = 2.0
                harmful[row * 3] = True
        if "equal" in label:
            rows = torch.randperm(n, generator=g)[:12]
            activations[rows] = 0
            activations[rows, latents[0]] = thresholds[0]
        if n == 1:
            activations[0, latents[1]], harmful[0] = 3.0, True
            activations[0, latents[0]] = 0.0
        if "never" in label:
            thresholds = thresholds + 50
        inputs = {
            "activations": activations,
            "latents": latents,
            "thresholds": thresholds,
            "harmful": harmful,
        }
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _view(value: object, **_: object) -> dict[str, object]:
    precision, recall, f1 = value
    return {"precision": float(precision), "recall": float(recall), "F1": float(f1)}


def _scored(said: Tensor, harmful: Tensor) -> tuple[float, float, float]:
    right = (said & harmful).sum().item()
    precision, recall = right / max(1, said.sum().item()), right / max(1, harmful.sum().item())
    return precision, recall, 2 * precision * recall / max(1e-12, precision + recall)


def _said(activations: Tensor, latents: Tensor, thresholds: Tensor) -> Tensor:
    return activations[:, latents] > thresholds


def _by_loop(activations, latents, thresholds, harmful):
    true = false = missed = 0
    for row, bad in zip(activations.tolist(), harmful.tolist(), strict=True):
        pairs = zip(latents.tolist(), thresholds.tolist(), strict=True)
        on = any(torch.tensor(row[i]) > torch.tensor(t) for i, t in pairs)
        true += on and bad
        false += on and not bad
        missed += bad and not on
    precision = true / (true + false) if true + false else 0.0
    recall = true / (true + missed) if true + missed else 0.0
    return precision, recall, 2 * true / max(1, 2 * true + false + missed)


def _accuracy(said: Tensor, harmful: Tensor) -> tuple[float, float, float]:
    share = (said == harmful).double().mean().item()
    return share, share, share


def _harmful_only(a, latents, t, harmful):
    recall = _said(a, latents, t).any(-1)[harmful].double().mean().item()
    return 1.0 if recall else 0.0, recall, 2 * recall / (1 + recall)


GUARD_SCORE = Exercise(
    slug="guard-score",
    title="How good is a guard?",
    chapter="07",
    points=1,
    minutes=10,
    difficulty=2,
    objective="Score a guard of several latents on harmful and harmless requests: precision, recall, F1.",
    cases=_score_cases,
    reference=guard_score,
    view=_view,
    styles=(
        Style(name="a loop", right=_by_loop),
        Style(
            name="the mean of both",
            right=lambda a, latents, t, harmful: _scored(_said(a, latents, t).any(-1), harmful),
        ),
        Style(
            name="a maximum",
            right=lambda a, latents, t, harmful: Score(
                *_scored((a[:, latents] > t).float().amax(-1) > 0.5, harmful)
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="and",
            wrong=lambda a, latents, t, harmful: _scored(_said(a, latents, t).all(-1), harmful),
            sentence="You ask for all latents at once. A request is harmful through its deed OR its thing, and the guard is on if "
            "one of its latents is.",
        ),
        Mistake(
            name="only the first",
            wrong=lambda a, latents, t, harmful: _scored(_said(a, latents, t)[:, 0], harmful),
            sentence="Only the first latent is watched.",
        ),
        Mistake(
            name="the threshold counts as on",
            wrong=lambda a, latents, t, harmful: _scored((a[:, latents] >= t).any(-1), harmful),
            sentence="A latent that is equal to its threshold counts as on with you. On means above it.",
        ),
        Mistake(
            name="on above 0",
            wrong=lambda a, latents, t, harmful: _scored((a[:, latents] > 0).any(-1), harmful),
            sentence="Every latent above 0 counts as on with you. Each has a threshold of its own.",
        ),
        Mistake(
            name="harmful only",
            wrong=_harmful_only,
            sentence="You look at harmful requests only. A guard that is always on would be perfect there: harmless requests "
            "on which it is on have to count against it.",
        ),
        Mistake(
            name="accuracy",
            wrong=lambda a, latents, t, harmful: _accuracy(_said(a, latents, t).any(-1), harmful),
            sentence="This is the share of requests that are judged rightly. Where most are harmless, a guard that is never on "
            "does well by it.",
        ),
        Mistake(
            name="exchanged",
            wrong=lambda *inputs: (
                guard_score(*inputs).recall,
                guard_score(*inputs).precision,
                guard_score(*inputs).f1,
            ),
            sentence="Precision and recall are exchanged: precision is the share of what is flagged that is harmful.",
        ),
        Mistake(
            name="plain mean",
            wrong=lambda *inputs: (
                *guard_score(*inputs)[:2],
                sum(guard_score(*inputs)[:2]) / 2,
            ),
            sentence="F1 is the harmonic mean of precision and recall: of a guard that is always on, the plain mean would be "
            "more than half.",
        ),
    ),
    hints=(
        "First a mask of requests on which the guard is on: any of its latents above its own threshold.",
        "Precision: of those flagged, the share that is harmful. Recall: of the harmful, the share that is flagged.",
        "F1 = 2 right / (flagged + harmful). Where a ratio would be 0 / 0 it counts as 0.",
    ),
)
