"""Oracles: Monte Carlo for the expected losses, limits worked out by hand for the regions."""

import pytest
import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition import (
    pair_loss,
    phase_losses,
    phase_optimum,
    phase_theory,
    sparse_features,
    toy_forward,
    weighted_loss,
)

F64 = torch.float64
CANDIDATES = {  # W and b as functions of p
    "dropped": ([1.0, 0.0], lambda p: [0.0, p / 2]),
    "superposed": ([1.0, -1.0], lambda p: [0.0, 0.0]),
    "dedicated": ([0.0, 1.0], lambda p: [p / 2, 0.0]),
}


def monte_carlo(W, b, p, r, n=400_000):
    x = sparse_features(n, torch.full((2,), p, dtype=F64), seeded(0))
    error = (x - toy_forward(x, W, b)) ** 2 * torch.tensor([1.0, r], dtype=F64)
    per_sample = error.sum(dim=1)
    return per_sample.mean(), 5 * per_sample.std() / n**0.5


@pytest.mark.parametrize("fate", CANDIDATES)
@pytest.mark.parametrize(("p", "r"), [(0.05, 3.0), (0.4, 0.3), (1.0, 1.0)])
def test_closed_forms_and_quadrature_match_monte_carlo(fate, p, r):
    weights, bias = CANDIDATES[fate]
    W, b = torch.tensor([weights], dtype=F64), torch.tensor(bias(p), dtype=F64)
    density, importance = torch.tensor([p], dtype=F64), torch.tensor([r], dtype=F64)
    expected, five_errors = monte_carlo(W, b, p, r)
    closed = getattr(phase_losses(density, importance), fate)
    assert abs(closed - expected) < five_errors
    exact = pair_loss(W[None], b[None], density, importance)
    torch.testing.assert_close(exact, closed, rtol=5e-3, atol=0.0)


def test_quadrature_is_exact_enough_for_any_weights():
    like = {"generator": seeded(1), "dtype": F64}
    W, b = torch.randn(5, 1, 2, **like), 0.3 * torch.randn(5, 2, **like)
    p, r = torch.rand(5, **like), torch.rand(5, **like) * 3
    found = pair_loss(W, b, p, r)
    for k in range(5):
        expected, five_errors = monte_carlo(W[k], b[k], p[k].item(), r[k].item())
        assert abs(found[k] - expected) < five_errors + 0.005 * expected


def test_a_constant_is_best_at_the_mean():
    """What dropping costs, r (p/3 - p²/4), is the least over all constant outputs."""
    x = sparse_features(100_000, torch.tensor([0.4], dtype=F64), seeded(0))
    constants = torch.linspace(0, 0.6, 61, dtype=F64)
    losses = torch.stack(
        [weighted_loss(x, c.expand(x.shape), torch.ones(1, dtype=F64)) for c in constants]
    )
    assert abs(constants[losses.argmin()] - 0.2) < 0.011
    expected = phase_losses(torch.tensor(0.4), torch.tensor(1.0)).dropped
    torch.testing.assert_close(losses.min().float(), expected, rtol=0.02, atol=0.0)


def test_regions():
    def fate(p, r):
        return phase_theory(torch.tensor(p), torch.tensor(r)).item()

    assert fate(0.01, 0.2) == fate(0.01, 1.0) == fate(0.01, 5.0) == 1  # sparse: always superposed
    assert fate(1.0, 0.5) == 0 and fate(1.0, 2.0) == 2  # dense: the more important one
    # At r = 1: p/3 - p²/4 = p²/3 at p = 4/7.
    assert fate(4 / 7 - 0.001, 1.0) == 1 and fate(4 / 7 + 0.001, 1.0) != 1
    # Superposed against dropped at r = 0.2: 0.2 (p/3 - p²/4) = 1.2 p²/6 at p = 4/15.
    r, border = 0.2, 4 / 15
    assert fate(border - 0.001, r) == 1 and fate(border + 0.001, r) == 0


def test_swapping_the_two_features_swaps_dropped_and_dedicated():
    p, r = torch.rand(50, generator=seeded(0)) * 0.98 + 0.01, torch.logspace(-1, 1, 50)
    swapped = torch.tensor([2, 1, 0])[phase_theory(p, 1 / r)]
    assert phase_theory(p, r).equal(swapped)


def test_arguments_broadcast():
    p, r = torch.rand(3, 1) + 1e-3, torch.rand(1, 4) + 0.1
    assert phase_losses(p.clamp(max=1), r).dropped.shape == (3, 4)
    assert phase_theory(p.clamp(max=1), r).shape == (3, 4)


@pytest.mark.parametrize(
    ("p", "r", "message"),
    [
        (0.0, 1.0, r"density must lie in \(0, 1\]"),
        (1.5, 1.0, r"density must lie in \(0, 1\]"),
        (0.5, 0.0, "relative importance must be positive"),
        (float("nan"), 1.0, "density"),
    ],
)
def test_impossible_cells_are_refused(p, r, message):
    with pytest.raises(ValueError, match=message):
        phase_theory(torch.tensor(p), torch.tensor(r))


DENSITY = torch.tensor([0.03, 0.2, 0.5, 0.9])[:, None]
IMPORTANCE = torch.tensor([0.15, 1.0, 6.0])[None, :]


@pytest.fixture(scope="module")
def optimum():
    return phase_optimum(DENSITY, IMPORTANCE)


class TestOptimum:
    def test_is_at_least_as_good_as_the_three_candidates(self, optimum):
        theory = torch.stack(list(phase_losses(DENSITY, IMPORTANCE))).amin(dim=0)
        assert (optimum.loss <= theory * 1.005).all()  # 0.3 % is the quadrature's error

    def test_has_the_loss_it_says(self, optimum):
        W, b = optimum.W[2, 1].double(), optimum.b[2, 1].double()
        expected, five_errors = monte_carlo(W, b, 0.5, 1.0)
        assert abs(optimum.loss[2, 1] - expected) < five_errors + 0.005 * expected

    def test_is_a_minimum(self, optimum):
        """No small random change of weights and biases makes any cell better."""
        g = seeded(0)
        p, r = (t.flatten() for t in torch.broadcast_tensors(DENSITY, IMPORTANCE))
        W, b = optimum.W.flatten(end_dim=1), optimum.b.flatten(end_dim=1)
        for _ in range(20):
            dW = 0.02 * torch.randn(W.shape, generator=g)
            db = 0.02 * torch.randn(b.shape, generator=g)
            changed = pair_loss(W + dW, b + db, p, r).view(4, 3)
            assert (changed > optimum.loss * 0.999).all()

    def test_has_the_three_regions(self, optimum):
        assert optimum.fate.shape == (4, 3)
        assert optimum.fate[0].tolist() == [1, 1, 1]
        assert optimum.fate[3].tolist()[::2] == [0, 2]
