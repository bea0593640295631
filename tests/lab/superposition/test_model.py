"""Oracle: the formulas as loops over single numbers."""

import pytest
import torch
from jaxtyping import TypeCheckError

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition import toy_forward, weighted_loss


def forward_by_loops(x, W, b):
    n_hidden, n_features = W.shape
    out = torch.zeros_like(x)
    for s in range(len(x)):
        h = [sum(W[k, j] * x[s, j] for j in range(n_features)) for k in range(n_hidden)]
        for i in range(n_features):
            out[s, i] = max(sum(W[k, i] * h[k] for k in range(n_hidden)) + b[i], 0.0)
    return out


def loss_by_loops(x, x_hat, importance):
    n_batch, n_features = x.shape
    total = 0.0
    for s in range(n_batch):
        for i in range(n_features):
            total += importance[i] * (x[s, i] - x_hat[s, i]) ** 2
    return total / n_batch


@pytest.mark.parametrize(("n_batch", "n_hidden", "n_features"), [(1, 1, 1), (4, 2, 5), (3, 5, 2)])
def test_forward_and_loss_match_the_loops(n_batch, n_hidden, n_features):
    g = seeded(n_features)
    like = {"generator": g, "dtype": torch.float64}
    x, W = torch.rand(n_batch, n_features, **like), torch.randn(n_hidden, n_features, **like)
    b, importance = torch.randn(n_features, **like), torch.rand(n_features, **like)
    x_hat = toy_forward(x, W, b)
    torch.testing.assert_close(x_hat, forward_by_loops(x, W, b))
    torch.testing.assert_close(
        weighted_loss(x, x_hat, importance), loss_by_loops(x, x_hat, importance)
    )


def test_forward_takes_any_leading_axes():
    W, b, x = torch.randn(2, 3), torch.randn(3), torch.rand(4, 5, 3)
    torch.testing.assert_close(toy_forward(x, W, b)[2, 1], toy_forward(x[2, 1], W, b))


def test_a_transposed_weight_is_caught_by_its_shape():
    with pytest.raises(TypeCheckError):
        toy_forward(torch.rand(4, 5), torch.rand(5, 2), torch.zeros(5))
