"""Oracles: the moments of `sparse_features` and `paired_features`, within 5 standard errors."""

import pytest
import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition import ToySweep, sweep_batches
from mi_tutor.lab.superposition.sweep_batches import SweepBatches


def all_parts(sweep, generators):
    """[instance feature sample] from one round of parts, and where each part said it belongs."""
    parts = [(part, x.clone()) for part, x in SweepBatches(sweep, generators).parts()]
    return [part for part, _ in parts], torch.cat([x for _, x in parts])


def assert_mean(samples, expected):
    samples = samples.double()
    error = 5 * samples.std() / len(samples) ** 0.5 + 1e-9
    assert abs(samples.mean() - expected) < error, (samples.mean(), expected, error)


def sweep_of(features, probabilities, **more):
    return ToySweep(
        n_features=4,
        n_hidden=2,
        probabilities=probabilities,
        n_batch=2**16,
        features=features,
        **more,
    )


@pytest.mark.parametrize("features", ["independent", "correlated", "anti-correlated"])
def test_every_feature_alone_is_a_sparse_feature(features):
    sweep = sweep_of(features, [0.5, 0.05])
    _, x = all_parts(sweep, [seeded(0)])
    for setting, p in enumerate((0.5, 0.05)):
        for i in range(4):
            values = x[setting, i]
            assert values.min() >= 0 and values.max() <= 1
            assert_mean(values > 0, p)
            assert_mean(values[values > 0], 1 / 2)
            assert_mean(values[values > 0] ** 2, 1 / 3)


def test_probabilities_may_differ_by_feature():
    _, x = all_parts(sweep_of("independent", [[0.1, 0.2, 0.3, 1.0]]), [seeded(0)])
    for i, p in enumerate((0.1, 0.2, 0.3, 1.0)):
        assert_mean(x[0, i] > 0, p)


def test_independent_features_are_independent():
    _, x = all_parts(sweep_of("independent", [0.3]), [seeded(0)])
    for i, j in ((0, 1), (1, 2), (0, 3)):
        assert_mean((x[0, i] > 0) & (x[0, j] > 0), 0.09)
        assert_mean(x[0, i] * x[0, j], 0.15**2)


@pytest.mark.parametrize("features", ["correlated", "anti-correlated"])
def test_pairs(features):
    _, x = all_parts(sweep_of(features, [0.3]), [seeded(0)])
    on = x[0] > 0
    for first in (0, 2):
        a, b = on[first], on[first + 1]
        if features == "correlated":
            assert (a == b).float().mean() > 0.9999  # a magnitude may be exactly 0
            assert_mean(x[0, first][a] * x[0, first + 1][a], 1 / 4)
        else:
            assert not (a & b).any()
    for i, j in ((0, 2), (0, 3), (1, 2), (1, 3)):
        assert_mean(on[i] & on[j], 0.09)


def test_seeds_draw_their_own_and_settings_share():
    sweep = sweep_of("independent", [1.0, 0.5], importances=[[1.0] * 4, [2.0] * 4], n_seeds=2)
    _, x = all_parts(sweep, [seeded(0), seeded(1)])
    x = x.view(2, 2, 2, 4, -1)  # probability, importance, seed
    assert_mean(x[0, 0, 0, 0] * x[0, 0, 1, 0], 1 / 4)  # seeds: uncorrelated
    assert x[:, 0].equal(x[:, 1])  # importances do not change the data
    torch.testing.assert_close(x[1, 0], (1 - 2 * (1 - x[0, 0])).clamp(min=0))  # u is the same


def test_one_generator_serves_all_seeds():
    _, x = all_parts(sweep_of("independent", [0.5], n_seeds=3), [seeded(0)])
    assert x[0].equal(x[1]) and x[0].equal(x[2])


def test_small_working_memory_gives_the_same_batches_in_more_parts(monkeypatch):
    sweep = ToySweep(n_features=2, n_hidden=1, probabilities=[1.0, 0.5, 0.3], n_seeds=2, n_batch=8)
    generators = [seeded(0), seeded(1)]
    parts, whole = all_parts(sweep, generators)
    assert parts == [slice(0, 6)]
    monkeypatch.setitem(sweep_batches.WORKING_SIZE, "cpu", 2 * 2 * 2 * 8)
    parts, pieces = all_parts(sweep, [seeded(0), seeded(1)])
    assert parts == [slice(0, 4), slice(4, 6)]
    assert pieces.equal(whole)


def test_the_next_round_is_fresh():
    batches = SweepBatches(sweep_of("independent", [1.0]), [seeded(0)])
    first = next(iter(batches.parts()))[1].clone()
    assert not next(iter(batches.parts()))[1].equal(first)
