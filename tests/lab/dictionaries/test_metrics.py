"""Oracles: loops in plain Python, numpy, torch.nn.functional."""

import math

import numpy as np
import pytest
import torch

from mi_tutor.lab.dictionaries import (
    Relu,
    Sae,
    cosine,
    density,
    density_histogram,
    fvu,
    l0,
    metrics,
    pareto_front,
    sae_metrics,
    sparsity_for,
)
from mi_tutor.lab.ground.device import seeded

X, X_HAT = torch.randn(2, 20, 4, generator=seeded(0)) + 3
LATENTS = torch.relu(torch.randn(20, 7, generator=seeded(1)))


def test_l0_and_density_by_hand():
    counts = [sum(v > 0 for v in row) for row in LATENTS.tolist()]
    assert l0(LATENTS) == pytest.approx(sum(counts) / 20)
    shares = [sum(row[i] > 0 for row in LATENTS.tolist()) / 20 for i in range(7)]
    assert density(LATENTS).tolist() == pytest.approx(shares)
    assert l0(LATENTS.reshape(4, 5, 7)) == pytest.approx(l0(LATENTS))


def test_fvu_by_hand_and_at_its_landmarks():
    mean = [sum(column) / 20 for column in zip(*X.tolist(), strict=True)]
    variance = sum((v - m) ** 2 for row in X.tolist() for v, m in zip(row, mean, strict=True))
    error = ((X - X_HAT) ** 2).sum().item()
    assert fvu(X, X_HAT) == pytest.approx(error / variance, rel=1e-5)
    assert fvu(X, X.mean(dim=0).expand_as(X)) == pytest.approx(1)
    assert fvu(X, X) == 0
    # A shift of everything changes nothing. Uncentred, it would.
    assert fvu(X + 100, X_HAT + 100) == pytest.approx(fvu(X, X_HAT), rel=1e-3)


def test_fvu_needs_variance():
    with pytest.raises(ValueError, match="All 3 rows are the same"):
        fvu(torch.ones(3, 2), torch.zeros(3, 2))
    with pytest.raises(ValueError, match=r"too large to be squared in torch\.float32"):
        fvu(1e25 * X, torch.zeros(20, 4))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype):
    """Squares above 65,504 do not fit into float16, and a bfloat16 sum stops growing at some hundreds."""
    x, x_hat = (100 * X).to(dtype), (100 * X_HAT).to(dtype)
    wide = x.double(), x_hat.double()
    assert fvu(x, x_hat) == pytest.approx(fvu(*wide), rel=1e-5)
    assert cosine(x, x_hat) == pytest.approx(cosine(*wide), rel=1e-5)
    assert fvu(x, torch.zeros_like(x)) > 1
    assert l0(torch.ones(3, 5001, dtype=dtype)) == 5001
    sae = random_sae()
    found, expected = sae_metrics(sae, x), sae_metrics(sae, x.float())
    assert found[:5] == expected[:5]
    found = sae_metrics(sae.to(dtype), x)
    assert found.fvu == pytest.approx(expected.fvu, rel=0.05)


BROKEN = torch.tensor([[1.0, 2.0], [float("nan"), 3.0]])


@pytest.mark.parametrize(
    ("measure", "name"),
    [
        (lambda: fvu(BROKEN, torch.zeros(2, 2)), "x"),
        (lambda: fvu(torch.eye(2), BROKEN), "x_hat"),
        (lambda: cosine(torch.eye(2), BROKEN), "x_hat"),
        (lambda: l0(BROKEN), "latents"),
        (lambda: density(BROKEN), "latents"),
        (lambda: density_histogram(BROKEN[:, 0]), "density"),
        (lambda: pareto_front(*BROKEN), "loss"),
        (lambda: sae_metrics(random_sae(), BROKEN.repeat(1, 2)), "x"),
    ],
)
def test_nan_is_named(measure, name):
    with pytest.raises(ValueError, match=rf"1 of \d numbers in {name} is|2 of 8 numbers in x are"):
        measure()


def test_what_is_infinite_is_counted():
    x = torch.zeros(1000, 1200)
    x[[3, 4], 7] = float("-inf")
    with pytest.raises(ValueError, match=r"2 of 1,200,000 numbers in x are .* at \[3, 7\]"):
        fvu(x, x)


def test_cosine_is_a_mean_of_cosines():
    expected = np.mean(
        [
            np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)
            for a, b in zip(X.numpy(), X_HAT.numpy(), strict=True)
        ]
    )
    assert cosine(X, X_HAT) == pytest.approx(expected, rel=1e-5)


def test_the_histogram_is_numpys():
    shares = torch.rand(200, generator=seeded(2)) ** 4
    shares[:7] = 0
    shares[7] = 1.0
    counts, edges, n_dead = density_histogram(shares, n_bins=12)
    expected, expected_edges = np.histogram(np.log10(shares[7:].numpy()), bins=12)
    assert counts.tolist() == expected.tolist()
    np.testing.assert_allclose(edges, expected_edges, atol=1e-6)
    assert n_dead == 7


def test_the_histogram_of_a_dead_dictionary():
    found = density_histogram(torch.zeros(4), n_bins=3)
    assert found.counts.tolist() == [0, 0, 0] and found.n_dead == 4


def random_sae(d_out=4, centred=True) -> Sae:
    g = {"generator": seeded(3)}
    W_enc, W_dec = torch.randn(4, 9, **g), torch.randn(9, d_out, **g)
    b_enc = torch.randn(9, **g)
    b_enc[0], b_enc[1] = -100.0, 100.0  # one latent is dead, one is always on
    return Sae(
        W_enc=W_enc, b_enc=b_enc, W_dec=W_dec, b_dec=torch.randn(d_out, **g), centred=centred
    )


@pytest.mark.parametrize("transcoder", [False, True])
def test_all_together_in_parts_and_at_once(monkeypatch, transcoder):
    sae = random_sae(d_out=3, centred=False) if transcoder else random_sae()
    target = torch.randn(20, 3, generator=seeded(4)) if transcoder else None
    latents = sae.encode(X)
    y = X if target is None else target
    for at_once in (8192, 7):
        monkeypatch.setattr(metrics, "AT_ONCE", at_once)
        found = sae_metrics(sae, X, target)
        assert found.l0 == pytest.approx(l0(latents))
        assert found.fvu == pytest.approx(fvu(y, sae(X)), rel=1e-5)
        assert found.cosine == pytest.approx(cosine(y, sae(X)), rel=1e-4)
        torch.testing.assert_close(found.density, density(latents))
        assert found.dead == pytest.approx(sum(d == 0 for d in density(latents).tolist()) / 9)
        assert found.dense == pytest.approx(
            sum(d > 0.1 + 1e-6 for d in density(latents).tolist()) / 9
        )
        assert found.dead >= 1 / 9 and found.dense >= 1 / 9
    assert isinstance(sae.kind, Relu)


def test_the_pareto_front_by_brute_force():
    points = torch.randint(0, 6, (30, 2), generator=seeded(5)).float()
    expected = [not any((q <= p).all() and (q < p).any() for q in points) for p in points]
    assert pareto_front(points[:, 0], points[:, 1]).tolist() == expected
    assert 0 < sum(expected) < 30


def test_lambda_for_a_wanted_l0_on_a_power_law():
    tried = [0.1, 0.5, 2.0, 10.0]
    seen = [20 * s**-0.8 for s in tried]
    for target in (4.0, 30.0):
        assert sparsity_for(target, tried, seen) == pytest.approx(
            (20 / target) ** (1 / 0.8), rel=1e-5
        )
    assert math.isclose(sparsity_for(seen[1], tried[::-1], seen[::-1]), 0.5, rel_tol=1e-6)


def test_lambda_outside_of_what_was_tried():
    with pytest.raises(ValueError, match="outside of what was tried"):
        sparsity_for(500.0, [0.1, 1.0], [100.0, 1.0])
    with pytest.raises(ValueError, match="1 of 2 numbers in l0 is NaN"):
        sparsity_for(3.0, [0.1, 1.0], [5.0, float("nan")])
    with pytest.raises(ValueError, match="should fall"):
        sparsity_for(3.0, [0.1, 1.0], [5.0, 6.0])
