"""`mi-tutor`: its commands, by who uses them."""

from __future__ import annotations

import typer

from mi_tutor.cli import for_authors, for_instructors, for_learners, of_specimens

app = typer.Typer(
    help="A course on mechanistic interpretability, with exercises that tell you what went wrong.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for audience in (for_learners, for_instructors, for_authors):
    app.add_typer(audience.commands)
app.add_typer(of_specimens.commands, name="specimens")
