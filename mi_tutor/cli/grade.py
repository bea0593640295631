"""`mi-tutor grade`: mark what a whole class handed in."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from mi_tutor.cli.chapters import chapters_folder, find_chapter
from mi_tutor.cli.say import Trouble, complain, say, sign

FLAG = "--trust-submissions"


def run(places: list[Path], out: Path, dask: str | None = None, **chosen: Any) -> int:
    """Returns the exit code: 0 if every file could be read, else 1."""
    from mi_tutor.classroom.whole_class import LEDGER, grade_class

    for place in places:
        if not place.exists():
            raise Trouble(f"There is no {place}.")
    if (out / LEDGER).exists() and not chosen["resume"]:
        raise Trouble(
            f"{out} has results already. --resume goes on from them, and grades only what is new or changed; "
            "for a fresh start give another folder."
        )
    options = _options(**chosen)
    if options.jail:
        _probe()
    with _bar() as tell:
        rows = grade_class(places, out, chapters_folder(), options, tell, _make(dask))
    _report(rows, out)
    return 1 if any(row.graded.problem for row in rows) else 0


def export(target: str, chapter: str, out: Path | None, trust: bool) -> None:
    """Write an autograder, and say what to do with it."""
    if target.lower() != "gradescope":
        raise Trouble(f"There is no export for {target!r}. There is: gradescope")
    from mi_tutor.classroom.gradescope import export as write

    notebook = find_chapter(chapter)
    out = out or Path(f"gradescope-{notebook.stem}.zip")
    write(notebook, out, trust)
    say(f"{out} ({out.stat().st_size / 1e6:.0f} MB): upload it as the autograder.", "good")
    say("It has a secret: whoever has the zip can work out the hidden inputs.")


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


def _options(
    *,
    jobs: int,
    secret: Path | None,
    partial: bool,
    cell_seconds: float,
    memory: float,
    exam: bool,
    due: str | None,
    late_per_day: float,
    anonymous: bool,
    trust: bool,
    resume: bool,
) -> Any:
    from mi_tutor.classroom.remote import Rules
    from mi_tutor.classroom.whole_class import Late, Options

    if exam and secret is None:
        raise Trouble(
            "--exam needs the --secret that `mi-tutor exam` was given: it decides which version each learner has."
        )
    late = None
    if due:
        try:
            late = Late(datetime.fromisoformat(due).timestamp(), late_per_day / 100)
        except ValueError:
            raise Trouble(
                f"{due!r} is no date; expected something like 2026-03-01T18:00."
            ) from None
    text = read_secret(secret) if secret else None
    jobs = jobs or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else jobs or 1
    rules = Rules(partial, cell_seconds=cell_seconds, memory=memory, exam=exam)
    return Options(jobs, text, rules, late, anonymous, jail=not trust)


def read_secret(path: Path) -> bytes:
    """The words of a secret's file."""
    if not path.is_file():
        raise Trouble(f"There is no file {path}; a secret is a file with some random words in it.")
    text = path.read_bytes().strip()
    if len(text) < 8:
        raise Trouble(f"{path} is too short to be a secret; expected at least 8 characters.")
    return text


def read_names(learners: Path) -> list[str]:
    """The learners of a file, one in each line."""
    if not learners.is_file():
        raise Trouble(f"There is no file {learners}; expected one with a learner in each line.")
    names = [line.strip() for line in learners.read_text("utf-8").splitlines() if line.strip()]
    odd = [name for name in names if Path(name).name != name or name.startswith(".")]
    if odd or not names:
        raise Trouble(
            f"{learners}: {odd[0] + ' cannot be a file name.' if odd else 'no learners.'}"
        )
    return names


def _probe() -> None:
    """Try the jail's walls, and say how they held. Without a jail that holds nothing is graded."""
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

    with tempfile.TemporaryDirectory(prefix="mi_tutor-probe-") as folder:
        nursery = Nursery.start(Path(folder))
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
    say(f"Look first at {out / 'summary.html'}; gradebook*.csv go to Canvas, Moodle and nbgrader.")
