"""Oracle: the best of all subsets of k features, by brute force."""

from itertools import combinations

import pytest
import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition import matching_pursuit, recovery_rate

F64 = torch.float64


def problem(n, d, k, n_trials, seed):
    g = seeded(seed)
    directions = torch.randn(n, d, generator=g, dtype=F64)
    directions /= directions.norm(dim=1, keepdim=True)
    x = torch.zeros(n_trials, n, dtype=F64)
    for trial in range(n_trials):
        on = torch.randperm(n, generator=g)[:k]
        x[trial, on] = 0.5 + torch.rand(k, generator=g, dtype=F64)
    return x, directions


def best_subset(y, directions, k):
    """Least squares on every subset of k features; the one with the smallest residual."""
    best = (float("inf"), None)
    for subset in combinations(range(len(directions)), k):
        basis = directions[list(subset)].T
        fit = torch.linalg.lstsq(basis, y).solution
        residual = (y - basis @ fit).norm().item()
        if residual < best[0]:
            x = torch.zeros(len(directions), dtype=y.dtype)
            x[list(subset)] = fit
            best = (residual, x)
    return best[1]


def test_finds_what_brute_force_finds():
    x, directions = problem(n=9, d=7, k=2, n_trials=12, seed=0)
    y = x @ directions
    found = matching_pursuit(y, directions, 2)
    agree = sum(
        torch.allclose(found[t], best_subset(y[t], directions, 2), atol=1e-6) for t in range(12)
    )
    assert agree >= 10  # greedy, so it may be fooled; brute force never is


def test_orthogonal_directions_are_read_exactly():
    x, _ = problem(n=6, d=6, k=3, n_trials=20, seed=1)
    torch.testing.assert_close(matching_pursuit(x, torch.eye(6, dtype=F64), 3), x)


def test_the_residual_is_orthogonal_to_what_was_picked():
    _, directions = problem(n=12, d=6, k=1, n_trials=1, seed=2)
    y = torch.randn(5, 6, generator=seeded(3), dtype=F64)
    found = matching_pursuit(y, directions, 3)
    assert (found != 0).sum(dim=1).tolist() == [3] * 5  # three different ones, never one twice
    residual = y - found @ directions
    overlap = (residual @ directions.T)[found != 0]
    assert overlap.abs().max() < 1e-9


def test_recovery_falls_as_more_features_are_on():
    rates = [recovery_rate(100, 30, k, 200, seeded(0)) for k in (1, 4, 15)]
    assert rates[0] == 1 and rates[0] >= rates[1] > rates[2]
    assert rates[1] > 0.8 and rates[2] < 0.1


def test_recovery_is_decided_by_the_seed():
    assert recovery_rate(50, 20, 4, 50, seeded(1)) == recovery_rate(50, 20, 4, 50, seeded(1))


@pytest.mark.parametrize("k", [0, 4])
def test_an_impossible_number_of_features_is_refused(k):
    with pytest.raises(ValueError, match=f"between 1 and 3.*saw {k}"):
        matching_pursuit(torch.ones(1, 3), torch.eye(3), k)
