"""Oracles: brute force in plain Python, and finite differences of smoothed losses for the estimators."""

import pytest
import torch

from mi_tutor.lab.dictionaries import batch_top_k, jump_relu, step, top_k
from mi_tutor.lab.ground.device import seeded

F64 = torch.float64
PRE = torch.randn(7, 9, generator=seeded(0), dtype=F64)


def kept_by_hand(values: list[float], k: int) -> list[float]:
    best = sorted(range(len(values)), key=lambda i: -values[i])[:k]
    return [v if i in best and v > 0 else 0.0 for i, v in enumerate(values)]


@pytest.mark.parametrize("k", [1, 3, 9])
def test_top_k_by_hand(k):
    expected = [kept_by_hand(row, k) for row in PRE.tolist()]
    assert top_k(PRE, k).tolist() == expected
    # More axes, and a layout that is not contiguous.
    several = torch.stack([PRE, -PRE]).transpose(0, 1)
    assert top_k(several, k)[:, 0].tolist() == expected


@pytest.mark.parametrize("k", [1, 3, 9])
def test_batch_top_k_by_hand(k):
    expected = kept_by_hand(PRE.flatten().tolist(), k * len(PRE))
    assert batch_top_k(PRE, k).flatten().tolist() == expected


def test_nothing_negative_is_kept():
    pre = -torch.rand(3, 4, generator=seeded(0))
    for latents in (top_k(pre, 2), batch_top_k(pre, 2)):
        assert latents.eq(0).all()


@pytest.mark.parametrize("keep", [top_k, batch_top_k])
def test_gradients_reach_what_is_kept_only(keep):
    pre = PRE.clone().requires_grad_()
    latents = keep(pre, 3)
    latents.sum().backward()
    assert pre.grad.equal((latents > 0).to(F64))


@pytest.mark.parametrize("keep", [top_k, batch_top_k])
@pytest.mark.parametrize("k", [0, 10])
def test_an_impossible_k_is_refused(keep, k):
    with pytest.raises(ValueError, match="between 1 and the number of latents, 9"):
        keep(PRE, k)


def test_jump_relu_values():
    threshold = torch.rand(9, generator=seeded(1), dtype=F64)
    expected = [
        [z if z > t else 0.0 for z, t in zip(row, threshold.tolist(), strict=True)]
        for row in PRE.tolist()
    ]
    assert jump_relu(PRE, threshold).tolist() == expected
    assert step(PRE, threshold).tolist() == [[float(v > 0) for v in row] for row in expected]


def smoothed(pre, threshold, bandwidth):
    """H convolved with the rectangle: a ramp. Its slope is what the estimator stands for."""
    return ((pre - threshold) / bandwidth + 0.5).clamp(0, 1)


def test_the_steps_estimator_is_the_slope_of_a_ramp():
    threshold = torch.full((9,), 0.3, dtype=F64, requires_grad=True)
    weights = torch.randn(7, 9, generator=seeded(2), dtype=F64)
    [expected] = torch.autograd.grad((weights * smoothed(PRE, threshold, 1.0)).sum(), threshold)
    [seen] = torch.autograd.grad((weights * step(PRE, threshold, 1.0)).sum(), threshold)
    assert expected.abs().min() > 0  # each latent has a sample within the band
    torch.testing.assert_close(seen, expected)


def test_the_jumps_estimator_is_theta_times_that_slope():
    threshold = torch.full((9,), 0.3, dtype=F64, requires_grad=True)
    pre = PRE.clone().requires_grad_()
    weights = torch.randn(7, 9, generator=seeded(2), dtype=F64)
    ramp = (weights * smoothed(PRE, threshold, 1.0)).sum()
    [slope] = torch.autograd.grad(ramp, threshold)
    latents = jump_relu(pre, threshold, 1.0)
    to_pre, to_threshold = torch.autograd.grad((weights * latents).sum(), [pre, threshold])
    torch.testing.assert_close(to_threshold, threshold.detach() * slope)
    assert to_pre.equal(weights * (threshold < PRE))


def test_estimators_sum_over_all_leading_axes():
    threshold = torch.full((9,), 0.1, dtype=F64, requires_grad=True)
    for function in (step, jump_relu):
        flat = torch.autograd.grad(function(PRE[:6], threshold, 0.5).sum(), threshold)[0]
        deep = function(PRE[:6].reshape(2, 3, 9), threshold, 0.5)
        assert torch.autograd.grad(deep.sum(), threshold)[0].equal(flat)
        single = [
            torch.autograd.grad(function(p, threshold, 0.5).sum(), threshold)[0] for p in PRE[:6]
        ]
        torch.testing.assert_close(torch.stack(single).sum(dim=0), flat)
