"""The figures of chapter 05: what they draw, what they say, and what they refuse."""

import numpy as np
import pytest
import torch

from mi_tutor.lab.swaps import DoseResponse, StateMap
from mi_tutor.show import swaps

NAN = float("nan")
PLACES = ("one before", "name's end", "end")


def state_map(rows: int = 4) -> StateMap:
    tables = torch.rand(3, rows, len(PLACES), generator=torch.Generator().manual_seed(0))
    return StateMap(PLACES, *tables)


def test_state_places_draws_three_maps_on_one_scale():
    found = state_map()
    figure = swaps.state_places(found)
    assert [trace.type for trace in figure.data] == ["heatmap"] * 3
    for trace, name in zip(figure.data, ("lens", "read", "patched"), strict=True):
        assert np.allclose(np.array(trace.z, dtype=float), getattr(found, name), atol=1e-5)
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0.0, 1.0)
    table = figure.data_table()
    assert len(table["share"]) == 3 * 4 * 3
    row = (table["panel"] == "patched") & (table["layer"] == "before 2") & (table["token"] == "end")
    assert table["share"][row] == pytest.approx(found.patched[2, 2].item())
    assert table["layer"][-1] == "after all"
    assert "nearest mean" in figure.alt and "before 0" in figure.alt


def test_state_places_wants_a_name_per_column():
    with pytest.raises(ValueError, match="places needs one entry"):
        swaps.state_places(state_map()._replace(places=("a", "b")))


def test_swap_heatmap_says_what_was_not_tested():
    matrix = torch.tensor([[NAN, 0.9, 1.0], [0.2, NAN, 1.0], [1.0, 1.0, NAN]])
    figure = swaps.swap_heatmap(matrix, ["Iowa", "Ohio", "Utah"])
    assert "lowest 0.2 (Ohio to Iowa)" in figure.alt
    assert "Not tested: 3 cells" in figure.alt
    assert f"{torch.nanmean(matrix):.2f}" in figure.alt
    assert figure.data[0].z[1][0] == pytest.approx(0.2)
    table = figure.data_table()
    assert table["row"][3] == "Ohio" and table["column"][3] == "Iowa"


def test_swap_heatmap_of_fifty_states_fits():
    names = [f"State {i}" for i in range(50)]
    figure = swaps.swap_heatmap(np.full((50, 50), 0.5), names)
    assert figure.layout.width <= 810 and figure.layout.height <= 800


def test_dose_curves_names_the_peak():
    shares = torch.tensor([[0.9, 0.1, 0.0], [0.1, 0.8, 0.5], [0.0, 0.1, 0.5]])
    figure = swaps.dose_curves(DoseResponse((0.0, 1.0, 4.0), *shares))
    assert "strength 1 (0.80)" in figure.alt
    assert [trace.name for trace in figure.data] == [
        "the target's",
        "their own",
        "something else",
    ]
    assert np.allclose(np.array(figure.data[0].y, dtype=float), shares[1], atol=1e-5)


def test_control_bars_show_shares_and_numbers():
    figure = swaps.control_bars({"the swap": 0.95, "random": 0.012}, {"the swap": 40, "random": 41})
    assert list(figure.data[0].y) == ["the swap", "random"]
    assert list(figure.data[0].text) == ["95.0 %", "1.2 %"]
    assert "random 1.2 % of 41" in figure.alt
    # Not by colour alone: controls are hatched.
    assert list(figure.data[0].marker.pattern.shape) == ["", "/"]
    with pytest.raises(ValueError, match="same names"):
        swaps.control_bars({"a": 1.0}, {"b": 1})


@pytest.mark.parametrize(
    "figure",
    [
        swaps.state_places(StateMap(tuple("abcdefg"), *torch.rand(3, 6, 7))),
        swaps.swap_heatmap([[NAN, 0.5], [1.0, NAN]], ["Iowa", "Ohio"]),
        swaps.dose_curves(DoseResponse((0.0, 1.0), *torch.eye(3)[:, :2])),
        swaps.control_bars({"the swap": 0.95, "random": 0.0}, {"the swap": 40, "random": 40}),
    ],
    ids=["places", "matrix", "dose", "bars"],
)
def test_what_every_figure_owes_its_reader(figure):
    assert figure.heading and len(figure.alt) > 40
    axes = [*figure.select_xaxes(), *figure.select_yaxes()]
    assert all(axis.title.text for axis in axes if axis.showticklabels is not False)
    assert 300 <= figure.layout.width <= 810 and 150 <= figure.layout.height <= 800
    assert len({len(column) for column in figure.data_table().values()}) == 1
    assert "bdata" not in figure.to_json()
