"""Commands for whoever teaches: arguments and help. Each imports its work when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer()
Draws = Annotated[
    Path | None,
    typer.Option(
        envvar="MI_TUTOR_DRAWS",
        help="A file with a secret: investigations are marked on draws that only it tells.",
    ),
]


@commands.command()
def grade(
    submissions: Annotated[list[Path], typer.Argument(help="Folders, zips or notebooks.")],
    out: Annotated[Path, typer.Option(help="The folder for the results.")],
    jobs: Annotated[int, typer.Option(min=0, help="Graders at once (0: one per core).")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the results there.")] = False,
    secret: Annotated[
        Path | None, typer.Option(help="A file: the same secret gives the same marks.")
    ] = None,
    draws: Draws = None,
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
            draws=draws,
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


@commands.command()
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


@commands.command()
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


@commands.command()
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
        bool,
        typer.Option(
            help="So that the chapter's check can mark reports on it, as on those that ship."
        ),
    ] = False,
    spread: Annotated[
        bool, typer.Option(help="Every weight of two layers moved: their difference tells little.")
    ] = False,
    given: Annotated[
        bool, typer.Option(help="Draw nothing: the secrets stand in the file of truths.")
    ] = False,
    mark: Annotated[
        Path | None, typer.Option(help="Seal nothing: mark LEARNER.json of this folder.")
    ] = None,
    draws: Draws = None,
) -> None:
    """For instructors: a model with a secret for each learner, to be audited (chapter 10).

    Takes a minute each. Mark what they hand in with --mark and the same --out and --truth.
    """
    from mi_tutor.cli import seal
    from mi_tutor.cli.say import Trouble

    if mark is not None:
        seal.mark(mark, out, truth, draws)
    elif learners is None or secret is None:
        raise Trouble("Sealing needs --learners and --secret; marking needs --mark.")
    else:
        from mi_tutor.specimens.auditing.classes import Wanted

        wanted = Wanted(family, level, rounds, practice=practice, spread=spread)
        seal.write(learners, secret, out, truth, wanted, given)


@commands.command()
def export(
    target: Annotated[str, typer.Argument(help="Where the course lives: gradescope.")],
    chapter: Annotated[str, typer.Argument(help="A number or a name: 01, superposition.")],
    out: Annotated[Path | None, typer.Option(help="The zip (default: named like both).")] = None,
    trust: Annotated[
        bool, typer.Option("--trust-submissions", help="Run them without a jail.")
    ] = False,
    draws: Draws = None,
) -> None:
    """For instructors: an autograder to upload.

    The zip has the chapter, the package and a secret, so keep it to yourself. It has no solutions.
    """
    from mi_tutor.cli.grade import export

    export(target, chapter, out, trust, draws)
