import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition import features_per_neuron, neuron_forward, toy_forward


def count_by_driving(W, threshold):
    """Switch on one feature after another at value 1, and look at the neurons."""
    n_neurons, n_features = W.shape
    activations = []
    for i in range(n_features):
        x = torch.zeros(n_features, dtype=W.dtype)
        x[i] = 1
        activations.append([max(float(W[n] @ x), 0.0) for n in range(n_neurons)])
    counts = []
    for n in range(n_neurons):
        mine = [a[n] for a in activations]
        counts.append(sum(1 for a in mine if a > threshold * max(mine)) if max(mine) > 0 else 0)
    return counts


@given(
    seed=st.integers(0, 10**6),
    n_neurons=st.integers(1, 5),
    n_features=st.integers(1, 6),
    threshold=st.sampled_from([0.0, 0.3, 0.5, 0.9]),
)
def test_counts_match_driving_the_neurons(seed, n_neurons, n_features, threshold):
    W = torch.randn(n_neurons, n_features, generator=seeded(seed), dtype=torch.float64)
    assert features_per_neuron(W, threshold).tolist() == count_by_driving(W, threshold)


def test_by_hand():
    W = torch.tensor(
        [
            [1.0, 0.0, 0.0, 0.0],  # one feature
            [1.0, 1.0, 0.0, -3.0],  # two: a negative weight does not drive
            [1.0, 0.5, 0.51, 0.49],  # exactly half is not above half
            [-1.0, -1.0, 0.0, 0.0],  # nothing excites it
            [0.0, 0.0, 0.0, 0.0],  # dead
        ]
    )
    assert features_per_neuron(W, threshold=0.5).tolist() == [1, 2, 2, 0, 0]


@pytest.mark.parametrize("threshold", [-0.1, 1.0, float("nan")])
def test_a_threshold_that_is_no_share_is_refused(threshold):
    with pytest.raises(ValueError, match=r"threshold must lie in \[0, 1\)"):
        features_per_neuron(torch.ones(1, 1), threshold)


def test_forward_is_the_toy_model_while_no_neuron_is_below_zero():
    W, b = torch.rand(3, 5, generator=seeded(0)), torch.randn(5, generator=seeded(1))
    x = torch.rand(7, 5, generator=seeded(2))
    torch.testing.assert_close(neuron_forward(x, W, b), toy_forward(x, W, b))


def test_forward_by_loops():
    like = {"generator": seeded(0), "dtype": torch.float64}
    W, b, x = torch.randn(3, 4, **like), torch.randn(4, **like), torch.randn(6, 4, **like)
    expected = torch.zeros_like(x)
    for s in range(6):
        h = [max(sum(W[n, j] * x[s, j] for j in range(4)), 0) for n in range(3)]
        for i in range(4):
            expected[s, i] = max(sum(W[n, i] * h[n] for n in range(3)) + b[i], 0)
    torch.testing.assert_close(neuron_forward(x, W, b), expected)
