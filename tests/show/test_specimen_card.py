"""The pictures of a card: one heat map per named table, with its numbers, on a page that says what they show."""

from dataclasses import replace

import numpy as np

from mi_tutor.show.specimen_card import card_figures, write_pictures
from mi_tutor.specimens import card
from mi_tutor.specimens.cards import Measure

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


def test_the_page_describes_its_pictures(tmp_path):
    assert write_pictures(card("primer"), tmp_path) is False
    assert not (tmp_path / "card.html").exists()
    assert write_pictures(with_table(), tmp_path) is True
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert "<h1>mine</h1>" in page and "Heat map of value" in page
    assert page.count("plotly") > 0 and len(page) < 100_000
