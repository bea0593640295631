"""The experiment of `switch-a-neuron-off` beside the lab's removals, and its controls by hand."""

import torch

from mi_tutor.lab.ground import seeded
from mi_tutor.lab.superposition import removal_rises
from mi_tutor.teach.exercises.superposition.switching import CONTROLS, PAIRS, removals


def a_network():
    g = seeded(0)
    return (
        torch.randn(3, 4, generator=g),
        torch.randn(4, 3, generator=g),
        torch.randn(4, generator=g),
    )


def an_input():
    return torch.randn(50, 4, generator=seeded(1))


def test_without_a_control_it_is_what_the_lab_measures():
    network, x = a_network(), an_input()
    found = removals(network, x).rise.mean(dim=2)
    torch.testing.assert_close(found, removal_rises(x, *network))


def test_before_the_relu_all_that_was_written_shows():
    rise, wrote = removals(a_network(), an_input(), "no relu")
    torch.testing.assert_close(rise, -wrote)


def test_each_control_changes_what_it_names():
    (W_in, W_out, b), x = a_network(), an_input()
    n, i = 1, 2
    for control in (*CONTROLS, *PAIRS):
        here, weights = x.clone(), W_out[i].clone()
        if control == "own off":
            here[:, i] = 0
        if control == "others off":
            here[:, [j for j in range(4) if j != i]] = 0
        if control == "positive inputs":
            here = here.abs()
        others = [m for m in range(3) if m != n]
        if control == "pusher":
            others = [max(others, key=lambda m: float(W_out[i, m]))]
        if control == "holder":
            others = [min(others, key=lambda m: float(W_out[i, m]))]
        for m in others:
            gone = weights[m] > 0 if control in ("others don't push", "pusher") else weights[m] < 0
            if control in ("others don't push", "others don't hold", *PAIRS) and gone:
                weights[m] = 0
        active = torch.relu(here @ W_in.T)
        z = active @ weights + (0 if control == "no bias" else b[i])
        less = z - active[:, n] * W_out[i, n]
        expected = less - z if control == "no relu" else torch.relu(less) - torch.relu(z)
        torch.testing.assert_close(removals((W_in, W_out, b), x, control).rise[n, i], expected)
