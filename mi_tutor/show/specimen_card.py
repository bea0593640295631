"""The pictures of a specimen's card: each table that is one, as a heat map on a page of its own."""

from __future__ import annotations

import html
from pathlib import Path

from mi_tutor.show.charts import heatmap
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.specimens.cards import Card, Measure

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{name}: pictures</title>
<style>body {{ font-family: sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}</style></head>
<body>
<h1>{name}</h1>
<p>{summary}</p>
{figures}
</body>
</html>
"""


def card_figures(card: Card) -> dict[str, Figure]:
    """A heat map for each table with named rows and columns on a card, by the measure's name.

    >>> from mi_tutor.specimens import card
    >>> card_figures(card("primer"))
    {}
    """
    return {m.name: table_figure(m) for m in card.measures if m.rows and m.columns}


def table_figure(measure: Measure) -> Figure:
    """A card's table as a heat map. -1 stands for what was not measured."""
    values = [[float("nan") if each == -1 else each for each in row] for row in measure.value]
    return heatmap(
        values,
        title=measure.name.replace("_", " ").capitalize(),
        subtitle=measure.meaning,
        x=measure.columns,
        y=measure.rows,
        x_title=measure.columns_title,
        y_title=measure.rows_title,
        value_title="value",
    )


def write_pictures(card: Card, directory: Path) -> bool:
    """Write card.html with all figures of a card; False if it has none.

    The page loads plotly.js from its public address, so a reader without a network sees the descriptions only.
    """
    figures = card_figures(card)
    if not figures:
        return False
    parts = []
    for number, (name, figure) in enumerate(figures.items()):
        picture = figure.to_html(
            full_html=False, include_plotlyjs="cdn" if number == 0 else False, div_id=name
        )
        parts.append(f"{picture}\n<p>{html.escape(figure.alt)}</p>")
    page = PAGE.format(
        name=html.escape(card.name), summary=html.escape(card.summary), figures="\n".join(parts)
    )
    (directory / "card.html").write_text(page, encoding="utf-8")
    return True
