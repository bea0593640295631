"""`mi-tutor grade`: mark what a whole class handed in."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mi_tutor.cli.chapters import chapters_folder, find_chapter
from mi_tutor.cli.rules import draws_of, nobody_else, options_of, read_secret, settle
from mi_tutor.cli.say import Trouble, complain, say, sign

FLAG = "--trust-submissions"


def run(
    places: list[Path],
    out: Path,
    *,
    jobs: int,
    resume: bool,
    change: bool,
    trust: bool,
    dask: str | None = None,
    **given: Any,
) -> int:
    """Returns the exit code: 0 if every file could be read, else 1."""
    from mi_tutor.classroom import started, temporary
    from mi_tutor.classroom.ledger import RESULTS

    for place in places:
        if not place.exists():
            raise Trouble(f"There is no {place}.")
    if out.exists() and not out.is_dir():
        raise Trouble(f"{out} is a file: --out names the folder for the results.")
    if (out / RESULTS).exists() and not resume:
        raise Trouble(
            f"{out} has results already. --resume goes on from them, and grades only what is new or changed; "
            "for a fresh start give another folder."
        )
    rules, secret = settle(out, given, resume, change)
    jobs = jobs or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else jobs or 1
    draws = draws_of(out, given, rules)
    options = options_of(rules, secret, draws)._replace(jobs=jobs, jail=not trust)
    with nobody_else(out):
        if options.jail:
            _probe()
        started.keep(out, options=rules)
        if resume and (told := started.told(rules)):
            say(f"Graded as this folder was started: {told}", "faint")
        from mi_tutor.classroom.whole_class import NothingHandedIn, grade_class

        try:
            with _bar() as tell:
                rows = grade_class(places, out, chapters_folder(), options, tell, _make(dask))
        except NothingHandedIn as error:
            raise Trouble(f"{error} Expected notebooks, or zips of them.") from None
        except KeyboardInterrupt:
            temporary.tidy()
            complain(f"Interrupted. What is graded stays in {out}; --resume goes on from it.")
            return 130
    _report(rows, out)
    return 1 if any(row.graded.problem for row in rows) else 0


def export(
    target: str, chapter: str, out: Path | None, trust: bool, draws: Path | None = None
) -> None:
    """Write an autograder, and say what to do with it."""
    if target.lower() != "gradescope":
        raise Trouble(f"There is no export for {target!r}. There is: gradescope")
    from mi_tutor.classroom.gradescope import export as write

    notebook = find_chapter(chapter)
    out = out or Path(f"gradescope-{notebook.stem}.zip")
    write(notebook, out, trust, read_secret(draws) if draws else None)
    say(f"{out} ({out.stat().st_size / 1e6:.0f} MB): upload it as the autograder.", "good")
    what = "hidden inputs and draws" if draws else "hidden inputs"
    say(f"It has a secret: whoever has the zip can work out the {what}.")


def _make(dask: str | None) -> Callable[[], Any] | None:
    """What makes the executor: None for processes of this machine."""
    if dask is None:
        return None
    from mi_tutor.classroom.cluster import Cluster, NoCluster

    def make() -> Cluster:
        try:
            return Cluster(dask)
        except NoCluster as error:
            raise Trouble(str(error)) from None

    return make


def _probe() -> None:
    """Try the jail's walls, and say how they held. Without a jail that holds nothing is graded."""
    from mi_tutor.classroom import temporary
    from mi_tutor.classroom.jail.entering import can_hold
    from mi_tutor.classroom.workers import NoJail, Nursery

    advice = (
        "Submissions are programs, and here they could read and change whatever you can. If you trust all of "
        f"them, {FLAG} runs them without a jail; a Linux machine (5.13 or newer) has one."
    )
    if not can_hold():
        raise Trouble(f"This machine has no jail for submissions. {advice}")

    def tell(what: str, holds: bool) -> None:
        said = "refused" if holds else "NOT REFUSED"
        say(f"{sign('good' if holds else 'bad')} {what}: {said}", indent=2)

    with temporary.folder("probe") as folder:
        nursery = Nursery.start(folder)
        around = ", in bubblewrap's ring" if nursery.ringed else ""
        say(f"The jail{around}, tried from inside:", "strong")
        try:
            nursery.try_jail(tell)
        except NoJail as error:
            raise Trouble(f"{error} {advice}") from None
        finally:
            nursery.close()
    if not nursery.ringed:
        say("Bubblewrap, a further ring, is not installed or may not be used here.", "faint")


@contextmanager
def _bar() -> Any:
    """What tells of progress: a bar with the time that is left on a terminal, a line in ten elsewhere."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("grading", total=None)
        yield lambda told: bar.update(task, completed=told.done, total=told.of)


def _lines() -> Callable[[Any], None]:
    def tell(told: Any) -> None:
        step = max(1, told.of // 10)
        if told.graded is None or told.done % step == 0 or told.done == told.of:
            complain(f"{told.done} of {told.of} graded")

    return tell


def _report(rows: list[Any], out: Path) -> None:
    from mi_tutor.classroom import by_hand

    problems = [row for row in rows if row.graded.problem]
    say()
    say(f"{len(rows)} submissions graded, {len(problems)} of them could not be read.", "strong")
    for row in problems[:20]:
        say(f"{row.name}: {row.graded.problem}", indent=2)
    flags = Counter(row.name for row in rows for mark in row.graded.marks if mark.flags)
    if flags:
        say(
            f"{len(flags)} learners have answers that a person should look at: summary.html lists them."
        )
    for told in by_hand.misfits(by_hand.read(out), rows):
        complain(told)
    say(f"Look first at {out / 'summary.html'}; gradebook*.csv go to Canvas, Moodle and nbgrader.")
