"""Oracles: loops in plain Python; the ways around a penalty that must not pay."""

import math

import pytest
import torch

from mi_tutor.lab.dictionaries import (
    auxiliary_loss,
    l0_penalty,
    l1_penalty,
    reconstruction_loss,
    sae_loss,
    tanh_penalty,
)
from mi_tutor.lab.ground.device import seeded

F64 = torch.float64
B, D, N = 4, 3, 6
X, X_HAT = torch.randn(2, B, D, generator=seeded(0), dtype=F64)
LATENTS = torch.relu(torch.randn(B, N, generator=seeded(1), dtype=F64))
W_DEC = torch.randn(N, D, generator=seeded(2), dtype=F64)
NORMS = [math.sqrt(sum(w * w for w in row)) for row in W_DEC.tolist()]


def per_sample(value) -> float:
    return sum(value(b) for b in range(B)) / B


def test_losses_by_hand():
    reconstruction = per_sample(
        lambda b: sum((X[b, d] - X_HAT[b, d]).item() ** 2 for d in range(D))
    )
    l1 = per_sample(lambda b: sum(LATENTS[b, i].item() * NORMS[i] for i in range(N)))
    tanh = per_sample(
        lambda b: sum(math.tanh(0.7 * LATENTS[b, i].item() * NORMS[i]) for i in range(N))
    )
    l0 = per_sample(lambda b: sum(LATENTS[b, i].item() > 0.5 for i in range(N)))
    assert reconstruction_loss(X, X_HAT).item() == pytest.approx(reconstruction)
    assert l1_penalty(LATENTS, W_DEC).item() == pytest.approx(l1)
    assert sae_loss(X, X_HAT, LATENTS, W_DEC, 0.3).item() == pytest.approx(
        reconstruction + 0.3 * l1
    )
    assert tanh_penalty(LATENTS, W_DEC, 0.7).item() == pytest.approx(tanh)
    assert l0_penalty(LATENTS, torch.full((N,), 0.5, dtype=F64), 0.1).item() == pytest.approx(l0)


@pytest.mark.parametrize("penalty", [l1_penalty, lambda f, W: tanh_penalty(f, W, 2.0)])
def test_shrinking_latents_and_growing_rows_does_not_pay(penalty):
    torch.testing.assert_close(penalty(LATENTS / 9, W_DEC * 9), penalty(LATENTS, W_DEC))


def test_a_larger_dictionary_of_zeros_costs_nothing():
    more = torch.cat([LATENTS, torch.zeros(B, 5, dtype=F64)], dim=1)
    W = torch.cat([W_DEC, torch.ones(5, D, dtype=F64)])
    torch.testing.assert_close(l1_penalty(more, W), l1_penalty(LATENTS, W_DEC))


def test_auxiliary_loss_by_hand():
    pre = torch.randn(B, N, generator=seeded(3), dtype=F64)
    dead = torch.tensor([True, False, True, True, False, False])
    error = X - X_HAT

    def one(b: int) -> float:
        candidates = sorted((i for i in range(N) if dead[i]), key=lambda i: -pre[b, i].item())[:2]
        e_hat = sum(max(0.0, pre[b, i].item()) * W_DEC[i] for i in candidates)
        return (error[b] - e_hat).square().sum().item()

    assert auxiliary_loss(error, pre, W_DEC, dead, k=2).item() == pytest.approx(per_sample(one))


def test_auxiliary_loss_moves_dead_latents_and_nothing_else():
    pre = torch.rand(B, N, generator=seeded(3), dtype=F64).requires_grad_()
    W, error = W_DEC.clone().requires_grad_(), (X - X_HAT).requires_grad_()
    dead = torch.tensor([True, False, True, True, False, False])
    auxiliary_loss(error, pre, W, dead, k=3).backward()
    for gradient in (pre.grad.abs().sum(dim=0), W.grad.abs().sum(dim=1)):
        assert (gradient > 0).equal(dead)
    assert (
        error.grad is None
    )  # the living latents are not asked to leave something for the dead ones


def test_auxiliary_loss_without_dead_latents_is_zero():
    none = torch.zeros(N, dtype=torch.bool)
    assert auxiliary_loss(X, LATENTS, W_DEC, none, k=2).item() == 0
