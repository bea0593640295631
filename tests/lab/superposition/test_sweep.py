"""Oracle: the readable `train_toy`, fed with the batches and starting weights of the sweep."""

import dataclasses
import threading

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition import (
    ToySweep,
    best_of_seeds,
    sweep_batches,
    toy_forward,
    train_sweep,
    weighted_loss,
)
from mi_tutor.lab.superposition.sweep_batches import SweepBatches
from mi_tutor.lab.superposition.sweep_threads import in_threads, split_sweep

SWEEP = ToySweep(
    n_features=4,
    n_hidden=2,
    probabilities=[0.9, 0.5, 0.2],
    importances=[[1.0, 0.9, 0.8, 0.7], [1.0] * 4],
    n_seeds=2,
    n_batch=256,  # the final loss is taken on 2**16 samples, in batches as large
    n_steps=25,
)


@pytest.fixture(scope="module")
def result():
    return train_sweep(SWEEP, progress=False)


def trained_by_autograd(sweep, instance):
    """Train one instance of a sweep with autograd and torch.optim.Adam."""
    probability, importance, seed = (
        int(axis) for axis in torch.unravel_index(torch.tensor(instance), sweep.shape)
    )
    g = seeded(sweep.seed + seed)
    std = (2 / (sweep.n_hidden + sweep.n_features)) ** 0.5
    W = (std * torch.randn(sweep.n_hidden, sweep.n_features, generator=g)).requires_grad_()
    b = torch.zeros(sweep.n_features, requires_grad=True)
    optimizer = torch.optim.Adam([W, b])
    p = torch.tensor(sweep.probabilities[probability])
    losses = []
    for step in range(sweep.n_steps):
        u = torch.rand(sweep.n_features, sweep.n_batch, generator=g).T
        x = torch.where(u < p, 1 - u / p, 0.0)
        loss = weighted_loss(x, toy_forward(x, W, b), torch.tensor(sweep.importances[importance]))
        losses.append(loss.item())
        optimizer.param_groups[0]["lr"] = sweep.learning_rate * (1 - step / sweep.n_steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return W.detach(), b.detach(), torch.tensor(losses)


@pytest.mark.parametrize("instance", range(SWEEP.n_instances))
def test_every_instance_is_what_autograd_trains(result, instance):
    W, b, losses = trained_by_autograd(SWEEP, instance)
    # float32 on both sides, and Adam turns tiny differences of tiny gradients into steps
    torch.testing.assert_close(result.W[instance], W, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(result.b[instance], b, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(result.history[:, instance], losses, rtol=1e-3, atol=1e-5)


def test_shapes_and_records(result):
    n = SWEEP.n_instances
    assert result.W.shape == (n, 2, 4) and result.b.shape == (n, 4)
    assert result.loss.shape == (n,)
    assert result.steps.tolist() == list(range(25)) and result.history.shape == (25, n)


def test_long_runs_keep_at_most_a_hundred_records():
    sweep = dataclasses.replace(SWEEP, n_steps=205)
    result = train_sweep(sweep, progress=False)
    assert result.steps.tolist() == list(range(0, 205, 3))
    assert len(result.history) == 69


def test_the_final_loss_is_the_expected_loss(result):
    """Against an independent sampler, within 5 standard errors of both estimates."""
    for instance in (0, 7, 11):
        probability, importance, _ = torch.unravel_index(torch.tensor(instance), SWEEP.shape)
        p = torch.tensor(SWEEP.probabilities[probability])
        n = 100_000
        g = torch.Generator().manual_seed(99)
        x = torch.rand(n, 4, generator=g) * (torch.rand(n, 4, generator=g) < p)
        error = (x - toy_forward(x, result.W[instance], result.b[instance])) ** 2
        per_sample = (error * torch.tensor(SWEEP.importances[importance])).sum(dim=1)
        tolerance = 5 * per_sample.std() * (1 / n + 1 / 2**16) ** 0.5
        assert abs(result.loss[instance] - per_sample.mean()) < tolerance


def test_a_seed_decides(result):
    again = train_sweep(SWEEP, progress=False)
    assert again.W.equal(result.W) and again.loss.equal(result.loss)
    other = train_sweep(dataclasses.replace(SWEEP, seed=5), progress=False)
    assert not other.W.equal(result.W)


def test_an_instance_does_not_depend_on_the_others(result):
    """The last setting and seed, trained alone, is the same model."""
    alone = dataclasses.replace(
        SWEEP,
        probabilities=SWEEP.probabilities[2:],
        importances=SWEEP.importances[1:],
        n_seeds=1,
        seed=SWEEP.seed + 1,
    )
    lonely = train_sweep(alone, progress=False)
    torch.testing.assert_close(lonely.W[0], result.W[-1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(lonely.loss[0], result.loss[-1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("n_threads", [2, 3])
def test_threads_do_not_change_the_result(result, n_threads):
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        threaded = train_sweep(SWEEP, progress=False)
        assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(threaded.W, result.W, rtol=1e-4, atol=1e-5)
    assert threaded.history.shape == result.history.shape


def test_little_working_memory_does_not_change_the_result(result, monkeypatch):
    monkeypatch.setitem(sweep_batches.WORKING_SIZE, "cpu", 1)
    in_parts = train_sweep(SWEEP, progress=False)
    torch.testing.assert_close(in_parts.W, result.W, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(in_parts.loss, result.loss, rtol=1e-4, atol=1e-6)


@given(n_p=st.integers(1, 5), n_i=st.integers(1, 4), n_seeds=st.integers(1, 4), n=st.integers(1, 6))
def test_shares_are_the_sweep_in_order(n_p, n_i, n_seeds, n):
    sweep = ToySweep(
        n_features=1,
        n_hidden=1,
        probabilities=[1 / (k + 1) for k in range(n_p)],
        importances=[[float(k)] for k in range(n_i)],
        n_seeds=n_seeds,
    )

    def instances(s):
        return [
            (p, i, s.seed + k)
            for p in s.probabilities
            for i in s.importances
            for k in range(s.n_seeds)
        ]

    shares = split_sweep(sweep, n)
    assert [x for share in shares for x in instances(share)] == instances(sweep)
    assert len(shares) <= n


def test_an_error_in_one_thread_stops_the_others_and_is_raised():
    from tqdm.auto import tqdm

    ticks = []

    def train(share, tick):
        if share.seed == 0:
            raise KeyError("broken")
        for _ in range(100_000):
            tick()
            ticks.append(1)

    shares = split_sweep(ToySweep(n_features=1, n_hidden=1, probabilities=[1.0], n_seeds=2), 2)
    before = torch.get_num_threads()
    with pytest.raises(KeyError, match="broken"):
        in_threads(train, shares, tqdm(disable=True))
    assert len(ticks) < 100_000
    assert torch.get_num_threads() == before
    assert threading.active_count() < 10


def test_a_diverged_sweep_is_an_error_that_names_the_learning_rate():
    with pytest.raises(FloatingPointError, match=r"12 of 12 models diverged.*below 1e\+30"):
        train_sweep(dataclasses.replace(SWEEP, learning_rate=1e30), progress=False)


def test_best_of_seeds_keeps_the_lowest_loss(result):
    best = best_of_seeds(SWEEP, result)
    assert len(best.W) == 6
    for setting in range(6):
        losses = result.loss[2 * setting : 2 * setting + 2]
        winner = 2 * setting + int(losses[1] < losses[0])
        assert best.loss[setting] == losses.min()
        assert best.W[setting].equal(result.W[winner])
        assert best.b[setting].equal(result.b[winner])
        assert best.history[:, setting].equal(result.history[:, winner])


@pytest.mark.parametrize("features", ["correlated", "anti-correlated"])
def test_pairs_and_hidden_relu_train(features):
    sweep = ToySweep(
        n_features=4,
        n_hidden=2,
        probabilities=[0.3],
        features=features,
        hidden_relu=True,
        n_steps=100,
        n_batch=128,
    )
    result = train_sweep(sweep, progress=False)
    assert result.loss[0] < result.history[0, 0]


def test_batches_and_models_number_their_instances_alike():
    parts = [part for part, _ in SweepBatches(SWEEP, [seeded(0), seeded(1)]).parts()]
    assert parts[0].start == 0 and parts[-1].stop == SWEEP.n_instances
