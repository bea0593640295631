"""The figure that carries its words: where they go, and that nothing gets lost."""

import copy
import json
import pickle

import plotly.graph_objects as go
import plotly.io as pio
import pytest

from mi_tutor.show.drawing import figure as figure_module
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure, description_html, set_title

PLOTLY = "application/vnd.plotly.v1+json"


@pytest.fixture
def figure():
    made = Figure(
        go.Scatter(y=[1, 2]),
        {"template": theme.template()},
        alt="Rises from 1 to 2 <always>.",
        table={"x": [0, 1], "y": [1, 2]},
    )
    set_title(made, "Rise & fall", "a subtitle")
    return made


@pytest.fixture
def renderer(monkeypatch):
    def choose(name):
        before = pio.renderers.default
        pio.renderers.default = name
        monkeypatch.setattr(pio.renderers, "_to_activate", [])
        undo.append(before)

    undo = []
    yield choose
    pio.renderers.default = undo[0] if undo else pio.renderers.default


@pytest.fixture
def displayed(monkeypatch):
    """What the figure hands to IPython, without a notebook."""
    seen = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: seen.append(data))
    return seen


def test_words_are_the_text_of_the_output(figure, renderer):
    renderer("plotly_mimetype")
    bundle = figure._repr_mimebundle_()
    assert bundle["text/plain"] == "Rise & fall\n\nRises from 1 to 2 <always>."
    assert set(bundle) == {PLOTLY, "text/plain"}
    assert bundle[PLOTLY]["layout"]["meta"]["alt"] == figure.alt
    json.dumps(bundle)


def test_print_shows_the_words(figure):
    assert str(figure) == repr(figure) == "Rise & fall\n\nRises from 1 to 2 <always>."


def test_display_adds_a_description_below(figure, renderer, displayed):
    renderer("plotly_mimetype")
    figure._ipython_display_()
    drawn, below = displayed
    assert PLOTLY in drawn
    assert below["text/html"] == description_html(figure)


def test_the_description_is_escaped_and_opens_with_the_keyboard(figure):
    page = description_html(figure)
    assert "<details" in page and "<summary>" in page  # both native, both reached with Tab
    assert "Rise &amp; fall" in page and "&lt;always&gt;" in page


def test_an_explicit_renderer_is_respected(figure, renderer, displayed):
    renderer("json")
    figure._ipython_display_()
    assert set(displayed[0]) == {"application/json", "text/plain"}


def test_colab_gets_its_html(figure, renderer, displayed):
    renderer("colab")
    figure._ipython_display_()
    assert "plotly" in displayed[0]["text/html"] and "<details" in displayed[1]["text/html"]


def test_without_a_renderer_the_words_are_shown(figure, renderer, displayed):
    renderer(None)
    figure._ipython_display_()
    assert displayed == [{"text/plain": str(figure)}]


def test_a_renderer_outside_the_notebook_draws_once(figure, renderer, displayed, monkeypatch):
    renderer("browser")
    opened = []
    monkeypatch.setattr(go.Figure, "show", lambda self: opened.append(self))
    figure._ipython_display_()
    assert opened == [figure] and displayed == [{"text/plain": str(figure)}]


def test_output_is_the_same_each_time(figure, renderer):
    renderer("plotly_mimetype")
    assert figure._repr_mimebundle_() == figure._repr_mimebundle_()


def test_words_and_data_survive_copies_and_changes(figure):
    for twin in (copy.deepcopy(figure), pickle.loads(pickle.dumps(figure))):
        assert twin.alt == figure.alt and twin.to_dict() == figure.to_dict()
        assert twin.data_table()["y"].tolist() == [1, 2]
    assert figure.update_layout(height=300) is figure and figure.alt
    assert Figure(pio.from_json(figure.to_json())).alt == figure.alt


def test_a_figure_without_words_is_still_a_figure():
    assert Figure().alt == "" and str(Figure()) == "" and Figure().data_table() == {}


def test_table_cannot_be_changed_from_outside(figure):
    figure.data_table()["y"] = None
    assert figure.data_table()["y"].tolist() == [1, 2]


def test_long_titles_break_into_lines_that_fit(figure):
    one = set_title(figure, "short")
    many = set_title(figure, "word " * 60)
    assert many > one and figure.layout.title.text.count("<br>") >= 3
    assert figure.heading == ("word " * 60).strip()


def test_show_in_a_notebook_adds_the_description(figure, monkeypatch, displayed, renderer):
    renderer("plotly_mimetype")
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    figure.show()
    assert len(displayed) == 2


def test_module_says_what_is_missing(monkeypatch):
    with pytest.raises(figure_module.require("mi_tutor.show.drawing.require").MissingPackage):
        figure_module.require("not_there_at_all")
