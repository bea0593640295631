"""Oracle: each model on its own, in a plain autograd loop."""

import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition import toy_forward, train_toy, weighted_loss

F64 = torch.float64


def problem(n_instances=3, n_steps=5, n_batch=7, n_features=4, n_hidden=2):
    like = {"generator": seeded(0), "dtype": F64}
    W = torch.randn(n_instances, n_hidden, n_features, **like)
    b = 0.1 * torch.randn(n_instances, n_features, **like)
    batches = torch.rand(n_steps, n_instances, n_batch, n_features, **like)
    return W, b, batches, torch.rand(n_features, **like)


def one_by_one(W, b, batches, importance, learning_rate):
    trained = []
    for k in range(len(W)):
        W_k, b_k = W[k].clone().requires_grad_(), b[k].clone().requires_grad_()
        optimizer = torch.optim.Adam([W_k, b_k], lr=learning_rate)
        for x in batches[:, k]:
            optimizer.zero_grad()
            weighted_loss(x, toy_forward(x, W_k, b_k), importance).backward()
            optimizer.step()
        trained.append((W_k.detach(), b_k.detach()))
    return torch.stack([W for W, _ in trained]), torch.stack([b for _, b in trained])


def test_training_at_once_is_training_one_by_one():
    W, b, batches, importance = problem()
    trained = train_toy(W, b, batches, importance, learning_rate=0.02)
    W_expected, b_expected = one_by_one(W, b, batches, importance, 0.02)
    torch.testing.assert_close(trained.W, W_expected)
    torch.testing.assert_close(trained.b, b_expected)


def test_starting_weights_are_left_alone():
    W, b, batches, importance = problem()
    W_before, b_before = W.clone(), b.clone()
    trained = train_toy(W, b, batches, importance, learning_rate=0.02)
    assert W.equal(W_before) and b.equal(b_before)
    assert not trained.W.equal(W)
    assert not trained.W.requires_grad
