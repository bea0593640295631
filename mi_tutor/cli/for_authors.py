"""Commands for whoever writes the course: arguments and help. Each imports its work when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer()


@commands.command()
def build(
    chapters: Annotated[
        list[str] | None, typer.Argument(help="Chapters to execute: 01 (default: all).")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing: say what is stale or wrong.")
    ] = False,
    execute: Annotated[
        bool, typer.Option("--execute", help="Run the sources into solutions/.")
    ] = False,
    measure: Annotated[
        bool, typer.Option("--measure", help="Write time and memory into the README.")
    ] = False,
    pictures: Annotated[
        bool,
        typer.Option("--pictures", help="Draw the figures of executed solutions that lack it."),
    ] = False,
) -> None:
    """For authors: make the notebooks.

    From solutions/NN_slug.py to chapters/NN_slug.ipynb and the executed solutions/NN_slug.ipynb.
    """
    from mi_tutor.cli.build import run

    raise typer.Exit(run(chapters or [], check, execute, measure, pictures))


@commands.command()
def site(
    out: Annotated[Path | None, typer.Option(help="The folder to write (default: site/).")] = None,
) -> None:
    """For authors: make a web page of the course."""
    from mi_tutor.cli.site import run

    run(out)


@commands.command()
def records(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="chapters, cards, exercises, investigations, or one run (default: all)."
        ),
    ] = None,
    make: Annotated[
        bool, typer.Option("--make", help="Run what has changed, and record what passes.")
    ] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Run also what has not changed.")] = False,
) -> None:
    """For authors: what has passed, and what has changed since.

    The tests run a chapter, a card or an investigation again only if something that it stood on has changed.
    """
    from mi_tutor.cli.records import show

    raise typer.Exit(show(names or [], make or anew, anew))
