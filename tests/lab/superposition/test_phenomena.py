"""Each recipe shows what its docstring says. Smaller versions where the full one takes long."""

import dataclasses

import pytest
import torch

from mi_tutor.lab.superposition import (
    absolute_dedicated_loss,
    best_of_seeds,
    feature_dimensionality,
    feature_fates,
    features_per_neuron,
    neuron_focus,
    phase_optimum,
    phase_theory,
    phenomena,
    train_absolute,
    train_sweep,
)

pytestmark = pytest.mark.usefixtures("shapes_unchecked")


def unit_overlaps(W):
    unit = W / W.norm(dim=-2, keepdim=True)
    return unit.mT @ unit


def test_polygons():
    sweep = phenomena.polygons()
    best = best_of_seeds(sweep, train_sweep(sweep, progress=False))
    for p, W in zip(sweep.probabilities, best.W, strict=True):
        sparsity = 1 - p[0]
        long = W[:, W.norm(dim=0) > 0.5]
        angles = torch.atan2(long[1], long[0]).rad2deg().sort().values
        gaps = torch.diff(torch.cat([angles, angles[:1] + 360]))
        if sparsity <= 0.31:
            assert long.shape[1] == 2 and abs(gaps.min() - 90) < 5
            expected_D = 1.0
        elif sparsity <= 0.81:
            assert long.shape[1] == 4 and (gaps - 90).abs().max() < 5
            expected_D = 1 / 2
        else:
            assert long.shape[1] == 5 and (gaps - 72).abs().max() < 5
            expected_D = 2 / 5
        assert (feature_dimensionality(long) - expected_D).abs().max() < 0.06


@pytest.mark.slow
def test_dimensionality():
    sweep = dataclasses.replace(phenomena.dimensionality(), n_seeds=4)
    result = train_sweep(sweep, progress=False)
    D = sweep.on_grid(feature_dimensionality(result.W))[:, 0]
    represented = sweep.on_grid(result.W.norm(dim=1) > 0.5)[:, 0]
    one_over_p = torch.tensor([1 / p[0] for p in sweep.probabilities])
    norm_sq = sweep.on_grid((result.W**2).sum(dim=(1, 2)))[:, 0]
    D_star = (sweep.n_hidden / norm_sq).mean(dim=1)

    def share_at(plateau, low, high):
        here = (one_over_p > low) & (one_over_p < high)
        return ((D[here][represented[here]] - plateau).abs() < 0.02).float().mean()

    assert abs(D_star[0] - 1) < 0.03
    assert (D_star.diff() < 0.005).all()
    flat = (one_over_p > 2.2) & (one_over_p < 3.4)
    assert (D_star[flat] - 0.5).abs().max() < 0.03
    assert share_at(1 / 2, 1.8, 3.4) > 0.98
    # The other plateaus hold a good part of the features each; bins this wide would hold
    # about 5 % if D were spread evenly.
    assert share_at(3 / 4, 1.1, 1.3) > 0.1
    assert share_at(2 / 3, 1.3, 1.5) > 0.25
    assert share_at(2 / 5, 3.6, 4.4) > 0.25
    assert share_at(3 / 8, 3.9, 5.0) > 0.25
    assert share_at(1, 0.9, 7) == 0


@pytest.mark.slow
def test_phase_diagram():
    sweep = phenomena.phase_diagram(n_cells=14, n_seeds=6)
    best = best_of_seeds(sweep, train_sweep(sweep, progress=False))
    trained = feature_fates(best.W)[:, 1].view(14, 14)
    density = torch.tensor(sweep.probabilities)[:, :1]
    importance = torch.tensor(sweep.importances)[None, :, 1]
    assert (trained == phase_theory(density, importance)).float().mean() > 0.93
    assert (trained == phase_optimum(density, importance).fate).float().mean() > 0.98
    assert set(trained.flatten().tolist()) == {0, 1, 2}


@pytest.mark.parametrize("kind", ["correlated", "anti-correlated"])
def test_pairs(kind):
    W = train_sweep(phenomena.pairs(kind, n_seeds=20), progress=False).W
    cosine = unit_overlaps(W)
    within = torch.stack([cosine[:, 0, 1], cosine[:, 2, 3]])
    if kind == "correlated":
        assert within.abs().max() < 0.1
    else:
        assert within.max() < -0.99
    assert W.norm(dim=1).min() > 0.9


@pytest.mark.slow
def test_neurons():
    def counts(hidden_relu, probabilities):
        """Number of features that drive each neuron: [probability, seed and neuron]."""
        recipe = phenomena.neurons(hidden_relu)
        p = {entry[0]: entry for entry in recipe.probabilities}
        sweep = dataclasses.replace(recipe, probabilities=[p[each] for each in probabilities])
        result = train_sweep(sweep, progress=False)
        each = torch.stack([features_per_neuron(W, threshold=0.3) for W in result.W])
        return sweep.on_grid(each).flatten(start_dim=1).float()

    with_relu = counts(True, [0.7, 0.5, 0.02])
    without = counts(False, [0.7, 0.5])
    for dense in (0, 1):
        assert (with_relu[dense] == 1).all()
        assert (without[dense] == 1).float().mean() < 0.6
    assert with_relu[2].mean() > 3.5


@pytest.mark.slow
def test_absolute_value():
    sweep = phenomena.absolute_value()
    result = train_absolute(sweep, progress=False)
    ratio = sweep.on_grid(result.loss / absolute_dedicated_loss(sweep))[:, 0]
    focus = sweep.on_grid(neuron_focus(result.W_in, result.W_out))[:, 0]
    best = ratio.argmin(dim=1)
    setting = torch.arange(len(best))
    assert (ratio[:2, :].amin(dim=1) - 1).abs().max() < 0.03  # dense: no superposition
    assert focus[setting, best][:2].min() > 0.95
    assert (ratio[setting, best].diff() < 0.02).all()
    assert ratio[-1].min() < 0.5  # sparse: well below what dedicated neurons can reach
    assert focus[setting, best][-1].mean() < 0.6


def test_nobody_edits_a_recipe_by_accident():
    for recipe in (phenomena.polygons, phenomena.dimensionality, phenomena.absolute_value):
        assert recipe() == recipe()
        with pytest.raises(dataclasses.FrozenInstanceError):
            recipe().n_steps = 1
