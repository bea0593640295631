"""Oracles: packings that are known exactly, Welch's bound, and pairwise loops."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition import (
    greedy_directions,
    max_abs_cosine,
    packing_limits,
    spread_directions,
    welch_bound,
)


@given(n=st.integers(2, 7), d=st.integers(1, 5), seed=st.integers(0, 10**6))
def test_max_abs_cosine_by_loops(n, d, seed):
    v = torch.randn(n, d, generator=seeded(seed), dtype=torch.float64)
    worst = 0.0
    for i in range(n):
        for j in range(i):
            dot = sum(float(a) * float(b) for a, b in zip(v[i], v[j], strict=True))
            worst = max(worst, abs(dot) / (v[i].norm() * v[j].norm()).item())
    assert max_abs_cosine(v).item() == pytest.approx(worst)


@given(n=st.integers(2, 9), d=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_nothing_beats_the_welch_bound(n, d, seed):
    v = torch.randn(n, d, generator=seeded(seed), dtype=torch.float64)
    assert max_abs_cosine(v).item() >= welch_bound(n, d) - 1e-9


def test_welch_bound_by_hand():
    assert welch_bound(3, 3) == welch_bound(2, 5) == 0
    assert welch_bound(3, 2) == pytest.approx(1 / 2)
    assert welch_bound(6, 3) == pytest.approx(1 / math.sqrt(5))
    for d in range(1, 9):
        assert welch_bound(d + 1, d) == pytest.approx(1 / d)


KNOWN = [
    (3, 2, 1 / 2),  # lines through the corners of a triangle
    (4, 2, math.cos(math.pi / 4)),  # n lines in the plane: π/n apart
    (7, 2, math.cos(math.pi / 7)),
    (4, 3, 1 / 3),  # diagonals of the cube
    (6, 3, 1 / math.sqrt(5)),  # diagonals of the icosahedron
    (5, 4, 1 / 4),  # simplex
    (8, 7, 1 / 7),
    (10, 5, 1 / 3),  # equiangular
    (3, 3, 0.0),
    (2, 6, 0.0),
    (3, 1, 1.0),
]


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize(("n", "d", "best"), KNOWN)
def test_spreading_finds_the_best_packings(n, d, best):
    directions = spread_directions(n, d)
    assert directions.shape == (n, d)
    torch.testing.assert_close(directions.norm(dim=1), torch.ones(n))
    assert max_abs_cosine(directions).item() == pytest.approx(best, abs=1e-3)


def test_spreading_beats_random_by_far():
    random = max_abs_cosine(torch.randn(40, 10, generator=seeded(0)))
    spread = max_abs_cosine(spread_directions(40, 10, n_steps=300))
    assert welch_bound(40, 10) < spread < 0.5 * random


def test_greedy_keeps_its_promise_and_leaves_no_candidate_that_fits():
    d, limit, n = 6, 0.4, 300
    kept = greedy_directions(d, limit, n, seeded(0))
    assert max_abs_cosine(kept) <= limit
    candidates = torch.randn(n, d, generator=seeded(0))
    expected = []
    for v in candidates / candidates.norm(dim=1, keepdim=True):
        if all(abs(float(v @ w)) <= limit for w in expected):
            expected.append(v)
    torch.testing.assert_close(kept, torch.stack(expected))


def test_room_grows_faster_than_the_dimension():
    counts = [len(greedy_directions(d, 0.5, 3000, seeded(0))) for d in (4, 8, 16)]
    assert counts[1] > 2 * counts[0] and counts[2] > 2 * counts[1] and counts[2] > 4 * 16


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: max_abs_cosine(torch.ones(1, 3)), "a cosine needs two directions; saw 1"),
        (lambda: max_abs_cosine(torch.zeros(2, 3)), "a row of zeros"),
        (lambda: welch_bound(1, 3), "saw n=1, d=3"),
        (lambda: welch_bound(3, 0), "saw n=3, d=0"),
        (lambda: spread_directions(1, 3), "need n >= 2"),
        (lambda: spread_directions(3, 0), "d >= 1"),
        (lambda: greedy_directions(3, 1.0, 10, seeded(0)), "max_cosine must lie in"),
        (lambda: greedy_directions(0, 0.5, 10, seeded(0)), "d >= 1"),
    ],
)
def test_impossible_requests_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("epsilon", [0.2, 0.5, 0.8])
def test_packing_limits_in_the_plane_and_in_space(epsilon):
    """A cap of angle φ is φ/π of the circle, and (1 - cos φ)/2 of the sphere in three dimensions."""
    angle = math.acos(epsilon)
    plane, space = packing_limits(2, epsilon), packing_limits(3, epsilon)
    assert plane.guaranteed == pytest.approx(math.pi / (2 * angle), rel=1e-3)
    assert plane.at_most == pytest.approx(math.pi / angle, rel=1e-3)
    assert space.guaranteed == pytest.approx(1 / (1 - epsilon), rel=1e-3)
    assert space.at_most == pytest.approx(1 / (1 - math.cos(angle / 2)), rel=1e-3)


@pytest.mark.parametrize(("d", "epsilon"), [(4, 0.5), (8, 0.3), (16, 0.4)])
def test_packing_limits_against_a_sample_of_the_sphere(d, epsilon):
    v = torch.randn(400_000, d, generator=seeded(0))
    share = (v[:, 0].abs() > epsilon * v.norm(dim=1)).double().mean()
    assert packing_limits(d, epsilon).guaranteed == pytest.approx(1 / share.item(), rel=0.02)


@pytest.mark.parametrize("d", [2, 4, 8, 12])
def test_what_greed_finds_lies_within_the_limits(d):
    found = len(greedy_directions(d, 0.6, 20_000, seeded(0)))
    limits = packing_limits(d, 0.6)
    assert limits.guaranteed * 0.99 <= found <= limits.at_most


def test_packing_limits_are_exponential_and_never_overflow():
    guaranteed = [packing_limits(d, 0.3).guaranteed for d in (200, 400, 800)]
    assert guaranteed[2] > 1000 * guaranteed[1] > 1e6 * guaranteed[0]
    assert packing_limits(4096, 0.5).at_most == math.inf
    with pytest.raises(ValueError, match="max_cosine"):
        packing_limits(8, 1.0)


def test_welch_never_rules_out_an_overlap_of_one_over_root_d():
    for d in (2, 8, 100):
        assert welch_bound(10**9, d) < 1 / math.sqrt(d)
        assert welch_bound(10**9, d) == pytest.approx(1 / math.sqrt(d), rel=1e-3)
