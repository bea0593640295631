"""Where the text does not say which of two equal ones to take, the last is as right as the first."""

from __future__ import annotations

import pytest
import torch

from mi_tutor.teach.judging import judge
from mi_tutor.teach.registry import get


def last_argmax(values):
    """The last of the largest, along the last axis."""
    return values.shape[-1] - 1 - values.flip(-1).argmax(-1)


def last_topk(values, k):
    return values.shape[-1] - 1 - values.flip(-1).sort(descending=True, stable=True).indices[:k]


def _phase_change(steps, values):
    jumps = values.diff().abs()
    i = int(last_argmax(jumps))
    return steps[i], steps[i + 1], (jumps[i] / (values.max() - values.min())).item()


def _match(W_dec, features):
    cosine = get("unit-decoder").reference(features) @ get("unit-decoder").reference(W_dec).T
    return cosine.amax(-1), last_argmax(cosine)


def _read(activations, direction, W_U, n):
    flat = last_topk(activations.flatten(), n)
    places = torch.stack(torch.unravel_index(flat, activations.shape), dim=1)
    return (activations > 0).double().mean().item(), places, last_topk(direction @ W_U, n)


def _choose(first, there_first, second, there_second):
    f1 = [get("score-a-label").reference(each > 0, there_first)[2] for each in first.T]
    best = int(last_argmax(torch.tensor(f1, dtype=torch.float64)))
    return best, get("score-a-label").reference(second[:, best] > 0, there_second)[2]


LAST = {
    "top-tokens": lambda logits, k: last_topk(logits[-1], k),
    "phase-diagram": lambda density, importance: last_argmax(
        -torch.stack(list(get("phase-losses").reference(density, importance)), dim=-1)
    ),
    "phase-change": _phase_change,
    "match-features": _match,
    "read-a-latent": _read,
    "choose-then-mark": _choose,
}


@pytest.mark.parametrize("slug", LAST)
def test_the_last_of_equal_ones_is_right(slug):
    verdict = judge(get(slug), LAST[slug])
    assert verdict.passed, verdict.finding
