"""heatmap, lines, scatter: the drawn numbers are the given ones, and nonsense is refused."""

import re

import numpy as np
import pytest
import torch

from mi_tutor.show import charts
from mi_tutor.show.drawing import marks, theme

TITLE = {"title": "T", "x_title": "x (m)", "y_title": "y (s)"}


def test_heatmap_draws_the_matrix():
    matrix = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    figure = charts.heatmap(matrix, value_title="v", x=list("abcd"), **TITLE)
    np.testing.assert_allclose(np.array(figure.data[0].z), matrix.numpy(), rtol=1e-5)
    table = figure.data_table()
    for row in range(3):
        for column, name in enumerate("abcd"):
            at = (table["row"] == str(row)) & (table["column"] == name)
            assert table["value"][at] == pytest.approx(matrix[row, column].item())
    assert figure.layout.yaxis.autorange == "reversed"
    assert list(figure.layout.xaxis.ticktext) == list("abcd")


def test_signed_data_get_a_scale_with_zero_in_the_middle():
    signed = charts.heatmap([[-1.0, 3.0]], value_title="v", **TITLE).layout.coloraxis
    assert (signed.cmin, signed.cmax) == (-3, 3)
    assert signed.colorscale[4] == (0.5, "#ffffff")
    positive = charts.heatmap([[1.0, 3.0]], value_title="v", **TITLE).layout.coloraxis
    assert (positive.cmin, positive.cmax) == (0, 3)
    assert positive.colorscale[0][1] == theme.SEQUENTIAL[0]


def test_heatmap_in_words_has_every_number_or_where_each_row_is_largest():
    names = {"x": list("ab"), "y": ["early", "late"]}
    small = charts.heatmap([[0.5, 1.0], [float("nan"), -2.0]], value_title="v", **names, **TITLE)
    assert small.alt.endswith("Row by row (columns a, b): early: 0.5, 1; late: n/a, −2.")
    wide = np.zeros((3, 20))
    wide[0, 7], wide[1, 2], wide[2] = 3.0, 0.25, np.nan
    alt = charts.heatmap(wide, value_title="v", **TITLE).alt
    assert alt.endswith("The largest of each row: 0: 3 at 7; 1: 0.25 at 2.")


def test_long_column_names_are_turned_and_have_room():
    names = ["at the line break", "comma behind the name"]
    short, long = (
        charts.heatmap([[0.0, 1.0]], value_title="v", x=x, **TITLE) for x in ("ab", names)
    )
    assert (short.layout.xaxis.tickangle, long.layout.xaxis.tickangle) == (0, -40)
    assert long.layout.margin.b - short.layout.margin.b > 90


def test_heatmap_shows_missing_values_as_such():
    figure = charts.heatmap([[1.0, float("nan")]], value_title="v", **TITLE)
    assert figure.data[0].z[0][1] is None and ">n/a<" in figure.data[0].text[0][1]
    assert "largest value is 1 " in figure.alt
    assert "No cell" in charts.heatmap([[float("nan")]], value_title="v", **TITLE).alt


def test_negative_cells_are_marked_without_colour():
    matrix = np.array([[0.5, -0.5], [1.0, -1.0]])
    for cell in (50, 30, 13):
        for words, row in zip(marks.cell_texts(matrix, cell), matrix, strict=True):
            for word, value in zip(words, row, strict=True):
                assert ("−" in word) == (value < 0)


def test_lines_draw_the_curves():
    x = torch.tensor([1.0, 10.0, 100.0])
    curves = {"a": torch.tensor([3.0, 1.0, 2.0]), "b": np.array([1.0, np.nan, 5.0])}
    figure = charts.lines(x, curves, log_x=True, **TITLE)
    assert figure.data[0].y == (3, 1, 2) and figure.data[1].y == (1, None, 5)
    assert all(trace.x == (1, 10, 100) for trace in figure.data)
    assert figure.layout.xaxis.type == "log" and figure.layout.yaxis.type == "linear"
    assert "a goes from 3 to 2, lowest 1." in figure.alt
    assert "b goes from 1 to 5." in figure.alt
    assert figure.data_table()["curve"].tolist() == list("aaabbb")
    dashes = {(trace.line.dash, trace.marker.symbol) for trace in figure.data}
    assert len(dashes) == 2


def test_scatter_draws_the_points_by_group():
    x, y = torch.arange(4.0), torch.tensor([0.0, 2.0, 1.0, 5.0])
    figure = charts.scatter(x, y, groups=list("abab"), labels=list("wxyz"), diagonal=True, **TITLE)
    line, a, b = figure.data
    assert line.name == "y = x" and line.x == line.y == (0, 5)
    assert (a.x, a.y, a.text) == ((0, 2), (0, 1), ("w", "y"))
    assert (b.x, b.y, b.text) == ((1, 3), (2, 5), ("x", "z"))
    assert a.marker.symbol != b.marker.symbol
    expected = np.corrcoef(x, y)[0, 1]
    assert f"{expected:.2g}" in figure.alt and "2 a and 2 b" in figure.alt


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: charts.heatmap([1.0], value_title="v", **TITLE), "row column; saw shape (1,)"),
        (lambda: charts.heatmap([[1.0]], value_title="v", x=["a", "b"], **TITLE), "saw 2"),
        (lambda: charts.heatmap("words", value_title="v", **TITLE), "saw str"),
        (lambda: charts.heatmap(None, value_title="v", **TITLE), "NoneType"),
        (lambda: charts.heatmap(torch.zeros(0, 3), value_title="v", **TITLE), "empty"),
        (lambda: charts.lines([1, 2], {"a": [1.0]}, **TITLE), "curve 'a' needs one entry"),
        (lambda: charts.lines([1, float("nan")], {"a": [1, 2]}, **TITLE), "NaN or infinite"),
        (lambda: charts.lines([0, 1], {"a": [1, 2]}, log_x=True, **TITLE), "log_x=False"),
        (lambda: charts.lines([1, 2], {"a": [-1, 2]}, log_y=True, **TITLE), "log_y=False"),
        (lambda: charts.lines([1, 2], {}, **TITLE), "at least one curve"),
        (lambda: charts.scatter([1, 2], [1], **TITLE), "y needs one entry"),
        (lambda: charts.scatter([1, 2], [1, 2], groups=["a"], **TITLE), "groups"),
        (lambda: charts.scatter([1], [float("inf")], **TITLE), "y has 1 value"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_a_sentence(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_input_is_left_unchanged_and_may_need_gradients():
    x = torch.linspace(0, 1, 5, requires_grad=True)
    before = x.detach().clone()
    charts.lines(x, {"half": x.to(torch.bfloat16)}, **TITLE)
    assert torch.equal(x, before)


def test_tick_labels_never_collide():
    for n, pixels in ((5, 100), (40, 250), (100, 60)):
        shown = marks.ticks([str(i) for i in range(n)], pixels)["tickvals"]
        assert len(shown) * 17 <= max(pixels, 17)


def test_a_figure_has_room_for_the_numbers_beside_it():
    narrow, wide = (charts.lines([0, 1], {"a": [0, top]}, **TITLE) for top in (1, 0.0015))
    assert wide.layout.margin.l >= narrow.layout.margin.l + 16


def test_log_ticks_lie_on_the_axis():
    for low, high in ((0.01, 1), (1, 3), (0.5, 4e5), (2.5, 4)):
        marks_at = marks.log_ticks(low, high)["tickvals"]
        assert all(low * 0.99 <= mark <= high * 1.01 for mark in marks_at)
        assert len(marks_at) >= 2 or high / low < 2
