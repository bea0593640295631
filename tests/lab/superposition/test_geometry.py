"""Oracles: dimensionalities of regular bodies in closed form, and loops."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition import (
    ARRANGEMENTS,
    arrangements,
    feature_dimensionality,
    feature_fates,
    gram,
    interference,
)

F64 = torch.float64


def columns(*points):
    """One feature per point: W is [hidden feature]."""
    return torch.tensor(points, dtype=F64).T


def polygon(n):
    return columns(
        *[(math.cos(2 * math.pi * k / n), math.sin(2 * math.pi * k / n)) for k in range(n)]
    )


def antiprism():
    """Corners of a square antiprism on the unit sphere, at the height that Thomson's problem has.

    D = 3/8 for every corner needs Σ_j cos² = 8/3, that is the eight points form a tight frame:
    Σ z² = 8/3, so z² = 1/3.
    """
    z, r = math.sqrt(1 / 3), math.sqrt(2 / 3)
    top = [(r * math.cos(k * math.pi / 2), r * math.sin(k * math.pi / 2), z) for k in range(4)]
    turned = [(k + 0.5) * math.pi / 2 for k in range(4)]
    return columns(*top, *[(r * math.cos(a), r * math.sin(a), -z) for a in turned])


BODIES = {
    "dedicated": (torch.eye(3, dtype=F64), 1),
    "antipodal pair": (columns((1,), (-1,)), 1 / 2),
    "triangle": (polygon(3), 2 / 3),
    "square": (polygon(4), 1 / 2),
    "pentagon": (polygon(5), 2 / 5),
    "heptagon": (polygon(7), 2 / 7),
    "tetrahedron": (columns((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)), 3 / 4),
    "square antiprism": (antiprism(), 3 / 8),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("size", [1.0, 0.3])
def test_dimensionality_of_regular_bodies(body, size):
    W, expected = BODIES[body]
    found = feature_dimensionality(size * W)  # D does not change with the common length
    torch.testing.assert_close(found, torch.full_like(found, expected))


def test_lengths_matter_when_they_differ():
    # Two opposite features of lengths 1 and 2: D = 1/(1 + 4) and 4/(4 + 1).
    W = columns((1.0,), (-2.0,))
    torch.testing.assert_close(feature_dimensionality(W), torch.tensor([0.2, 0.8], dtype=F64))


def by_loops(W):
    n = W.shape[1]
    overlaps, dimensionality = torch.zeros(n, dtype=F64), torch.zeros(n, dtype=F64)
    for i in range(n):
        norm = math.sqrt(sum(float(w) ** 2 for w in W[:, i]))
        if norm == 0:
            continue
        dots = [
            sum(float(a) * float(c) for a, c in zip(W[:, i], W[:, j], strict=True))
            for j in range(n)
        ]
        overlaps[i] = sum((d / norm) ** 2 for j, d in enumerate(dots) if j != i)
        dimensionality[i] = norm**2 / sum((d / norm) ** 2 for d in dots)
    return overlaps, dimensionality


@given(n=st.integers(1, 6), m=st.integers(1, 4), seed=st.integers(0, 10**6), drop=st.booleans())
def test_measures_match_the_loops(n, m, seed, drop):
    W = torch.randn(m, n, generator=seeded(seed), dtype=F64)
    if drop:
        W[:, 0] = 0
    overlaps, dimensionality = by_loops(W)
    torch.testing.assert_close(interference(W), overlaps)
    torch.testing.assert_close(feature_dimensionality(W), dimensionality)


@given(n=st.integers(1, 6), m=st.integers(1, 4), seed=st.integers(0, 10**6))
def test_rotations_change_nothing(n, m, seed):
    g = seeded(seed)
    W = torch.randn(m, n, generator=g, dtype=F64)
    Q, _ = torch.linalg.qr(torch.randn(m, m, generator=g, dtype=F64))
    for measure in (gram, interference, feature_dimensionality):
        torch.testing.assert_close(measure(Q @ W), measure(W))


@given(n=st.integers(1, 8), m=st.integers(1, 4), seed=st.integers(0, 10**6))
def test_dimensionalities_never_add_up_to_more_than_there_is(n, m, seed):
    """Σ_i D_i ≤ rank, because D_i is at most the leverage of feature i (Cauchy-Schwarz)."""
    W = torch.randn(m, n, generator=seeded(seed), dtype=F64)
    D = feature_dimensionality(W)
    assert D.min() > 0 and D.max() <= 1 + 1e-9
    assert D.sum() <= min(n, m) + 1e-9


def test_leading_axes_are_separate_models():
    W = torch.randn(2, 3, 4, 5, dtype=F64, generator=seeded(0))
    for measure in (gram, interference, feature_dimensionality, feature_fates):
        assert measure(W)[1, 2].equal(measure(W[1, 2]))


def test_zero_features_give_zeros_and_no_nan():
    W = torch.zeros(2, 3)
    assert interference(W).tolist() == [0, 0, 0]
    assert feature_dimensionality(W).tolist() == [0, 0, 0]
    assert feature_fates(W).tolist() == [0, 0, 0]


def test_fates():
    W = columns((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, 0, 0.4))
    assert feature_fates(W).tolist() == [1, 1, 2, 0]
    assert feature_fates(W, min_norm=0.3).tolist() == [1, 1, 2, 2]
    # 60° apart: interference cos² = 1/4, the limit itself.
    W = columns((1, 0), (0.5, math.sqrt(3) / 2))
    assert feature_fates(W, min_interference=0.24).tolist() == [1, 1]
    assert feature_fates(W, min_interference=0.26).tolist() == [2, 2]


def test_the_limits_of_the_fates_are_where_the_chapter_says():
    """|W_i| of 0.5 counts as represented, an interference of 0.25 as superposed."""
    at_both = feature_fates(torch.tensor([[1.0, 0.5], [0.0, 0.0]]))
    just_below = feature_fates(torch.tensor([[1.0, 0.499], [0.0, 0.0]]))
    assert at_both.tolist() == [1, 1]
    assert just_below.tolist() == [2, 0]


@given(seed=st.integers(0, 10**6), n=st.integers(1, 6), d=st.integers(1, 4))
def test_arrangements_by_loops(seed, n, d):
    g = seeded(seed)
    W = torch.randn(2, d, n, generator=g, dtype=F64) * torch.rand(2, 1, n, generator=g, dtype=F64)
    for model, found in zip(W, arrangements(W), strict=True):
        for i, fate in enumerate(feature_fates(model).tolist()):
            others = [float(model[:, i] @ model[:, j]) for j in range(n) if j != i]
            word = {0: "dropped", 2: "alone"}.get(fate)
            strongest = max(others, key=abs, default=0.0)
            word = word or ("apart" if strongest < 0 else "together")
            assert ARRANGEMENTS[int(found[i])] == word
