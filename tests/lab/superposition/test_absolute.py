import dataclasses

import pytest
import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition import (
    ToySweep,
    absolute_dedicated_loss,
    absolute_forward,
    neuron_focus,
    train_absolute,
    weighted_loss,
)

SWEEP = ToySweep(
    n_features=3,
    n_hidden=4,
    probabilities=[1.0, 0.3],
    importances=[[1.0, 0.5, 0.2]],
    n_seeds=2,
    n_batch=64,
    n_steps=20,
    init_scale=0.5,
)


def signed_features(n, p, n_features, seed=0):
    g = seeded(seed)
    x = 2 * torch.rand(n, n_features, generator=g) - 1
    return x * (torch.rand(n, n_features, generator=g) < p)


def test_two_neurons_per_feature_are_exact():
    eye = torch.eye(3)
    W_in, W_out = torch.cat([eye, -eye]), torch.cat([eye, eye], dim=1)
    x = signed_features(50, 0.5, 3)
    assert absolute_forward(x, W_in, W_out, torch.zeros(3)).equal(x.abs())


def test_forward_by_loops():
    like = {"generator": seeded(0), "dtype": torch.float64}
    W_in, W_out = torch.randn(4, 3, **like), torch.randn(3, 4, **like)
    b, x = torch.randn(3, **like), torch.randn(5, 3, **like)
    expected = torch.zeros_like(x)
    for s in range(5):
        h = [max(sum(W_in[k, j] * x[s, j] for j in range(3)), 0) for k in range(4)]
        for i in range(3):
            expected[s, i] = max(sum(W_out[i, k] * h[k] for k in range(4)) + b[i], 0)
    torch.testing.assert_close(absolute_forward(x, W_in, W_out, b), expected)


@pytest.mark.parametrize("p", [1.0, 0.2])
def test_dedicated_loss_matches_monte_carlo(p):
    sweep = dataclasses.replace(SWEEP, n_hidden=2, probabilities=[p], n_seeds=1)
    W_in = torch.tensor([[1.0, 0, 0], [-1.0, 0, 0]])
    b = torch.tensor([0.0, p / 2, p / 2])
    importance = torch.tensor(sweep.importances[0])
    x = signed_features(400_000, p, 3)
    y_hat = absolute_forward(x, W_in, W_in.abs().T, b)
    per_sample = (importance * (x.abs() - y_hat) ** 2).sum(dim=1)
    five_errors = 5 * per_sample.std() / len(x) ** 0.5
    assert abs(absolute_dedicated_loss(sweep)[0] - per_sample.mean()) < five_errors


def test_dedicated_loss_serves_the_most_important_and_counts_seeds():
    sweep = dataclasses.replace(SWEEP, importances=[[0.2, 1.0, 0.5]], probabilities=[1.0, 0.3])
    one_dropped = [0.2 * (p / 3 - p**2 / 4) for p in (1.0, 0.3)]
    expected = torch.tensor(one_dropped).repeat_interleave(2)
    torch.testing.assert_close(absolute_dedicated_loss(sweep), expected)
    assert absolute_dedicated_loss(dataclasses.replace(sweep, n_hidden=6)).tolist() == [0] * 4


def test_focus():
    W_in = torch.tensor([[1.0, 0.0], [-3.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    W_out = torch.tensor([[2.0, 1.0, -1.0, 5.0], [2.0, 1.0, 1.0, 5.0]])
    # Only feature 0 | 3 of 4 | a negative way out is no help | nothing comes in
    assert neuron_focus(W_in, W_out).tolist() == [1.0, 0.75, 1.0, 0.0]
    stacked = neuron_focus(torch.stack([W_in, 2 * W_in]), torch.stack([W_out, W_out]))
    assert stacked.tolist() == [[1.0, 0.75, 1.0, 0.0]] * 2


@pytest.fixture(scope="module")
def result():
    return train_absolute(SWEEP, progress=False)


def test_shapes_and_gradient_free_results(result):
    assert result.W_in.shape == (4, 4, 3) and result.W_out.shape == (4, 3, 4)
    assert result.b.shape == (4, 3) and result.loss.shape == (4,)
    assert not any(tensor.requires_grad for tensor in result)


def test_the_loss_is_the_expected_loss_of_the_network(result):
    for instance, p in ((0, 1.0), (3, 0.3)):
        x = signed_features(200_000, p, 3)
        y_hat = absolute_forward(
            x, result.W_in[instance], result.W_out[instance], result.b[instance]
        )
        expected = weighted_loss(x.abs(), y_hat, torch.tensor(SWEEP.importances[0]))
        torch.testing.assert_close(result.loss[instance], expected, rtol=0.05, atol=0.0)


def test_one_instance_is_what_a_plain_loop_trains(result):
    g = seeded(SWEEP.seed + 1)
    std = SWEEP.init_scale * (2 / 7) ** 0.5
    W_in = (std * torch.randn(4, 3, generator=g)).requires_grad_()
    W_out = (std * torch.randn(3, 4, generator=g)).requires_grad_()
    b = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.Adam([W_in, W_out, b])
    for step in range(SWEEP.n_steps):
        u = torch.rand(3, SWEEP.n_batch, generator=g).T
        x = torch.where(u < 0.3, 1 - 2 * u / 0.3, 0.0)
        optimizer.param_groups[0]["lr"] = SWEEP.learning_rate * (1 - step / SWEEP.n_steps)
        optimizer.zero_grad()
        y_hat = absolute_forward(x, W_in, W_out, b)
        weighted_loss(x.abs(), y_hat, torch.tensor(SWEEP.importances[0])).backward()
        optimizer.step()
    torch.testing.assert_close(result.W_in[3], W_in.detach(), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(result.W_out[3], W_out.detach(), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(result.b[3], b.detach(), rtol=1e-3, atol=1e-4)


def test_pairs_are_refused():
    sweep = ToySweep(n_features=2, n_hidden=2, probabilities=[0.1], features="correlated")
    with pytest.raises(ValueError, match="needs independent features; saw 'correlated'"):
        train_absolute(sweep)
