"""Probes against the conditions of an optimum and TransformerLens's fit; interventions on planted directions."""

import doctest

import pytest
import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.metrics import prefers
from mi_tutor.lab.ground.runs import capture, evaluate
from mi_tutor.lab.ground.sites import Site
from mi_tutor.lab.patching import probes
from mi_tutor.lab.patching.activation import run_patched
from mi_tutor.lab.patching.planted import planted_probe
from mi_tutor.lab.patching.probes import (
    exchange_along,
    fit_probe,
    mean_difference,
    patch_direction,
    probe_accuracy,
    without_direction,
)


def overlapping(n, d, seed):
    g = seeded(seed)
    x = torch.randn(n, d, generator=g) * torch.arange(1.0, d + 1) + 3
    labels = x[:, 0] / 1.0 + 0.3 * x[:, 1] + torch.randn(n, generator=g) > 4
    return x, labels


@pytest.mark.parametrize("l2", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_fit_is_an_optimum(l2, seed):
    """At the minimum: mean (p - y) x + l2 w = 0 and mean (p - y) = 0."""
    x, labels = overlapping(300, 5, seed)
    probe = fit_probe(x.double(), labels, l2)
    error = probe.score(x.double()).sigmoid() - labels.double()
    gradient = (error[:, None] * x.double()).mean(dim=0) + l2 * probe.direction
    assert gradient.abs().max() < 1e-6 and error.mean().abs() < 1e-7


def test_separable_classes_far_from_the_origin():
    x = torch.randn(200, 4, generator=seeded(0)) + 1000
    labels = x[:, 2] > 1000
    assert probe_accuracy(fit_probe(x, labels, l2=1e-4), x, labels) > 0.97


def test_shuffled_labels_cannot_be_read():
    x, labels = overlapping(2000, 5, 0)
    shuffled = labels[torch.randperm(2000, generator=seeded(1))]
    probe = fit_probe(x[:1000], shuffled[:1000])
    majority = max(shuffled[1000:].float().mean().item(), 1 - shuffled[1000:].float().mean().item())
    assert probe_accuracy(probe, x[1000:], shuffled[1000:]) < majority + 0.03
    real = fit_probe(x[:1000], labels[:1000])
    assert probe_accuracy(real, x[1000:], labels[1000:]) > majority + 0.1


def test_accuracy_by_counting():
    x, labels = overlapping(50, 3, 0)
    probe = fit_probe(x, labels)
    right = sum(bool(probe.score(row) > 0) == bool(y) for row, y in zip(x, labels, strict=True))
    assert probe_accuracy(probe, x, labels) == pytest.approx(right / 50)


def test_mean_difference_by_a_loop():
    x, labels = overlapping(50, 3, 0)
    means = [
        sum(row for row, y in zip(x, labels, strict=True) if y == want) / (labels == want).sum()
        for want in (True, False)
    ]
    torch.testing.assert_close(mean_difference(x, labels), means[0] - means[1])


def test_edits_along_a_direction():
    g = seeded(0)
    x, source, direction = (torch.randn(*s, generator=g) for s in ((6, 4), (6, 4), (4,)))
    gone = without_direction(x, direction)
    torch.testing.assert_close(gone @ direction, torch.zeros(6), atol=1e-5, rtol=0)
    other = torch.randn(4, generator=g)
    other = without_direction(other, direction)
    torch.testing.assert_close(gone @ other, x @ other)
    moved = exchange_along(x, source, direction)
    torch.testing.assert_close(moved @ direction, source @ direction)
    torch.testing.assert_close(moved @ other, x @ other)
    torch.testing.assert_close(exchange_along(x, source, -7 * direction), moved)
    torch.testing.assert_close(exchange_along(x, x, direction), x)


def test_a_perfect_probe_that_causes_nothing():
    """The lesson of the chapter, where the truth is known."""
    planted = planted_probe(400, 16, seeded(0))
    h, labels = planted.hidden, planted.labels
    for direction in (planted.used, planted.unused):
        readable = (h @ direction)[:, None]
        assert (
            probe_accuracy(fit_probe(readable[:200], labels[:200]), readable[200:], labels[200:])
            == 1
        )
    others = h[torch.randperm(400, generator=seeded(1))]
    before = planted.output(h)
    used, unused = (
        planted.output(exchange_along(h, others, u)) for u in (planted.used, planted.unused)
    )
    torch.testing.assert_close(unused, before, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(used, planted.output(others), atol=1e-5, rtol=1e-5)
    # The fitted probe divides its weight between the two, so it moves half of the way.
    fitted = fit_probe(h, labels).direction
    cosines = [(fitted @ u / fitted.norm()).item() for u in (planted.used, planted.unused)]
    assert cosines == pytest.approx([0.5**0.5] * 2, abs=0.1)


def test_in_a_model_all_directions_together_are_the_whole_patch(tiny_gpt2):
    g = torch.Generator().manual_seed(1)
    tokens, other = (torch.randint(2, 188, (2, 7), generator=g) for _ in range(2))
    metric = prefers(torch.tensor([3, 100]), torch.tensor([50, 20]))
    site = Site("resid_post", 2, -1)
    base, source = (
        capture(tiny_gpt2, ids, ["resid_post"])[site.hook_name] for ids in (tokens, other)
    )
    difference = (source - base)[
        0, -1
    ]  # the only direction in which the first pair's streams differ there
    seen = patch_direction(tiny_gpt2, tokens, other, metric, site, difference)
    whole = metric(run_patched(tiny_gpt2, tokens, capture(tiny_gpt2, other, ["resid_post"]), site))
    torch.testing.assert_close(seen[0], whole[0], atol=1e-5, rtol=1e-4)
    across = without_direction(torch.randn(24, generator=g), difference)
    nothing = patch_direction(tiny_gpt2, tokens, other, metric, site, across)
    torch.testing.assert_close(
        nothing[0], evaluate(tiny_gpt2, tokens, metric)[0], atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("value", [True, False])
def test_one_class_only(value):
    with pytest.raises(ValueError, match="All labels are the same"):
        fit_probe(torch.randn(4, 2), torch.full((4,), value))


def test_no_regularisation():
    with pytest.raises(ValueError, match="l2 should be positive"):
        fit_probe(torch.randn(4, 2), torch.tensor([True, False, True, False]), l2=0.0)


def test_examples():
    assert doctest.testmod(probes).failed == 0
