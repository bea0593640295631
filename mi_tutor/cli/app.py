"""The commands of `mi-tutor`, their arguments and their help. Each imports its work when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="A course on mechanistic interpretability, with exercises that tell you what went wrong.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]


@app.command()
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


@app.command()
def start(folder: Annotated[Path, typer.Argument(help="A folder of your own.")]) -> None:
    """Make a folder with the course to work in.

    Notebooks, progress and settings are all in it. What is there already is kept.
    """
    from mi_tutor.cli.workspace import start

    start(folder)


@app.command()
def update(folder: Folder = None) -> None:
    """Bring newer chapters into your folder.

    Your answers and your own cells stay. After an upgrade: pip install --upgrade mi_tutor
    """
    from mi_tutor.cli.workspace import update

    update(folder)


@app.command()
def undo(folder: Folder = None) -> None:
    """Take back the last update or reset."""
    from mi_tutor.cli.workspace import undo

    undo(folder)


@app.command()
def reset(
    slug: Annotated[str, typer.Argument(help="An exercise or a quick check: toy-forward.")],
    folder: Folder = None,
) -> None:
    """Give one exercise its empty cell back.

    Your old answer is kept below it.
    """
    from mi_tutor.cli.workspace import reset

    reset(slug, folder)


@app.command()
def doctor(json: Json = False) -> None:
    """Examine this computer's setup.

    Each finding says what to do. Exit code 1 means that there is a problem.
    """
    from mi_tutor.cli.doctor import run

    raise typer.Exit(run(json))


@app.command()
def progress(
    chapter: Annotated[str | None, typer.Argument(help='One chapter only, such as "01".')] = None,
    json: Json = False,
) -> None:
    """Show what is passed and what is next."""
    from mi_tutor.cli.listing import show_progress

    show_progress(chapter, json)


@app.command()
def review() -> None:
    """Ask quick checks that come back today.

    What you answered right comes back after days, in other words.
    """
    from mi_tutor.cli.reviewing import review

    review()


@app.command()
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


@app.command()
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


@app.command()
def grade(
    submissions: Annotated[list[Path], typer.Argument(help="Folders, zips or notebooks.")],
    out: Annotated[Path, typer.Option(help="The folder for the results.")],
    jobs: Annotated[int, typer.Option(min=0, help="Graders at once (0: one per core).")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the results there.")] = False,
    secret: Annotated[
        Path | None, typer.Option(help="A file: the same secret gives the same marks.")
    ] = None,
    partial: Annotated[
        bool | None,
        typer.Option("--partial/--no-partial", help="Points for the cases that are right."),
    ] = None,
    cell_seconds: Annotated[
        float | None,
        typer.Option(min=1, help="The processor's seconds for one cell of a submission (120)."),
    ] = None,
    memory: Annotated[
        float | None, typer.Option(min=0.25, help="GB that a submission may use (3).")
    ] = None,
    exam: Annotated[
        bool | None,
        typer.Option("--exam/--no-exam", help="Each has the version that `mi-tutor exam` gave."),
    ] = None,
    due: Annotated[str | None, typer.Option(help="When it was due: 2026-03-01T18:00.")] = None,
    late_per_day: Annotated[
        float | None,
        typer.Option(min=0, max=100, help="Percent of the points that a late day costs (10)."),
    ] = None,
    anonymous: Annotated[
        bool | None,
        typer.Option("--anonymous/--named", help="Numbers in place of names in what is written."),
    ] = None,
    change: Annotated[
        bool, typer.Option("--change", help="With --resume: other rules than it was started with.")
    ] = False,
    trust: Annotated[
        bool, typer.Option("--trust-submissions", help="Run them without a jail.")
    ] = False,
    dask: Annotated[
        str | None, typer.Option(help="On a Dask cluster: its scheduler, tcp://host:8786.")
    ] = None,
) -> None:
    """For instructors: mark what a whole class handed in.

    Every answer runs in a jail and is judged out of its reach, on inputs that the notebook does not show.
    --resume keeps to the options that the results were started with. Exit code 0: every file could be read.
    """
    from mi_tutor.cli.grade import run

    raise typer.Exit(
        run(
            submissions,
            out,
            jobs=jobs,
            resume=resume,
            secret=secret,
            partial=partial,
            cell_seconds=cell_seconds,
            memory=memory,
            exam=exam,
            due=due,
            late_per_day=late_per_day,
            anonymous=anonymous,
            change=change,
            trust=trust,
            dask=dask,
        )
    )


@app.command()
def mark(
    results: Annotated[Path, typer.Argument(help="The folder that `mi-tutor grade` wrote.")],
    learner: Annotated[str | None, typer.Argument(help="As in gradebook.csv.")] = None,
    slug: Annotated[str | None, typer.Argument(help="The exercise: toy-forward.")] = None,
    points: Annotated[float | None, typer.Argument(help="What it shall have.")] = None,
    reason: Annotated[str | None, typer.Option(help="Told to the learner.")] = None,
    secret: Annotated[
        Path | None,
        typer.Option(help="Where the file of `grade --secret` is now, if it was moved."),
    ] = None,
) -> None:
    """For instructors: change one mark by hand.

    It goes into overrides.csv, stays when submissions are graded again, and is shown as changed by hand. To take
    one back delete its line there; without a learner only gradebooks and pages are written again.
    """
    from mi_tutor.cli.mark import run

    raise typer.Exit(run(results, learner, slug, points, reason, secret))


@app.command()
def exam(
    chapter: Annotated[str, typer.Argument(help="A number or a name: 02, autoencoders.")],
    learners: Annotated[Path, typer.Argument(help="A file with a learner in each line.")],
    secret: Annotated[Path, typer.Option(help="The file that `grade --secret` will get.")],
    out: Annotated[Path, typer.Option(help="The folder for the notebooks.")] = Path("exam"),
) -> None:
    """For instructors: a notebook for each learner, with versions of their own of value exercises.

    Grade them with `mi-tutor grade --exam` and the same secret. Learners keep the files' names.
    """
    from mi_tutor.cli.exam import write

    write(chapter, learners, secret, out)


@app.command()
def seal(
    learners: Annotated[
        Path | None, typer.Option(help="A file with a learner in each line.")
    ] = None,
    secret: Annotated[
        Path | None, typer.Option(help="A file: the same secret gives the same specimens.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder for the specimens.")] = Path("sealed"),
    truth: Annotated[
        Path, typer.Option(help="The file for the truths: keep it to yourself.")
    ] = Path("truths.json"),
    family: Annotated[
        str | None, typer.Option(help="One family for all (default: by lot).")
    ] = None,
    level: Annotated[str | None, typer.Option(help="By lot among: warm-up, good or hard.")] = None,
    rounds: Annotated[
        int, typer.Option(min=1, help="How often planting may go on where goals are not met.")
    ] = 2,
    practice: Annotated[
        bool, typer.Option(help="With a seal that a right report opens, as those that ship.")
    ] = False,
    mark: Annotated[
        Path | None, typer.Option(help="Seal nothing: mark LEARNER.json of this folder.")
    ] = None,
) -> None:
    """For instructors: a model with a secret for each learner, to be audited (chapter 10).

    Takes a minute each. Mark what they hand in with --mark and the same --out and --truth.
    """
    from mi_tutor.cli import seal
    from mi_tutor.cli.say import Trouble

    if mark is not None:
        seal.mark(mark, out, truth)
    elif learners is None or secret is None:
        raise Trouble("Sealing needs --learners and --secret; marking needs --mark.")
    else:
        from mi_tutor.specimens.auditing.classes import Wanted

        wanted = Wanted(family, level, rounds, practice)
        seal.write(learners, secret, out, truth, wanted)


@app.command()
def export(
    target: Annotated[str, typer.Argument(help="Where the course lives: gradescope.")],
    chapter: Annotated[str, typer.Argument(help="A number or a name: 01, superposition.")],
    out: Annotated[Path | None, typer.Option(help="The zip (default: named like both).")] = None,
    trust: Annotated[
        bool, typer.Option("--trust-submissions", help="Run them without a jail.")
    ] = False,
) -> None:
    """For instructors: an autograder to upload.

    The zip has the chapter, the package and a secret, so keep it to yourself. It has no solutions.
    """
    from mi_tutor.cli.grade import export

    export(target, chapter, out, trust)


@app.command()
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


@app.command()
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


@app.command()
def site(
    out: Annotated[Path | None, typer.Option(help="The folder to write (default: site/).")] = None,
) -> None:
    """For authors: make a web page of the course."""
    from mi_tutor.cli.site import run

    run(out)


@app.command()
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


specimens = typer.Typer(
    help="The trained models that ship with the course.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(specimens, name="specimens")


@specimens.command("list")
def list_specimens() -> None:
    """List the specimens."""
    from mi_tutor.cli.specimens import list_all

    raise typer.Exit(list_all())


@specimens.command("sealed")
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


@specimens.command("train")
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


@specimens.command("verify")
def verify_specimens(
    names: Annotated[list[str] | None, typer.Argument(help="Specimens (default: all).")] = None,
) -> None:
    """Measure every number of the cards again.

    Exit code 0 means that all of them hold.
    """
    from mi_tutor.cli.specimens import verify_all

    raise typer.Exit(verify_all(names or []))
