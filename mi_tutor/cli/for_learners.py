"""Commands for whoever takes the course: arguments and help. Each imports its work when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]


@commands.command()
def learn(
    chapter: Annotated[
        str | None, typer.Argument(help="A number or a name: 01, superposition.")
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, open nothing.")
    ] = False,
) -> None:
    """Open a chapter in JupyterLab.

    Without a name it is the first one. The setup is looked at before, quickly.
    """
    from mi_tutor.cli.learn import run

    raise typer.Exit(run(chapter, no_browser))


Folder = Annotated[
    Path | None, typer.Option("--folder", help="The workspace (default: this one, or the last).")
]


@commands.command()
def start(folder: Annotated[Path, typer.Argument(help="A folder of your own.")]) -> None:
    """Make a folder with the course to work in.

    Notebooks, progress and settings are all in it. What is there already is kept.
    """
    from mi_tutor.cli.workspace import start

    start(folder)


@commands.command()
def update(folder: Folder = None) -> None:
    """Bring newer chapters into your folder.

    Your answers and your own cells stay. After an upgrade: pip install --upgrade mi_tutor
    """
    from mi_tutor.cli.workspace import update

    update(folder)


@commands.command()
def undo(folder: Folder = None) -> None:
    """Take back the last update or reset."""
    from mi_tutor.cli.workspace import undo

    undo(folder)


@commands.command()
def reset(
    slug: Annotated[str, typer.Argument(help="An exercise or a quick check: toy-forward.")],
    folder: Folder = None,
) -> None:
    """Give one exercise its empty cell back.

    Your old answer is kept below it.
    """
    from mi_tutor.cli.workspace import reset

    reset(slug, folder)


@commands.command()
def doctor(json: Json = False) -> None:
    """Examine this computer's setup.

    Each finding says what to do. Exit code 1 means that there is a problem.
    """
    from mi_tutor.cli.doctor import run

    raise typer.Exit(run(json))


@commands.command()
def progress(
    chapter: Annotated[str | None, typer.Argument(help='One chapter only, such as "01".')] = None,
    json: Json = False,
) -> None:
    """Show what is passed and what is next."""
    from mi_tutor.cli.listing import show_progress

    show_progress(chapter, json)


@commands.command()
def review() -> None:
    """Ask quick checks that come back today.

    What you answered right comes back after days, in other words.
    """
    from mi_tutor.cli.reviewing import review

    review()


@commands.command()
def report(
    file: Annotated[
        Path, typer.Argument(help="What to write: a name that ends in .html or .md.")
    ] = Path("mi-tutor-report.html"),
    name: Annotated[str, typer.Option(help="Your name, if it should stand there.")] = "",
) -> None:
    """Write one page with your progress, to hand in.

    It is made from what is on this computer, and sent nowhere.
    """
    from mi_tutor.cli.reviewing import report

    report(file, name)


@commands.command()
def check(
    notebook: Annotated[
        str, typer.Argument(help="Your notebook, or the number or name of a chapter.")
    ],
    timeout: Annotated[float, typer.Option(min=1, help="Seconds a cell may take.")] = 120.0,
    json: Json = False,
) -> None:
    """Run and mark your own notebook.

    Every cell runs once, from top to bottom, in a fresh process; the report goes exercise by exercise.
    The notebook itself is only read. Exit code 0 means that every exercise and quick check is passed.
    """
    from mi_tutor.cli.check import run

    raise typer.Exit(run(notebook, timeout, json))


@commands.command()
def exercises(
    chapter: Annotated[str | None, typer.Argument(help='One chapter only, such as "01".')] = None,
    mistakes: Annotated[
        bool, typer.Option("--mistakes", help="Print each known mistake's sentence.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
) -> None:
    """List the exercises.

    With how many mistakes each recognises, and how many styles it accepts.
    """
    from mi_tutor.cli.listing import show_exercises

    show_exercises(chapter, mistakes, markdown)
