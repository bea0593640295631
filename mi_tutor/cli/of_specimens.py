"""`mi-tutor specimens ...`: arguments and help. Each imports its work when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer(
    help="The trained models that ship with the course.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@commands.command("list")
def list_specimens() -> None:
    """List the specimens."""
    from mi_tutor.cli.specimens import list_all

    raise typer.Exit(list_all())


@commands.command("sealed")
def list_sealed(
    names: Annotated[list[str] | None, typer.Argument(help="Some of them (default: all).")] = None,
    truth: Annotated[
        list[Path] | None,
        typer.Option(help="Truths as `mi-tutor seal` writes them (default: of our own reports)."),
    ] = None,
) -> None:
    """Measure the sealed specimens of chapter 10 whose truth is known, from all sides."""
    from mi_tutor.cli.sealed import show

    show(truth or [], names or [])


@commands.command("train")
def train_specimen(
    name: Annotated[str, typer.Argument(help="A specimen: primer, atlas ...")],
    out: Annotated[
        Path | None, typer.Option(help="The directory to write (default: the shipped one).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed makes another model; see --out.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Train a specimen from nothing.

    A training that was stopped goes on where it was. Exit code 1 means that a goal was missed.
    """
    from mi_tutor.cli.specimens import train

    raise typer.Exit(train(name, out, seed, quiet))


@commands.command("verify")
def verify_specimens(
    names: Annotated[list[str] | None, typer.Argument(help="Specimens (default: all).")] = None,
) -> None:
    """Measure every number of the cards again.

    Exit code 0 means that all of them hold.
    """
    from mi_tutor.cli.specimens import verify_all

    raise typer.Exit(verify_all(names or []))


@commands.command("draw")
def draw_cards() -> None:
    """For authors: draw the pictures of all cards again, from the numbers on them."""
    from mi_tutor.cli.specimens import draw_all

    draw_all()
