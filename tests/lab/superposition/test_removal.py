"""Oracles: the network with a neuron's row cut out of its weights, and loops."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition import absolute_forward, neuron_paths, removal_rises


def network(seed, n_neurons, n_features):
    like = {"generator": seeded(seed), "dtype": torch.float64}
    W_in = torch.randn(n_neurons, n_features, **like)
    return W_in, torch.randn(n_features, n_neurons, **like), torch.randn(n_features, **like)


sizes = st.integers(1, 5)


@given(seed=st.integers(0, 10**6), n_neurons=sizes, n_features=sizes)
def test_a_neuron_taken_away_is_a_smaller_network(seed, n_neurons, n_features):
    W_in, W_out, b = network(seed, n_neurons, n_features)
    x = torch.randn(7, n_features, generator=seeded(seed), dtype=torch.float64)
    rises = removal_rises(x, W_in, W_out, b)
    for neuron in range(n_neurons):
        rest = [n for n in range(n_neurons) if n != neuron]
        smaller = absolute_forward(x, W_in[rest], W_out[:, rest], b)
        change = (smaller - absolute_forward(x, W_in, W_out, b)).mean(dim=0)
        torch.testing.assert_close(rises[neuron], change)


@given(seed=st.integers(0, 10**6), n_neurons=sizes, n_features=sizes)
def test_paths_by_loops(seed, n_neurons, n_features):
    W_in, W_out, _ = network(seed, n_neurons, n_features)
    paths = neuron_paths(W_in, W_out)
    for n in range(n_neurons):
        for i in range(n_features):
            own = abs(float(W_in[n, i]))
            cross = sum(abs(float(W_in[n, j])) for j in range(n_features) if j != i)
            out = float(W_out[i, n])
            expected = [
                own * max(out, 0),
                own * max(-out, 0),
                cross * max(out, 0),
                cross * max(-out, 0),
            ]
            found = torch.stack([path[n, i] for path in paths])
            torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))
