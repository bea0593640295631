"""The pictures of a specimen's card: each table that is one, as a heat map on a page of its own."""

from __future__ import annotations

import html
from pathlib import Path

import numpy as np

from mi_tutor.show.charts import heatmap
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.specimens.cards import Card, Measure

LATENT = "latent"
APART = 10.0  # columns whose largest values are further apart have other units

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
    tables = (m for m in card.measures if m.rows and m.columns)
    return {m.name: table_figure(m) for m in tables if _on_one_scale(m)}


def table_figure(measure: Measure) -> Figure:
    """A card's table as a heat map. -1 stands for what was not measured.

    A latent's number is no quantity: it stands beside the row's name.
    """
    table = np.array(measure.value, dtype=float)
    table[table == -1] = np.nan
    rows, columns = list(measure.rows), list(measure.columns)
    if LATENT in columns:
        at = columns.index(LATENT)
        rows = [f"{name} ({LATENT} {int(row[at])})" for name, row in zip(rows, table, strict=True)]
        table = np.delete(table, at, axis=1)
        columns.pop(at)
    return heatmap(
        table,
        title=measure.name.replace("_", " ").capitalize(),
        subtitle=measure.meaning,
        x=columns,
        y=rows,
        x_title=measure.columns_title or "measured",
        y_title=measure.rows_title,
        value_title="value",
    )


def _on_one_scale(measure: Measure) -> bool:
    """Whether one scale of colours can show all columns: beside L0 a share of variance would be invisible."""
    largest = np.abs(np.array(measure.value, dtype=float)).max(axis=0)
    seen = [each for each, name in zip(largest, measure.columns, strict=True) if name != LATENT]
    return max(seen) <= 1 or min(seen) > 1 or max(seen) <= APART * min(seen)


def write_pictures(card: Card, directory: Path) -> bool:
    """Write card.html with all figures of a card; False, and no page, if it has none.

    The page loads plotly.js from its public address, so a reader without a network sees the descriptions only.
    """
    figures, file = card_figures(card), directory / "card.html"
    if not figures:
        file.unlink(missing_ok=True)
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
    file.write_text(page, encoding="utf-8")
    return True
