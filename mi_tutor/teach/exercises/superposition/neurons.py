"""Chapter 01, networks with neurons: `polysemantic-neuron` and `compute-in-superposition`."""

from __future__ import annotations

import torch

from mi_tutor.lab.superposition import absolute_forward, features_per_neuron
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal, strided, uniform

# --- polysemantic-neuron ---------------------------------------------------------------------------


def _neuron_cases(g: torch.Generator) -> list[Case]:
    silent = normal(g, 4, 6)
    silent[1] = -silent[1].abs()
    clean = torch.tensor([[1.0, 0.1, 0.0, -2.0], [0.0, 0.9, 0.8, 0.2], [0.0, 0.0, 0.0, 0.0]])
    settings = [
        ("three neurons, one of them silent", clean, 0.3),
        ("random weights", normal(g, 12, 14), 0.2),
        ("a neuron that nothing excites", silent, 0.3),
        ("as many neurons as features", normal(g, 5, 5), 0.5),
        (
            "strong negative weights, and one just above the threshold",
            torch.tensor([[0.5, 0.4, 0.1, -3.0, 0.0], [1.0, 1.0, 1.0, 1.0, 0.45]]),
            0.3,
        ),
        ("a weight just at the threshold", torch.tensor([[1.0, 0.5, 0.25], [0.5, 2.0, 1.0]]), 0.5),
        (
            "neurons of very different strength",
            normal(g, 3, 7) * torch.tensor([[0.05], [1.0], [20.0]]),
            0.25,
        ),
    ]
    return [
        Case(label=label, inputs={"W": W, "threshold": threshold})
        for label, W, threshold in settings
    ]


def _drivers_loop(W, threshold):
    counts = []
    for row in W:
        responses = [max(0.0, float(w)) for w in row]
        top = max(responses)
        counts.append(sum(top > 0 and r > threshold * top for r in responses))
    return torch.tensor(counts)


def _drivers_by_inputs(W, threshold):
    """Feed every feature alone through the layer."""
    neurons = torch.relu(torch.eye(W.shape[1]) @ W.T)
    top = neurons.max(dim=0).values
    return ((neurons > threshold * top) & (neurons > 0)).sum(dim=0)


def _drivers(W, threshold, *, response=torch.relu, dim=1):
    active = response(W)
    return ((active > threshold * active.max(dim=dim, keepdim=True).values) & (active > 0)).sum(dim)


def _absolute_threshold(W, threshold):
    return (torch.relu(W) > threshold).sum(1)


def _whole_network_maximum(W, threshold):
    active = torch.relu(W)
    return ((active > threshold * active.max()) & (active > 0)).sum(1)


POLYSEMANTIC_NEURON = Exercise(
    slug="polysemantic-neuron",
    title="What does this neuron answer to?",
    chapter="01",
    points=2,
    minutes=8,
    difficulty=2,
    objective="Count the features that drive each neuron, and so find the polysemantic ones.",
    cases=and_near_zero(_neuron_cases, "W", zero_rows=("W",)),
    reference=features_per_neuron,
    styles=(
        Style(name="a loop over neurons", right=_drivers_loop),
        Style(name="one-hot inputs through the layer", right=_drivers_by_inputs),
        Style(
            name="sort by response, int32",
            right=lambda W, threshold: _drivers(W, threshold).to(torch.int32),
        ),
    ),
    mistakes=(
        Mistake(
            name="negative weights count",
            wrong=lambda W, threshold: _drivers(W, threshold, response=torch.abs),
            sentence="You count features with a large NEGATIVE weight too. Such a feature pushes the neuron below zero, where "
            "the ReLU keeps it silent.",
        ),
        Mistake(
            name="neurons per feature",
            wrong=lambda W, threshold: _drivers(W, threshold, dim=0),
            sentence="You count, for each feature, the neurons that answer to it. The question is the other way round: one "
            "number per neuron (row of W).",
        ),
        Mistake(
            name="absolute threshold",
            wrong=_absolute_threshold,
            sentence="You compare activations with `threshold` itself. It is a share of the neuron's own largest activation, "
            "so that weak neurons are judged by the same rule as strong ones.",
        ),
        Mistake(
            name="the network's maximum",
            wrong=_whole_network_maximum,
            sentence="You compare with the largest activation in the whole network. Each neuron is measured against its own.",
        ),
        Mistake(
            name="every positive weight counts",
            wrong=lambda W, threshold: (W > 0).sum(1),
            sentence="You count every positive weight, however small. Use the threshold: a feature drives a neuron when it "
            "exceeds that share of the largest activation.",
        ),
        Mistake(
            name="yes or no",
            wrong=lambda W, threshold: _drivers(W, threshold) > 1,
            sentence="You say which neurons are polysemantic. The exercise asks how many features drive each one.",
        ),
        Mistake(
            name="a silent neuron answers to everything",
            wrong=lambda W, threshold: (
                torch.relu(W) >= threshold * torch.relu(W).max(dim=1, keepdim=True).values
            ).sum(1),
            sentence="A neuron that nothing excites has a largest activation of 0, and 0 ≥ 0 is true for every feature. Count "
            "only activations above zero.",
        ),
    ),
    hints=(
        "Feed one feature alone, at value 1: the neuron's activation is ReLU(W[n, i]). So ReLU(W) holds all of them.",
        "The largest activation of each neuron: the maximum over features, kept as a column so that it broadcasts.",
        "Count with `.sum(dim=...)` over a comparison. A neuron whose largest activation is 0 must count 0.",
    ),
)


# --- compute-in-superposition ------------------------------------------------------------------------


def _absolute_cases(g: torch.Generator) -> list[Case]:
    def case(label, batch, feature, neuron, dtype=torch.float32, layout=lambda t: t):
        return Case(
            label=label,
            inputs={
                "x": uniform(g, batch, feature, low=-1.0, dtype=dtype),
                "W_in": layout(normal(g, neuron, feature, dtype=dtype)),
                "W_out": layout(normal(g, feature, neuron, dtype=dtype)),
                "b": 0.5 * normal(g, feature, dtype=dtype),
            },
        )

    return [
        case("12 features, 11 neurons", 13, 12, 11),
        case("a batch of 1", 1, 3, 6),
        case("as many neurons as features", 7, 4, 4),
        case("double precision", 4, 3, 5, dtype=torch.float64),
        case("weights that are not contiguous in memory", 6, 4, 3, layout=strided),
    ]


def _absolute_loop(x, W_in, W_out, b):
    return torch.stack([torch.relu(W_out @ torch.relu(W_in @ sample) + b) for sample in x])


ABSOLUTE = Exercise(
    slug="compute-in-superposition",
    title="A network that computes |x|",
    chapter="01",
    points=2,
    minutes=4,
    difficulty=1,
    objective="Write the network y' = ReLU(W_out ReLU(W_in x) + b), which has to compute with its features, not only store them.",
    cases=and_near_zero(_absolute_cases, "x", "W_in", "W_out", "b", zero_rows=("x",)),
    reference=absolute_forward,
    gradients=("W_in", "W_out", "b"),
    styles=(
        Style(
            name="nn.functional.linear",
            right=lambda x, W_in, W_out, b: torch.relu(
                torch.nn.functional.linear(
                    torch.relu(torch.nn.functional.linear(x, W_in)), W_out, b
                )
            ),
        ),
        Style(
            name="einsum",
            right=lambda x, W_in, W_out, b: (
                torch.einsum("bn,fn->bf", torch.einsum("bf,nf->bn", x, W_in).clamp(min=0), W_out)
                + b
            ).clamp(min=0),
        ),
        Style(name="a loop over samples", right=_absolute_loop),
    ),
    mistakes=(
        Mistake(
            name="no ReLU on the neurons",
            wrong=lambda x, W_in, W_out, b: torch.relu(x @ W_in.T @ W_out.T + b),
            sentence="The ReLU on the hidden neurons is missing. Without it the network is linear before its output and could "
            "not compute an absolute value.",
        ),
        Mistake(
            name="no ReLU on the output",
            wrong=lambda x, W_in, W_out, b: torch.relu(x @ W_in.T) @ W_out.T + b,
            sentence="The ReLU on the output is missing.",
        ),
        Mistake(
            name="bias outside",
            wrong=lambda x, W_in, W_out, b: torch.relu(torch.relu(x @ W_in.T) @ W_out.T) + b,
            sentence="The bias is added after the output's ReLU; it belongs inside.",
        ),
        Mistake(
            name="no bias",
            wrong=lambda x, W_in, W_out, b: torch.relu(torch.relu(x @ W_in.T) @ W_out.T),
            sentence="The bias b is missing: it is added before the output's ReLU.",
        ),
        Mistake(
            name="the answer in place of the network",
            wrong=lambda x, W_in, W_out, b: x.abs(),
            sentence="You return |x| itself. That is the target; the exercise asks for what the NETWORK with these weights "
            "answers.",
        ),
        Mistake(
            name="tied weights",
            wrong=lambda x, W_in, W_out, b: torch.relu(torch.relu(x @ W_in.T) @ W_in + b),
            sentence="You use W_in for the way up as well, as in the toy model. This network has output weights of its own, "
            "W_out.",
        ),
        Mistake(
            name="weights not transposed",
            wrong=lambda x, W_in, W_out, b: torch.relu(torch.relu(x @ W_in) @ W_out + b),
            sentence="The weights are applied the wrong way round. W_in is [neuron feature] and samples are rows: `x @ W_in.T`. "
            "(With as many neurons as features the shapes do not complain.)",
        ),
        Mistake(
            name="detached",
            wrong=lambda x, W_in, W_out, b: torch.relu(
                torch.relu(x @ W_in.T) @ W_out.T + b
            ).detach(),
            sentence="The numbers are right, but no gradient reaches the weights: remove `.detach()` or `torch.no_grad()`.",
        ),
    ),
    hints=(
        "Two layers: in, ReLU, out, bias, ReLU.",
        "x is [batch feature] and W_in is [neuron feature]. Which transpose gives [batch neuron]?",
    ),
)
