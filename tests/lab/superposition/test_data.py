"""Oracle: the moments of the distributions, worked out by hand, within 5 standard errors."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition import paired_features, sparse_features

N = 200_000


def assert_mean(samples, expected, what=""):
    """The sample mean lies within 5 standard errors of what it should be."""
    samples = samples.double()
    error = 5 * samples.std() / len(samples) ** 0.5 + 1e-9
    assert abs(samples.mean() - expected) < error, (what, samples.mean(), expected, error)


PROBABILITY = torch.tensor([0.0, 0.02, 0.3, 1.0])


@pytest.fixture(scope="module")
def x():
    return sparse_features(N, PROBABILITY, seeded(0))


class TestSparseFeatures:
    def test_shape_and_range(self, x):
        assert x.shape == (N, 4)
        assert x.min() >= 0 and x.max() < 1

    def test_each_feature_has_its_own_probability(self, x):
        for i, p in enumerate(PROBABILITY):
            assert_mean(x[:, i] > 0, p, f"feature {i}")

    def test_off_is_exactly_zero(self, x):
        assert (x[:, 0] == 0).all()

    def test_magnitudes_are_uniform_when_on(self, x):
        for i in (1, 2, 3):
            on = x[:, i][x[:, i] > 0]
            assert_mean(on, 1 / 2)
            assert_mean(on**2, 1 / 3)
            assert_mean(on < 0.1, 0.1)

    def test_features_are_independent(self, x):
        assert_mean((x[:, 1] > 0) & (x[:, 2] > 0), 0.02 * 0.3)
        assert_mean(x[:, 2] * x[:, 3], 0.15 * 0.5)

    def test_samples_are_independent(self, x):
        on = x[:, 2] > 0
        assert_mean(on[1:] & on[:-1], 0.3**2)

    def test_dtype_follows_the_probability(self):
        x = sparse_features(3, torch.tensor([0.5], dtype=torch.float64), seeded(0))
        assert x.dtype == torch.float64

    def test_a_seed_decides(self):
        p = torch.full((4,), 0.5)
        assert sparse_features(9, p, seeded(1)).equal(sparse_features(9, p, seeded(1)))

    @pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
    def test_a_probability_outside_its_range_is_refused(self, bad):
        with pytest.raises(ValueError, match=r"probability must lie in \[0, 1\]"):
            sparse_features(3, torch.tensor([0.5, bad]), seeded(0))


class TestPairedFeatures:
    @given(
        n_pairs=st.integers(1, 4),
        p=st.floats(0, 0.5),
        correlated=st.booleans(),
        n=st.integers(1, 9),
    )
    def test_shape_range_and_kind(self, n_pairs, p, correlated, n):
        x = paired_features(n, n_pairs, p, correlated, seeded(0))
        assert x.shape == (n, 2 * n_pairs)
        assert x.min() >= 0 and x.max() < 1
        if not correlated:
            assert (x[:, 0::2] * x[:, 1::2] == 0).all()

    @pytest.mark.parametrize("correlated", [True, False])
    def test_one_feature_alone_is_a_sparse_feature(self, correlated):
        x = paired_features(N, 2, 0.3, correlated, seeded(0))
        for i in range(4):
            assert_mean(x[:, i] > 0, 0.3)
            assert_mean(x[:, i][x[:, i] > 0], 1 / 2)
            assert_mean(x[:, i][x[:, i] > 0] ** 2, 1 / 3)

    def test_correlated_features_are_on_together_with_their_own_magnitudes(self):
        x = paired_features(N, 2, 0.3, correlated=True, generator=seeded(0))
        for first, second in ((0, 1), (2, 3)):
            a, b = x[:, first], x[:, second]
            assert ((a > 0) == (b > 0)).float().mean() > 0.9999  # a magnitude may be exactly 0
            both = a > 0
            assert_mean(a[both] * b[both], 1 / 4)  # independent: E[ab] = E[a] E[b]

    def test_anti_correlated_features_are_never_on_together(self):
        x = paired_features(N, 2, 0.5, correlated=False, generator=seeded(0))
        assert (x[:, 0] * x[:, 1] == 0).all()
        assert_mean((x[:, 0] > 0) | (x[:, 1] > 0), 1.0)  # at p = 1/2 one of them always is

    @pytest.mark.parametrize("correlated", [True, False])
    def test_pairs_are_independent_of_each_other(self, correlated):
        x = paired_features(N, 2, 0.3, correlated, seeded(0)) > 0
        for i, j in ((0, 2), (0, 3), (1, 2), (1, 3)):
            assert_mean(x[:, i] & x[:, j], 0.3**2)

    def test_impossible_probabilities_are_refused(self):
        with pytest.raises(ValueError, match="never on together"):
            paired_features(3, 1, 0.6, correlated=False, generator=seeded(0))
        with pytest.raises(ValueError, match=r"\[0, 1.0\]"):
            paired_features(3, 1, 1.5, correlated=True, generator=seeded(0))
        with pytest.raises(ValueError, match="need a probability"):
            paired_features(3, 1, -0.1, correlated=True, generator=seeded(0))
