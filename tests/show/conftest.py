"""One of every figure, made from random weights: what all of them must have is tested on these."""

import pytest
import torch

from mi_tutor.lab.steering import Effect
from mi_tutor.lab.superposition import phase_theory
from mi_tutor.show import charts, crosscoders, predictions, steering, superposition
from mi_tutor.show import induction as heads
from mi_tutor.show.bars import bars

TITLE = {"title": "A title", "x_title": "x (m)", "y_title": "y (s)"}


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def weights(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator())


def attention(n_heads: int, n_pos: int) -> torch.Tensor:
    """Random patterns [head query key], causal."""
    future = torch.ones(n_pos, n_pos, dtype=torch.bool).triu(1)
    scores = 3 * weights(n_heads, n_pos, n_pos)
    return scores.masked_fill(future, float("-inf")).softmax(dim=-1)


def phase_grid() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Density, relative importance, and fates by theory: rows are importances."""
    density, importance = torch.logspace(0, -2, 9), torch.logspace(-1, 1, 7)
    return density, importance, phase_theory(density[None, :], importance[:, None])


DENSITY, IMPORTANCE, THEORY = phase_grid()
TRAINED = THEORY.clone()
TRAINED[0, :3] = -1  # not known
W = weights(5, 2, 6)
EFFECTS = [Effect(*row) for row in weights(5, 3).sigmoid().tolist()]
MAKERS = {
    "plane, one": lambda: superposition.features_in_plane(W[0], torch.linspace(1, 0.2, 6)),
    "plane, two": lambda: superposition.features_in_plane(W[:2]),
    "plane, many": lambda: superposition.features_in_plane(W, torch.ones(6), list("abcde")),
    "gram, one": lambda: superposition.gram_heatmap(W[0], weights(6)),
    "gram, many": lambda: superposition.gram_heatmap(W, weights(5, 6), titles=list("abcde")),
    "gram, large": lambda: superposition.gram_heatmap(weights(2, 4, 30)),
    "dimensionality": lambda: superposition.dimensionality_vs_sparsity(
        W, torch.tensor([1, 0.5, 0.2, 0.1, 0.1])
    ),
    "phase": lambda: superposition.phase_diagram(TRAINED, DENSITY, IMPORTANCE),
    "phase and theory": lambda: superposition.phase_diagram(TRAINED, DENSITY, IMPORTANCE, THEORY),
    "losses": lambda: superposition.losses_against_steps(weights(8, 20).exp()),
    "training": lambda: superposition.training_curves(
        {"loss (nats)": weights(9).exp(), "norm": weights(9), "a": weights(9), "b": weights(9)}
    ),
    "neurons": lambda: superposition.neurons_and_features(weights(5, 8)),
    "absolute": lambda: superposition.absolute_value_weights(weights(10, 6), weights(6, 10)),
    "predicted": lambda: superposition.predicted_and_found(
        weights(12, 4).sigmoid(),
        weights(12, 4).sigmoid(),
        [f"never together, no. {i:2}" for i in range(12)],
        ["dropped", "alone", "apart", "together"],
        title="T",
        x_title="arrangement",
        y_title="setting",
        value_title="share",
    ),
    "predicted, signed": lambda: superposition.predicted_and_found(
        weights(6, 10),
        weights(6, 10),
        [f"neuron {i}" for i in range(6)],
        list("0123456789"),
        title="T",
        x_title="output",
        y_title="neuron",
        value_title="rise",
    ),
    "relative norms": lambda: crosscoders.norm_histogram(
        {name: weights(40 + i).sigmoid() for i, name in enumerate(("L1", "BatchTopK"))},
        title="T",
    ),
    "effect against coherence": lambda: steering.effect_against_coherence(
        {"vector": (range(5), EFFECTS), "latent": ((1, 2, 4), EFFECTS[:3])}, {"prompt": EFFECTS[4]}
    ),
    "strengths": lambda: steering.strength_curves(
        range(5), {"vector": EFFECTS, "latent": EFFECTS[::-1]}
    ),
    "packing": lambda: superposition.cosine_packing(
        8, [4, 8, 16, 32], [0.7] * 4, [0.1, 0.2, 0.3, 0.4], [0, 0, 0.2, 0.3]
    ),
    "attention, one": lambda: heads.attention_patterns(attention(1, 5)[0], list("abcde")),
    "attention, eight": lambda: heads.attention_patterns(
        attention(8, 21), [f"token {i}" for i in range(21)], title="All heads"
    ),
    "head scores": lambda: heads.head_grid(
        {"a": weights(2, 4).abs(), "b": weights(2, 4)}, value_title="score", title="Scores"
    ),
    "head scores, many": lambda: heads.head_grid(
        {"one": weights(12, 12)}, value_title="rise of the loss (nats)", title="Scores"
    ),
    "phase change": lambda: heads.phase_curves(
        [0, 10, 100, 1000],
        {"one": weights(4).exp(), "two": weights(4).exp()},
        {"score": weights(4).abs()},
        between=(10, 100),
    ),
    "bars": lambda: bars(
        {"a name that is rather long, foreseen": 0.00122, "another, measured": 0.0, "a": 0.00144},
        **TITLE,
    ),
    "predictions": lambda: predictions(
        ["a", "b", "c"], [0.1, 0.2, 0.3], [0.1, 0.4, 0.3], title="T", value_title="share"
    ),
    "heatmap": lambda: charts.heatmap(weights(4, 5), value_title="v (nats)", **TITLE),
    "heatmap, long": lambda: charts.heatmap(weights(40, 60).abs(), value_title="v (nats)", **TITLE),
    "lines": lambda: charts.lines(range(30), {f"c{i}": weights(30) for i in range(7)}, **TITLE),
    "lines, long names": lambda: charts.lines(
        [1, 2], {f"a name that is rather long, number {i}": [1, 2] for i in range(2)}, **TITLE
    ),
    "scatter": lambda: charts.scatter(
        weights(9), weights(9) ** 2, groups=list("aabbccddd"), **TITLE
    ),
}


@pytest.fixture(scope="session")
def makers():
    return MAKERS


@pytest.fixture(scope="session")
def figures():
    return {name: make() for name, make in MAKERS.items()}


@pytest.fixture(params=list(MAKERS))
def figure(request, figures):
    return figures[request.param]
