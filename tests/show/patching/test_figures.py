"""The figures of chapter 04: what they draw, what they say, and what they refuse."""

import re

import numpy as np
import pytest
import torch

from mi_tutor.show import patching

GENERATOR = torch.Generator().manual_seed(0)
TABLE = torch.randn(3, 4, generator=GENERATOR)
TOKENS = ["<|endoftext|>", " Mary", " and", " John"]


def words_of(figure):
    """What stands in the cells, whatever its colour."""
    return [[re.sub(r"</?span[^>]*>", "", word) for word in row] for row in figure.data[0].text]


def test_a_patch_map_has_the_tokens_on_its_axis():
    figure = patching.patch_map(TABLE, TOKENS, title="Patched")
    assert list(figure.layout.xaxis.ticktext) == ["0: BOS", "1:  Mary", "2:  and", "3:  John"]
    assert np.allclose(np.array(figure.data[0].z, dtype=float), TABLE, atol=1e-5)
    assert figure.layout.yaxis.autorange == "reversed"
    assert "column 1:  Mary" in figure.alt or "column" in figure.alt
    assert len(figure.data_table()["value"]) == 12


def test_tokens_that_occur_twice_keep_their_own_column():
    figure = patching.patch_map(TABLE, [" John", ",", " John", " to"], title="Patched")
    assert len(set(figure.data_table()["column"])) == 4


def test_a_patch_map_wants_a_name_per_column():
    with pytest.raises(ValueError, match="columns"):
        patching.patch_map(TABLE, TOKENS[:3], title="Patched")


def test_the_scatter_names_the_sites_that_are_furthest_off():
    exact, estimate = [0.0, 5.0, -3.0, 1.0], [0.0, 0.5, -3.0, 0.0]
    figure = patching.estimate_scatter(exact, {"slope": estimate}, list("abcd"), n_named=2)
    assert [note.text for note in figure.layout.annotations] == ["b", "d"]
    assert "b (exact 5, estimated 0.5)" in figure.alt
    assert any(trace.name == "y = x" for trace in figure.data)


def test_the_scatter_draws_each_kind_of_estimate():
    figure = patching.estimate_scatter(
        [0.0, 1.0], {"one gradient": [0.0, 0.2], "10 steps": [0.0, 0.9]}, list("ab")
    )
    table = figure.data_table()
    assert table["group"].tolist() == ["one gradient"] * 2 + ["10 steps"] * 2
    assert table["y"].tolist() == [0.0, 0.2, 0.0, 0.9]
    symbols = [trace.marker.symbol for trace in figure.data if trace.mode == "markers"]
    assert len(set(symbols)) == 2


def test_the_scatter_refuses_lists_of_other_lengths():
    with pytest.raises(ValueError, match="estimate 'slope'"):
        patching.estimate_scatter([0.0, 1.0], {"slope": [0.0]}, list("ab"))
    with pytest.raises(ValueError, match="labels"):
        patching.estimate_scatter([0.0, 1.0], {"slope": [0.0, 1.0]}, list("a"))
    with pytest.raises(ValueError, match="at least one estimate"):
        patching.estimate_scatter([0.0, 1.0], {}, list("ab"))


def test_the_lens_table_shows_the_guesses():
    guesses = [[" a", " b"], [" c", " Mary"]]
    figure = patching.lens_table([[0.1, 0.2], [0.3, 0.9]], guesses, [" gave", " to"])
    assert words_of(figure) == guesses
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0.0, 1.0)
    assert figure.data_table()["stream"].tolist() == ["before 0"] * 2 + ["after all"] * 2
    assert "after all  Mary (0.9)" in figure.alt


def test_the_lens_table_wants_a_row_of_guesses_per_stream():
    with pytest.raises(ValueError, match="guesses"):
        patching.lens_table([[0.1], [0.2]], [["a"]], [" to"])


def test_a_circuit_shows_its_members_only():
    figure = patching.circuit_map({(0, 1): 0.25, 2: 1.5}, 3, 2, title="A circuit")
    assert words_of(figure) == [
        ["·", "0.25", "·"],
        ["·", "·", "·"],
        ["·", "·", "1.50"],
    ]
    assert "0.1 0.25, MLP 2 1.5" in figure.alt.replace(" and ", ", ")
    assert "none" in patching.circuit_map({}, 3, 2, title="No circuit").alt


def test_bars_keep_their_signs():
    figure = patching.parts_bars({"embed": 0.5, "attn 3": -2.0, "MLP 1": -0.001}, title="Parts")
    assert list(figure.data[0].y) == [0.5, -2.0, -0.001]
    assert list(figure.data[0].text) == ["+0.50", "−2.00", "0.00"]
    low, high = figure.layout.yaxis.range
    assert low < -2.0 and high > 0.5
    other = patching.parts_bars({"A": 0.5}, title="Experiments", x_title="experiment")
    assert (figure.layout.xaxis.title.text, other.layout.xaxis.title.text) == ("part", "experiment")
    with pytest.raises(ValueError, match="at least one part"):
        patching.parts_bars({}, title="Parts")


FIGURES = {
    "circuit": lambda: patching.circuit_map({(0, 1): 0.25, 2: 1.5}, 3, 2, title="A circuit"),
    "map": lambda: patching.patch_map(TABLE, TOKENS, title="Patched"),
    "scatter": lambda: patching.estimate_scatter([0.0, 2.0], {"a": [0.1, 0.2]}, list("ab")),
    "lens": lambda: patching.lens_table([[0.1], [0.2]], [["a"], ["b"]], [" to"]),
    "bars": lambda: patching.parts_bars({"embed": 0.5}, title="Parts"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_described_fits_and_comes_out_the_same(name):
    figure = FIGURES[name]()
    assert figure.heading and len(figure.alt) > 20
    assert figure.layout.width <= 810 and figure.layout.height <= 800
    assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text
    assert figure.to_json() == FIGURES[name]().to_json()
    assert "bdata" not in figure.to_json()
