"""The drawn numbers against brute force, feature by feature, and refusals."""

import math
import re

import numpy as np
import pytest
import torch

from mi_tutor.show import superposition as show
from mi_tutor.show.superposition.dimensionality import PLATEAUS
from mi_tutor.show.superposition.labels import arrow_labels
from mi_tutor.show.superposition.phase import FATES, _depth, _edges
from mi_tutor.show.superposition.shapes import plane_shape


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def polygon(n, turn=0.3):
    angle = 2 * math.pi * torch.arange(n) / n + turn
    return torch.stack([angle.cos(), angle.sin()])


# ── features_in_plane ─────────────────────────────────────────────────────────────────────────


def test_plane_draws_every_column_from_the_origin():
    W = random(3, 2, 4)
    figure = show.features_in_plane(W)
    arrows = [t for t in figure.data if t.name.startswith("feature ") and t.mode == "lines+markers"]
    assert len(arrows) == 12
    for k, trace in enumerate(arrows):
        instance, feature = divmod(k, 4)
        assert trace.name == f"feature {feature}"
        assert (trace.x[0], trace.y[0]) == (0, 0)
        np.testing.assert_allclose([trace.x[1], trace.y[1]], W[instance, :, feature], rtol=1e-5)
    table = figure.data_table()
    np.testing.assert_allclose(table["length"], np.hypot(table["x"], table["y"]))


def test_plane_axes_are_equal_and_show_the_whole_arrow():
    W = 3 * random(2, 2, 5)
    figure = show.features_in_plane(W)
    inner_width = figure.layout.width - figure.layout.margin.l - figure.layout.margin.r
    inner_height = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    for x, y in zip(figure.select_xaxes(), figure.select_yaxes(), strict=True):
        assert x.range == y.range and -x.range[0] == x.range[1] > W.norm(dim=1).max()
        across = (x.domain[1] - x.domain[0]) * inner_width
        assert across == pytest.approx((y.domain[1] - y.domain[0]) * inner_height, abs=0.01)
    circles = [shape for shape in figure.layout.shapes if shape.type == "circle"]
    assert [(c.x0, c.x1, c.y0, c.y1) for c in circles] == [(-1, 1, -1, 1)] * 2


def test_importance_is_said_in_numbers_and_in_colour():
    figure = show.features_in_plane(polygon(3), [1.0, 0.5, 0.5])
    entries = [trace for trace in figure.data if trace.showlegend is not False]
    assert [trace.name for trace in entries] == ["0: 1", "1 and 2: 0.5"]
    arrows = {
        t.name: t.line.color for t in figure.data if t.name.startswith("feature ") and t.line.color
    }
    assert arrows["feature 0"] == entries[0].line.color != arrows["feature 1"]
    assert "Importance of features 0 to 2: 1, 0.5 and 0.5." in figure.alt


def test_features_near_zero_are_listed_not_labelled():
    W = torch.tensor([[1.0, 0.0, 0.001], [0.0, 0.0, 0.0]])
    figure = show.features_in_plane(W)
    labels = [trace.text[0] for trace in figure.data if trace.mode == "text"]
    assert labels == ["0"]
    assert "near 0: 1 and 2" in figure.layout.annotations[0].text
    assert "near zero: 1 and 2" in figure.alt


@pytest.mark.parametrize("seed", range(8))
def test_labels_keep_away_from_each_other_and_from_arrows(seed):
    W = random(2, 6, seed=seed).numpy()
    W /= np.hypot(*W).max()
    labels = arrow_labels(W, shortest=0.1, pixels_per_unit=150)
    spots = 150 * np.array([(x, y) for x, y, _ in labels])
    shown = sorted(int(i) for _, _, text in labels for i in text.split(", "))
    assert shown == np.flatnonzero(np.hypot(*W) >= 0.1).tolist()
    for i in range(len(spots)):
        for j in range(i):
            assert np.hypot(*(spots[i] - spots[j])) > 10
        for tip in 150 * W.T:
            along = np.linspace(0, 1, 200)[:, None] * tip
            assert np.hypot(*(spots[i] - along).T).min() > 6


@pytest.mark.parametrize(
    ("W", "words"),
    [
        (polygon(2), "an antipodal pair"),
        (polygon(3), "a triangle"),
        (polygon(4), "a square (two antipodal pairs)"),
        (polygon(5), "a pentagon"),
        (polygon(9), "a regular polygon of 9"),
        (polygon(5)[:, :4], "4 directions without a regular shape"),
        (polygon(4)[:, :3], "an antipodal pair and one feature at right angles to it"),
        (polygon(4)[:, :2], "two features at right angles"),
        (polygon(6)[:, :2], "two directions"),
        (polygon(4)[:, :1], "one direction of its own"),
        (torch.zeros(2, 3), "nothing"),
    ],
)
def test_shapes_have_names(W, words):
    assert plane_shape(W.numpy()) == words


# ── gram_heatmap ──────────────────────────────────────────────────────────────────────────────


def test_gram_draws_all_dot_products():
    W, b = random(2, 3, 4), random(2, 4, seed=1)
    figure = show.gram_heatmap(W, b)
    overlap = [trace for trace in figure.data if trace.name == "overlap"]
    bias = [trace for trace in figure.data if trace.name == "bias"]
    for instance in range(2):
        for i in range(4):
            assert bias[instance].z[i][0] == pytest.approx(b[instance, i].item(), rel=1e-5)
            for j in range(4):
                expected = sum(
                    W[instance, h, i].item() * W[instance, h, j].item() for h in range(3)
                )
                assert overlap[instance].z[i][j] == pytest.approx(expected, rel=1e-4, abs=1e-6)
    axis = figure.layout.coloraxis
    assert axis.cmin == -axis.cmax
    largest = max(float((W.mT @ W).abs().max()), float(b.abs().max()))
    assert axis.cmax == pytest.approx(largest, rel=1e-5)


def test_gram_of_weights_is_gram_of_its_matrix():
    W = random(2, 3)
    assert show.gram_heatmap(W).to_json() == show.gram_heatmap(G=W.T @ W).to_json()


def test_positive_gram_still_has_zero_in_the_middle():
    axis = show.gram_heatmap(torch.eye(3)).layout.coloraxis
    assert (axis.cmin, axis.cmax) == (-1, 1)


def test_gram_names_its_strong_overlaps():
    assert "0 with 1 (−1)" in show.gram_heatmap([[1.0, -1.0, 0.0]]).alt


# ── dimensionality ────────────────────────────────────────────────────────────────────────────


def brute_force_dimensionality(W):
    """D_i with loops, for one model."""
    hidden, n = W.shape
    D = []
    for i in range(n):
        norm_sq = sum(float(W[h, i]) ** 2 for h in range(hidden))
        dots = [sum(float(W[h, i] * W[h, j]) for h in range(hidden)) for j in range(n)]
        crowd = sum(dot**2 for dot in dots) / norm_sq if norm_sq else 1.0
        D.append(norm_sq / crowd if norm_sq else 0.0)
    return D


def test_dimensionality_draws_every_feature_where_it_belongs():
    W, probability = random(3, 2, 5), torch.tensor([1.0, 0.1, 0.01])
    W[1, :, 2] = 0
    figure = show.dimensionality_vs_sparsity(W, probability)
    dots = figure.data[0]
    expected = [d for model in W for d in brute_force_dimensionality(model)]
    np.testing.assert_allclose(dots.y, expected, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(dots.x, np.repeat([1, 10, 100], 5), rtol=1e-5)
    assert figure.layout.xaxis.type == "log"


def test_dimensions_per_feature_is_m_over_the_norm():
    W = torch.stack([torch.eye(3), 2 * torch.eye(3), torch.eye(3), torch.zeros(3, 3)])
    line = show.dimensionality_vs_sparsity(W, [0.5, 0.1, 0.1, 0.01]).data[1]
    assert line.x == (2, 10)
    assert line.y == (1.0, (0.25 + 1) / 2)


def test_plateaus_are_drawn_at_their_values():
    figure = show.dimensionality_vs_sparsity(random(2, 2, 3), [1.0, 0.1])
    heights = {round(shape.y0, 4) for shape in figure.layout.shapes}
    assert heights == {1, 0.75, 0.6667, 0.5, 0.4, 0.375}
    texts = [note.text for note in figure.layout.annotations]
    for plateau in PLATEAUS:
        assert f"{plateau.fraction}  {plateau.geometry}" in texts
        top, _, bottom = plateau.fraction.partition("/")
        assert plateau.value == int(top) / int(bottom or 1)


def test_plateau_geometries_have_their_dimensionality():
    """Each named geometry really has the plateau's value, by the definition alone."""
    tetrahedron = torch.tensor([[1.0, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])
    geometry = {
        "tetrahedron": tetrahedron,
        "triangle": polygon(3),
        "antipodal pair, square": polygon(4),
        "pentagon": polygon(5),
        "square antiprism": _antiprism(),
        "a dimension of its own": torch.eye(3),
    }
    for plateau in PLATEAUS:
        D = brute_force_dimensionality(geometry[plateau.geometry])
        assert pytest.approx([plateau.value] * len(D), abs=1e-5) == D


def _antiprism():
    """Eight directions, two squares turned by 45°, at the height that makes a tight frame."""
    low, high = polygon(4, 0), polygon(4, math.pi / 4)
    height = torch.full((1, 4), 1 / math.sqrt(2))
    return torch.cat([torch.cat([low, height]), torch.cat([high, -height])], dim=1)


# ── phase_diagram ─────────────────────────────────────────────────────────────────────────────


def test_phase_cells_lie_at_their_density_and_importance():
    density, importance = [1.0, 0.1, 0.01], [0.1, 10.0]
    fates = torch.tensor([[0, 1, 1], [2, 2, -1]])
    figure = show.phase_diagram(fates, density, importance)
    table = figure.data_table()
    rows = list(zip(table["relative_importance"], table["density"], table["fate"], strict=True))
    assert (0.1, 1.0, "not represented") in rows and (10.0, 0.01, "n/a") in rows
    heat = figure.data[0]
    for r, c, d, i in ((0, 0, 1.0, 0.1), (0, 1, 0.1, 0.1), (1, 0, 1.0, 10.0), (1, 2, 0.01, 10.0)):
        column = [k for k in range(3) if heat.x[k] < d < heat.x[k + 1]]
        row = [k for k in range(2) if heat.y[k] < i < heat.y[k + 1]]
        assert heat.z[row[0]][column[0]] == fates[r, c]


def test_phase_axes_run_as_in_the_paper():
    figure = show.phase_diagram([[0, 1], [2, 1]], [1.0, 0.01], [0.1, 10.0])
    left, right = figure.layout.xaxis.range
    bottom, top = figure.layout.yaxis.range
    assert left > right, "density falls from 1 on the left, so sparsity grows to the right"
    assert bottom < top
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"


def test_order_of_rows_and_columns_does_not_matter():
    fates = np.array([[0, 1, 1], [2, 2, 1]])
    one = show.phase_diagram(fates, [1.0, 0.1, 0.01], [0.1, 10.0])
    other = show.phase_diagram(fates[::-1, ::-1], [0.01, 0.1, 1.0], [10.0, 0.1])
    assert one.data[0].to_plotly_json() == other.data[0].to_plotly_json()


def test_symbols_stand_in_their_own_region():
    fates = torch.tensor([[0] * 5 + [1] * 5] * 5 + [[2] * 5 + [1] * 5] * 5)
    density, importance = np.logspace(0, -2, 10), np.logspace(-1, 1, 10)
    figure = show.phase_diagram(fates, density, importance)
    names = {fate.name: fate.code for fate in FATES}
    scatter = [trace for trace in figure.data if trace.type == "scatter"]
    symbols = [t for t in scatter if t.mode == "markers" and t.x[0] is not None]
    assert len({trace.marker.symbol for trace in symbols}) == 3
    for trace in symbols:
        for x, y in zip(trace.x, trace.y, strict=True):
            row, column = np.abs(importance - y).argmin(), np.abs(density - x).argmin()
            assert fates[row, column] == names[trace.name]


def test_border_of_theory_separates_all_different_neighbours():
    theory = np.array([[0, 1, 1], [2, 2, 1]])
    figure = show.phase_diagram(theory, [1.0, 0.1, 0.01], [0.1, 10.0], theory)
    border = next(trace for trace in figure.data if trace.name == "border by theory")
    assert border.x.count(None) == 4  # 0|1 and 2|1 upright; 0/2 and 1/2 level
    assert "agree in 6 of 6 cells (100%)" in figure.alt
    assert figure.data_table()["theory"].tolist() == figure.data_table()["fate"].tolist()


def test_agreement_leaves_out_unknown_cells():
    figure = show.phase_diagram([[0, float("nan")]], [1.0, 0.1], [1.0], [[0, 1]])
    assert "agree in 1 of 1 cells" in figure.alt
    assert "n/a 50%" in figure.alt
    nothing = show.phase_diagram([[-1, -1]], [1.0, 0.1], [1.0], [[0, 1]])
    assert "No cell has both" in nothing.alt


def test_edges_lie_between_the_values():
    values = np.array([0.01, 0.02, 0.5, 1.0])
    edges = _edges(values)
    assert (edges[:-1] < values).all() and (values < edges[1:]).all()


def test_depth_counts_steps_to_the_outside():
    inside = np.pad(np.ones((3, 3), dtype=bool), 1)
    assert _depth(inside).tolist() == [
        [0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 1, 2, 1, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0],
    ]  # fmt: skip


# ── neurons, absolute value, packing, training ────────────────────────────────────────────────


def test_neuron_counts_by_hand():
    W = torch.tensor([[1.0, 0.1, 0.0], [0.8, 1.0, -1.0], [-1.0, -0.5, -2.0]])
    figure = show.neurons_and_features(W, threshold=0.5)
    assert figure.data[1].x == (1, 2, 0) and figure.data[1].text == ("1", "2", "0")
    np.testing.assert_allclose(np.array(figure.data[0].z), W.numpy(), rtol=1e-5)
    assert "1 of 3 neurons are polysemantic" in figure.layout.title.text
    assert "neuron 1 has 2 (0 and 1)" in figure.alt and "neuron 2 has 0 (none)" in figure.alt
    assert figure.data[1].marker.pattern.shape == ("", "/", "")


def test_absolute_panels_show_a_neuron_in_one_row():
    W_in, W_out = random(4, 3), random(3, 4, seed=1)
    figure = show.absolute_value_weights(W_in, W_out)
    np.testing.assert_allclose(np.array(figure.data[0].z), W_in, rtol=1e-5)
    np.testing.assert_allclose(np.array(figure.data[1].z), W_out.T, rtol=1e-5)
    table = figure.data_table()
    at = (table["neuron"] == 2) & (table["feature"] == 1)
    assert table["w_out"][at] == pytest.approx(W_out[1, 2].item())


def test_packing_draws_three_curves_and_the_place_where_n_is_d():
    figure = show.cosine_packing(8, [4, 8, 16], [0.5, 0.6, 0.7], [0, 0, 0.3], [0, 0, 0.25])
    drawn = {trace.name: trace.y for trace in figure.data}
    assert drawn == {
        "random": (0.5, 0.6, 0.7),
        "optimised": (0, 0, 0.3),
        "Welch bound": (0, 0, 0.25),
    }
    assert figure.layout.shapes[0].x0 == 8 and "n = d = 8" in figure.layout.annotations[0].text


def test_losses_and_training_curves_draw_what_they_got():
    losses = random(3, 6).abs() + 0.1
    figure = show.losses_against_steps(losses, [0, 10, 20, 30, 40, 50], names=["a", "b", "c"])
    for trace, row in zip(figure.data, losses, strict=True):
        np.testing.assert_allclose(trace.y, row, rtol=1e-5)
        assert trace.x == (0, 10, 20, 30, 40, 50)
    assert figure.layout.yaxis.type == "log"
    small = show.training_curves({"loss (nats)": losses[0], "share": losses[1]})
    assert [axis.title.text for axis in small.select_yaxes()] == ["nats", "dimensionless"]
    np.testing.assert_allclose(small.data[1].y, losses[1], rtol=1e-5)


# ── Refusals ──────────────────────────────────────────────────────────────────────────────────

NAN = torch.full((2, 3), float("nan"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: show.features_in_plane(random(3, 4)), "[instance] hidden=2 feature; saw shape (3, 4)"),
        (lambda: show.features_in_plane(NAN), "W has 6 value(s) that are NaN"),
        (lambda: show.features_in_plane(random(2, 3), [1, 2]), "importance needs one entry"),
        (lambda: show.features_in_plane(random(2, 2, 3), titles=["a"]), "titles needs one entry"),
        (lambda: show.features_in_plane(None), "NoneType"),
        (lambda: show.gram_heatmap(), "either the weights W or the matrix G"),
        (lambda: show.gram_heatmap(random(2, 3), G=random(3, 3)), "either the weights W"),
        (lambda: show.gram_heatmap(G=random(2, 3)), "should be square"),
        (lambda: show.gram_heatmap(random(2, 3), random(2)), "one bias for each of 1 instances × 3"),
        (lambda: show.dimensionality_vs_sparsity(random(2, 2, 3), [0.1]), "2 instances of W; saw 1"),
        (lambda: show.dimensionality_vs_sparsity(random(1, 2, 3), [0.0]), "(0, 1]"),
        (lambda: show.dimensionality_vs_sparsity(random(2, 3), [0.5]), "instance hidden feature"),
        (lambda: show.phase_diagram([[0, 3]], [1, 0.1], [1]), "saw [np.float64(3.0)]"),
        (lambda: show.phase_diagram([[0], [1]], [1, 0.1], [1]), "one row per importance (1)"),
        (lambda: show.phase_diagram([[0, 1]], [1, 0], [1]), "numbers above 0"),
        (lambda: show.phase_diagram([[0, 1]], [1, 1], [1]), "with 1 different of 2"),
        (lambda: show.phase_diagram([[0, 1]], [1, 0.1], [1], [[0]]), "theory should have"),
        (lambda: show.neurons_and_features(random(3)), "neuron feature"),
        (lambda: show.neurons_and_features(random(3, 3), threshold=1.0), "[0, 1)"),
        (lambda: show.absolute_value_weights(random(4, 3), random(4, 3)), "(3, 4)"),
        (lambda: show.cosine_packing(2, [3, 2], [0, 0], [0, 0], [0, 0]), "should increase"),
        (lambda: show.cosine_packing(2, [2, 3], [0, 1.5], [0, 0], [0, 0]), "random should hold |cos|"),
        (lambda: show.cosine_packing(2, [2, 3], [0], [0, 0], [0, 0]), "random needs one entry"),
        (lambda: show.losses_against_steps([1.0, 0.0]), "log_y=False"),
        (lambda: show.losses_against_steps([[1.0], [2.0]], names=["a"]), "names needs one entry"),
        (lambda: show.training_curves({}), "at least one quantity"),
        (lambda: show.training_curves({"a": [1, 2], "b": [1]}), "b needs one entry"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_a_sentence(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()
