"""A card on disk: card.json for programs, card.md for people."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path

from mi_tutor.specimens.cards.measure import Measure
from mi_tutor.specimens.cards.reading import Card

LARGEST_COLUMNS = 12  # a table with more is shown as a picture only


def write_card(known: Card, directory: Path) -> None:
    """Write card.json and card.md into a specimen's directory."""
    measures = [
        {f.name: value for f in fields(m) if (value := getattr(m, f.name)) != f.default}
        for m in known.measures
    ]
    text = json.dumps(asdict(known) | {"measures": measures}, indent=2, ensure_ascii=False)
    (directory / "card.json").write_text(text + "\n", encoding="utf-8")
    (directory / "card.md").write_text(as_markdown(known), encoding="utf-8")


def as_markdown(known: Card) -> str:
    """The card as a page to read."""
    numbers = [m for m in known.measures if not isinstance(m.value, list)]
    tables = [m for m in known.measures if isinstance(m.value, list)]
    large = [m for m in tables if len(m.value[0]) > LARGEST_COLUMNS]
    recipe = ", ".join(f"{key} {value}" for key, value in known.recipe.items())
    versions = ", ".join(f"{package} {version}" for package, version in known.trained_with.items())
    lines = [
        f"# {known.name}",
        "",
        known.summary,
        "",
        f"**Intended use.** {known.intended_use}",
        "",
        f"**Data.** {known.data}",
        "",
        f"**Recipe.** {known.n_parameters:,} parameters; {recipe}; seed {known.seed}; {versions}. "
        f"Made by `{known.command}`.",
        "",
        "## Measured",
        "",
        f"Measured again by `mi-tutor specimens verify {known.name}`.",
        "",
        "| | value | goal |",
        "|---|---|---|",
        *(f"| {m.meaning} (`{m.name}`) | {m.value:.4g} | {goal_cell(m)} |" for m in numbers),
        "",
        *(line for measure in tables if measure not in large for line in table_lines(measure)),
        *(f"{m.meaning} (`{m.name}`): too large for this page, see card.html.\n" for m in large),
        "## Known limits",
        "",
        *(f"- {limit}" for limit in known.limits),
    ]
    return "\n".join(lines) + "\n"


def goal_cell(measure: Measure) -> str:
    """The goal, and whether it was missed."""
    return measure.goal() + ("" if measure.meets_goal() else ": **missed**")


def table_lines(measure: Measure) -> list[str]:
    """A table in markdown."""
    rows = measure.rows or [f"layer {layer}" for layer in range(len(measure.value))]
    columns = measure.columns or [f"head {head}" for head in range(len(measure.value[0]))]
    sign = "" if measure.columns else "+"
    return [
        f"{measure.meaning} (`{measure.name}`):",
        "",
        "| | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 1) + "|",
        *(
            f"| {name} | " + " | ".join(table_cell(value, sign) for value in row) + " |"
            for name, row in zip(rows, measure.value, strict=True)
        ),
        "",
    ]


def table_cell(value: float, sign: str) -> str:
    """A number in a table: whole ones (a latent's number) as they are, others with two decimals."""
    return str(value) if type(value) is int else f"{value:{sign}.2f}"
