"""The figures of chapter 02: what they draw, what they say, and what they refuse."""

from typing import NamedTuple

import numpy as np
import pytest
import torch

from mi_tutor.lab.dictionaries import (
    Absorption,
    ConceptMatches,
    Split,
    density_histogram,
    match_features,
    pareto_front,
)
from mi_tutor.lab.dictionaries.run import Record
from mi_tutor.show import dictionaries


class Point(NamedTuple):
    kind: str
    l0: float
    fvu: float
    label: str = ""


POINTS = [
    Point("TopK", 16, 0.2, "k = 16"),  # not in order
    Point("TopK", 4, 0.4),
    Point("L1", 8, 0.5),
    Point("L1", 32, 0.1),
    Point("one", 20, 0.3),
]


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


def matches(f1: list[float], n_there: list[int] | None = None) -> ConceptMatches:
    marks = torch.tensor(f1)
    counts = torch.tensor(n_there or [5] * len(f1))
    return ConceptMatches(
        torch.arange(10, 10 + len(f1)), marks * 0, marks / 2, marks / 4, marks, marks, counts
    )


def absorbed(rate: float, missed: float) -> Absorption:
    return Absorption(rate, missed, torch.zeros(1, dtype=torch.bool), torch.zeros(1))


CONCEPTS = ["state=Texas", "city", "state=Ohio", "language=french", "state=Utah"]
F1 = [0.95, 0.5, 0.9, 0.7, 0.1]


def curves(figure):
    """The lines with data (the others are there for the legend)."""
    return [trace for trace in figure.data if trace.type == "scatter" and trace.x[0] is not None]


def test_pareto_has_a_line_per_kind_in_order_of_l0():
    figure = dictionaries.pareto_figure(POINTS)
    assert [list(trace.x) for trace in curves(figure)] == [[4, 16], [8, 32], [20]]
    assert [list(trace.y) for trace in curves(figure)] == [[0.4, 0.2], [0.5, 0.1], [0.3]]
    assert figure.layout.xaxis.type == "log"
    assert "TopK k = 16" in curves(figure)[0].text


def test_pareto_shows_what_is_beaten_by_open_symbols():
    figure = dictionaries.pareto_figure(POINTS)
    table = figure.data_table()
    front = pareto_front(torch.tensor(table["l0"]), torch.tensor(table["fvu"]))
    assert table["front"].tolist() == front.tolist() == [True, True, False, True, False]
    symbols = [symbol for trace in curves(figure) for symbol in trace.marker.symbol]
    assert [symbol.endswith("-open") for symbol in symbols] == [False, False, True, False, True]


def test_pareto_compares_at_a_target():
    figure = dictionaries.pareto_figure(POINTS, target_l0=8)
    assert figure.layout.shapes[0].x0 == 8
    assert figure.layout.annotations[0].x == pytest.approx(np.log10(8))
    # Halfway from 4 to 16 on a logarithmic axis, so halfway from 0.4 to 0.2.
    assert figure.alt.endswith("FVU is: TopK 0.3, L1 0.5, one was not measured there.")
    ends = 10 ** np.array(dictionaries.pareto_figure(POINTS, target_l0=500).layout.xaxis.range)
    assert ends[0] < 4 and ends[1] > 500


def test_pareto_refuses_a_dead_dictionary_and_no_dictionary():
    with pytest.raises(ValueError, match="above 0; saw 0"):
        dictionaries.pareto_figure([*POINTS, Point("L1", 0, 1.0)])
    with pytest.raises(ValueError, match="at least one point"):
        dictionaries.pareto_figure([])


def test_density_keeps_the_dead_apart():
    density = torch.cat([torch.zeros(3), torch.logspace(-4, -0.5, 40)])
    histogram = density_histogram(density, n_bins=10)
    figure = dictionaries.density_figure(histogram)
    living, dead = figure.data
    assert list(living.y) == histogram.counts.tolist() and list(dead.y) == [3]
    assert dead.x[0] + dead.width / 2 < living.x[0] - living.width / 2
    assert dead.marker.pattern.shape == "/"
    assert "Never: 3 (7 %)" in figure.alt
    table = figure.data_table()
    assert table["latents"].sum() == 43
    # A latent that is on in a hundredth lies in the bin that says so.
    row = (table["from"] <= 0.01) & (table["to"] > 0.01)
    assert row.sum() == 1
    assert figure.layout.xaxis.ticktext[:3] == ("never", "0.0001", "0.001")


def test_density_of_nothing_but_dead_latents():
    figure = dictionaries.density_figure(density_histogram(torch.zeros(5)))
    assert "Never: 5 (100 %). None is ever on." in figure.alt


def test_matched_latents_stand_on_the_diagonal():
    features = random(6, 12)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    W_dec = torch.cat([random(8, 12)[6:], 2.0 * features[order]])  # two latents that are nothing
    figure = dictionaries.feature_match_figure(W_dec, features)
    drawn = np.array(figure.data[0].z, dtype=float)
    assert np.allclose(np.diag(drawn[:6]), 1)
    expected = match_features(W_dec, features)
    assert [row[0] for row in figure.data[0].customdata][:6] == expected.latent.tolist()
    table = figure.data_table()
    for latent, feature, cosine in zip(*table.values(), strict=True):
        by_hand = torch.cosine_similarity(W_dec[latent], features[feature], dim=0)
        assert cosine == pytest.approx(by_hand.item(), abs=1e-6)
    assert "6 of 6 features" in figure.alt and "More than one" not in figure.alt


def test_a_feature_that_was_not_found_has_another_mark():
    features = torch.eye(3)
    W_dec = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [-1.0, 0.0, 0.0]])
    figure = dictionaries.feature_match_figure(W_dec, features)
    found, missed = figure.data[1], figure.data[2]
    assert (found.marker.symbol, missed.marker.symbol) == ("circle", "x")
    assert len(found.x) == 1 and len(missed.x) == 2
    assert "1 of 3 features" in figure.alt and "chose latent 1" in figure.alt
    assert figure.layout.coloraxis.cmin == -1  # the latent that points the other way is no match
    with pytest.raises(ValueError, match="transposed"):
        dictionaries.feature_match_figure(torch.eye(3), torch.ones(3, 2))


def test_recovered_features_in_the_plane():
    figure = dictionaries.recovered_features_figure([[0.0, 5.0], [2.0, 0.0]], torch.eye(2))
    assert figure.data_table()["latent"].tolist() == [1, 0]
    assert [name for name in figure.data[1].text if name] == ["L0", "L1"]
    assert max(value for value in figure.data[0].x if value is not None) == 1  # unit length
    with pytest.raises(ValueError, match="d=2"):
        dictionaries.recovered_features_figure(torch.ones(2, 3), torch.ones(2, 3))


def test_scores_stand_in_the_row_of_their_family():
    figure = dictionaries.concept_score_figure(matches(F1), CONCEPTS)
    assert list(figure.layout.yaxis.ticktext) == ["state", "language", "other labels"]
    (dots,) = curves(figure)
    rows = np.round(np.array(dots.y)).tolist()
    assert dict(zip(dots.text, rows, strict=True)) == dict(
        zip(CONCEPTS, [0, 2, 0, 1, 0], strict=True)
    )
    assert np.allclose(dots.x, F1)
    texts = [note.text for note in figure.layout.annotations]
    assert "2 of 3" in texts and "0 of 1" in texts
    assert "state: 2 of 3, the lowest 0.1 (Utah)." in figure.alt


def test_scores_beside_those_of_neurons():
    neurons = matches([0.2, 0.95, 0.3, 0.3, 0.0])
    figure = dictionaries.concept_score_figure(matches(F1), CONCEPTS, neurons)
    latents, below = curves(figure)
    assert latents.marker.symbol == "circle" and below.marker.symbol == "square-open"
    assert all(a < b for a, b in zip(latents.y, below.y, strict=True))  # the axis points down
    assert "by the best latent: 2 of 5, by the best neuron: 1 of 5" in figure.alt
    table = figure.data_table()
    row = (table["units"] == "neurons") & (table["concept"] == "city")
    assert table["f1"][row] == pytest.approx(0.95) and table["unit"][row] == 11


def test_a_concept_that_never_occurs_has_no_score():
    figure = dictionaries.concept_score_figure(matches(F1, [1, 1, 1, 0, 1]), CONCEPTS)
    assert "language" not in figure.layout.yaxis.ticktext
    assert figure.alt.endswith("texts for marking: 1.")
    with pytest.raises(ValueError, match="No concept occurs"):
        dictionaries.concept_score_figure(matches(F1, [0] * 5), CONCEPTS)
    with pytest.raises(ValueError, match="concepts needs one entry"):
        dictionaries.concept_score_figure(matches(F1), CONCEPTS[:4])


SPLITS = {256: Split([7], [0.9]), 1024: Split([3, 5, 8], [0.6, 0.8, 0.95])}


def test_splitting_has_a_curve_per_dictionary():
    figure = dictionaries.splitting_figure(SPLITS, concept="state=Texas")
    small, large = curves(figure)
    assert list(large.x) == [1, 2, 3] and list(large.y) == [0.6, 0.8, 0.95]
    assert list(large.text) == ["3", "5", "8"] and list(small.text) == ["7"]
    assert "Texas" in figure.heading
    assert figure.data_table()["latent"].tolist() == [7, 3, 5, 8]
    alone = dictionaries.splitting_figure(SPLITS[1024])
    assert len(curves(alone)) == 1


def test_absorption_stands_beside():
    both = {256: absorbed(0.0, 0.1), 1024: absorbed(0.2, 0.25)}
    figure = dictionaries.splitting_figure(SPLITS, absorption=both)
    missed, rate = [trace for trace in figure.data if trace.type == "bar"]
    assert list(missed.y) == [0.1, 0.25] and list(rate.y) == [0, 0.2]
    assert "absorbed on 0.2" in figure.alt
    with pytest.raises(ValueError, match="absorption has"):
        dictionaries.splitting_figure(SPLITS, absorption={7: absorbed(0, 0)})
    with pytest.raises(ValueError, match="at least one latent"):
        dictionaries.splitting_figure({})


def test_training_figure_draws_what_was_recorded():
    history = [Record(1, 3.0, 1.0, 9.0, 0.0), Record(50, 2.0, 0.5, 6.0, 0.1)]
    figure = dictionaries.training_figure(history)
    assert [list(trace.y) for trace in figure.data] == [[1.0, 0.5], [9.0, 6.0], [0.0, 0.1]]
    with pytest.raises(ValueError, match="at least one record"):
        dictionaries.training_figure([])


FIGURES = {
    "pareto": lambda: dictionaries.pareto_figure(POINTS, target_l0=16),
    "density": lambda: dictionaries.density_figure(density_histogram(torch.rand(50) * 0 + 0.01)),
    "match": lambda: dictionaries.feature_match_figure(random(9, 4), random(5, 4)),
    "match, large": lambda: dictionaries.feature_match_figure(random(160, 32), random(128, 32)),
    "plane": lambda: dictionaries.recovered_features_figure(random(5, 2), random(3, 2)),
    "scores": lambda: dictionaries.concept_score_figure(matches(F1), CONCEPTS, matches(F1)),
    "splitting": lambda: dictionaries.splitting_figure(
        SPLITS, absorption={256: absorbed(0.1, 0.2)}
    ),
    "training": lambda: dictionaries.training_figure([Record(1, 1.0, 1.0, 4.0, 0.0)] * 2),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_described_fits_and_comes_out_the_same(name):
    figure = FIGURES[name]()
    assert figure.heading and len(figure.alt) > 20 and "nan" not in figure.alt
    assert figure.layout.width <= 810 and figure.layout.height <= 800
    for axis in [*figure.select_xaxes(), *figure.select_yaxes()]:
        assert axis.title.text
    assert len({len(column) for column in figure.data_table().values()}) == 1
    assert figure.to_json() == FIGURES[name]().to_json()
    assert "bdata" not in figure.to_json()


def test_marks_are_told_with_signs_and_hatches_and_not_by_colour_alone():
    figure = dictionaries.marks_figure(["a", "b" * 80], [0.25, 1.0], [False, True])
    (bars,) = figure.data
    assert list(bars.text) == ["✗ 0.25", "✓ 1.00"]
    assert list(bars.marker.pattern.shape) == ["/", ""]
    assert list(bars.customdata)[1] == "b" * 80
    assert figure.layout.yaxis.ticktext[1].endswith("…")
    assert figure.data_table()["held"].tolist() == [False, True]
    assert "1 of 2" in figure.alt and "a 0.25 (not so)" in figure.alt
    with pytest.raises(ValueError, match="names"):
        dictionaries.marks_figure(["a"], [0.1, 0.2], [True, True])
