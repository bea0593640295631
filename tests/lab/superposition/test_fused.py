"""Oracles: torch.optim.Adam, torch.autograd, and the readable `train_toy`."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition import neuron_forward, toy_forward, train_toy, weighted_loss
from mi_tutor.lab.superposition.fused import Adam, FusedToys

F64 = torch.float64


def test_adam_is_torchs_adam():
    g = seeded(0)
    start = torch.randn(11, generator=g, dtype=F64)
    # Gradients of very different sizes, some exactly 0, where epsilon matters.
    gradients = torch.randn(30, 11, generator=g, dtype=F64) * torch.logspace(-9, 3, 11, dtype=F64)
    gradients[:, 5] = 0
    mine = Adam(start.clone())
    theirs = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([theirs], lr=1.0)
    for step, gradient in enumerate(gradients):
        learning_rate = 0.1 / (1 + step)
        mine.gradient.copy_(gradient)
        mine.step(learning_rate)
        theirs.grad = gradient.clone()
        optimizer.param_groups[0]["lr"] = learning_rate
        optimizer.step()
        torch.testing.assert_close(mine.parameters, theirs.detach(), rtol=1e-10, atol=1e-12)


def random_problem(seed, n_instances, n_batch, n_hidden, n_features):
    like = {"generator": seeded(seed), "dtype": F64}
    W = torch.randn(n_instances, n_hidden, n_features, **like)
    b = 0.3 * torch.randn(n_instances, n_features, **like)
    importance = torch.rand(n_instances, n_features, **like)
    x = torch.rand(n_instances, n_batch, n_features, **like)
    return W, b, importance, x * (torch.rand(x.shape, **like) < 0.5)


sizes = st.integers(1, 5)


@pytest.mark.parametrize("hidden_relu", [False, True])
@given(
    seed=st.integers(0, 10**6), n_instances=sizes, n_batch=sizes, n_hidden=sizes, n_features=sizes
)
def test_gradients_and_loss_are_autograds(
    hidden_relu, seed, n_instances, n_batch, n_hidden, n_features
):
    W, b, importance, x = random_problem(seed, n_instances, n_batch, n_hidden, n_features)
    toys = FusedToys(W, b, importance, n_batch, hidden_relu)
    samples_as_columns = x.mT.contiguous()
    loss = toys.loss(samples_as_columns, slice(None))
    toys.accumulate(samples_as_columns, slice(None))

    W.requires_grad_()
    b.requires_grad_()
    forward = neuron_forward if hidden_relu else toy_forward
    losses = torch.stack(
        [weighted_loss(x[k], forward(x[k], W[k], b[k]), importance[k]) for k in range(n_instances)]
    )
    losses.sum().backward()
    torch.testing.assert_close(loss, losses.detach())
    gradient = torch.cat([W.grad.flatten(), b.grad.flatten()])
    torch.testing.assert_close(toys.adam.gradient, gradient)


def test_steps_are_those_of_the_readable_version():
    W, b, _, _ = random_problem(0, 3, 1, 2, 5)
    importance = torch.rand(5, generator=seeded(1), dtype=F64)
    batches = torch.rand(20, 3, 16, 5, generator=seeded(2), dtype=F64)
    toys = FusedToys(W, b, importance.expand(3, 5), n_batch=16)
    for x in batches:
        toys.step(x.mT.contiguous(), learning_rate=0.01)
    expected = train_toy(W, b, batches, importance, learning_rate=0.01)
    torch.testing.assert_close(toys.W, expected.W, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(toys.b, expected.b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("hidden_relu", [False, True])
def test_parts_give_the_same_gradient_as_the_whole(hidden_relu):
    W, b, importance, x = random_problem(0, 5, 6, 2, 4)
    x = x.mT.contiguous()
    whole = FusedToys(W, b, importance, 6, hidden_relu)
    whole.accumulate(x, slice(None))
    parts = FusedToys(W, b, importance, 6, hidden_relu, max_part=2)
    for part in (slice(0, 2), slice(2, 4), slice(4, 5)):
        parts.accumulate(x[part], part)
    torch.testing.assert_close(parts.adam.gradient, whole.adam.gradient)


def test_starting_weights_are_copied():
    W, b, importance, x = random_problem(0, 2, 3, 2, 4)
    before = W.clone()
    FusedToys(W, b, importance, 3).step(x.mT.contiguous(), 0.1)
    assert W.equal(before)


def test_without_a_relu_on_the_output_the_model_is_linear():
    W, b, importance, x = random_problem(3, 2, 6, 2, 4)
    toys = FusedToys(W, b, importance, 6, output_relu=False)
    columns = x.mT.contiguous()
    loss = toys.loss(columns, slice(None))
    toys.accumulate(columns, slice(None))
    W.requires_grad_()
    b.requires_grad_()
    linear = x @ W.mT @ W + b[:, None, :]
    expected = (importance[:, None] * (x - linear) ** 2).sum(dim=-1).mean(dim=-1)
    expected.sum().backward()
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(toys.adam.gradient, torch.cat([W.grad.flatten(), b.grad.flatten()]))
