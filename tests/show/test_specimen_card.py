"""The pictures of a card: one heat map per named table, with its numbers, on a page that says what they show."""

import html
from dataclasses import replace

import numpy as np
import pytest

from mi_tutor.show.specimen_card import card_figures, table_figure, write_pictures
from mi_tutor.specimens import card
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.opening.shelf import shelf_names, specimen_path

TABLE = Measure(
    name="swap_matrix",
    meaning="swaps <by state>",
    value=[[0.25, -1], [1.0, 0.5]],
    tolerance=0.1,
    rows=("Ohio", "Iowa"),
    columns=("Ohio", "Iowa"),
    rows_title="from",
    columns_title="to",
)


def with_table():
    return replace(card("primer"), name="mine", measures=(*card("primer").measures, TABLE))


def test_only_tables_with_names_are_pictures():
    assert card_figures(card("primer")) == {}
    assert list(card_figures(with_table())) == ["swap_matrix"]


def test_a_picture_has_the_numbers_and_says_what_was_not_measured():
    figure = card_figures(with_table())["swap_matrix"]
    np.testing.assert_array_equal(figure.data_table()["value"], [0.25, np.nan, 1.0, 0.5])
    assert "from" in figure.alt and "to" in figure.alt


def test_a_latents_number_is_a_name_and_no_colour():
    table = replace(TABLE, columns=("F1", "latent"), value=[[0.25, 17], [1.0, 253]])
    figure = table_figure(table)
    assert "Ohio (latent 17)" in figure.alt and "columns F1" in figure.alt
    assert figure.data_table()["value"].max() == 1


def test_what_has_other_units_is_no_picture():
    table = replace(TABLE, columns=("l0", "fvu"), value=[[28.0, 0.02], [3.0, 0.01]])
    assert card_figures(replace(with_table(), measures=(table,))) == {}


@pytest.mark.parametrize("name", shelf_names())
def test_the_shelf_has_the_pictures_of_its_cards(name):
    page = specimen_path(name) / "card.html"
    figures = card_figures(card(name))
    assert page.exists() == bool(figures), "mi-tutor specimens draw"
    told = [f"<p>{html.escape(figure.alt)}</p>" for figure in figures.values()]
    assert not [each for each in told if each not in page.read_text("utf-8")], (
        "mi-tutor specimens draw"
    )


def test_the_page_describes_its_pictures(tmp_path):
    assert write_pictures(card("primer"), tmp_path) is False
    assert not (tmp_path / "card.html").exists()
    assert write_pictures(with_table(), tmp_path) is True
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert "<h1>mine</h1>" in page and "Heat map of value" in page
    assert page.count("plotly") > 0 and len(page) < 100_000
