"""What every figure owes its reader: a title, named axes, words, a size that fits, the same bytes."""

import json
import re

import numpy as np
import pytest

from mi_tutor.show.drawing import theme


def axes(figure):
    return [*figure.select_xaxes(), *figure.select_yaxes()]


def test_title_axes_and_words(figure):
    assert figure.heading and "<" not in figure.heading
    titles = [axis.title.text for axis in axes(figure) if axis.title.text]
    assert len(titles) >= 2
    assert len(figure.alt) > 40
    assert re.search(r"\d", figure.alt), "the description should hold the main numbers"
    assert "nan" not in figure.alt and "None" not in figure.alt


def test_every_outer_axis_is_named(figure):
    """A panel may leave its ticks and its name to a neighbour, but never ticks without a name.

    What its heading says need not stand beside its y axis once more.
    """
    said = str(figure.layout.annotations)
    headed = "features per neuron" in said
    for axis in axes(figure):
        if axis.showticklabels is not False:
            assert axis.title.text or (headed and axis.plotly_name.startswith("yaxis"))


def test_size_is_fixed_and_fits_a_laptop(figure):
    assert figure.layout.autosize is None and figure.layout.template.layout.autosize is False
    assert 300 <= figure.layout.width <= 810
    assert 150 <= figure.layout.height <= 800
    margin = figure.layout.margin
    assert figure.layout.width - margin.l - margin.r >= 140
    assert figure.layout.height - margin.t - margin.b >= 60


def test_no_small_type(figure):
    sizes = [int(s) for s in re.findall(r'"size": (\d+)', json.dumps(_fonts(figure.to_dict())))]
    assert min(sizes) >= 11


def test_what_stands_in_a_coloured_cell_can_be_read(figure):
    """At least 4.5:1, as WCAG 2 asks for text of this size."""
    axis = figure.layout.coloraxis
    for trace in figure.select_traces({"type": "heatmap"}):
        if trace.texttemplate is None:
            continue
        scale = tuple(color for _, color in axis.colorscale)
        at = (np.array(trace.z, dtype=float) - axis.cmin) / (axis.cmax - axis.cmin)
        for word, place in zip(np.ravel(trace.text), at.ravel(), strict=True):
            if word:
                ink = re.search(r"color:(#\w{6})", word)[1]
                paper = theme.PAPER if np.isnan(place) else theme.color_at(scale, place)
                darker, lighter = sorted(map(theme.luminance, (ink, paper)))
                assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_series_differ_by_more_than_colour(figure):
    """Two curves of one panel never have both the same dash and the same marker (up to six)."""
    seen = set()
    curves = [t for t in figure.data if t.type == "scatter" and "lines" in (t.mode or "")]
    for trace in curves:
        if trace.showlegend is not False and trace.x[0] is not None:
            style = (trace.xaxis, trace.line.dash, trace.marker.symbol)
            style += (trace.line.color,) if len(curves) > 6 else ()
            assert style not in seen
            seen.add(style)


def test_table_has_columns_of_one_length(figure):
    columns = figure.data_table()
    assert len(columns) >= 2
    assert len({len(column) for column in columns.values()}) == 1


@pytest.mark.slow
def test_output_is_deterministic(makers, figures):
    for name, make in makers.items():
        again = make()
        assert again.to_json() == figures[name].to_json()
        assert again.alt == figures[name].alt


def test_stored_data_are_plain_lists(figure):
    """No base64: older viewers cannot draw it and nobody can read it."""
    assert "bdata" not in figure.to_json()


def _fonts(node):
    if isinstance(node, dict):
        own = [v for k, v in node.items() if k.endswith("font")]
        return own + [_fonts(v) for v in node.values()]
    return [_fonts(v) for v in node] if isinstance(node, list | tuple) else []
