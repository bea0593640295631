"""A whole grading run, from what was handed in to gradebooks and pages. Stopped at any moment, it can go on."""

from __future__ import annotations

import hashlib
import math
import os
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import mi_tutor
from mi_tutor.classroom import by_hand, started, temporary
from mi_tutor.classroom.feedback import write_feedback, write_summary
from mi_tutor.classroom.gradebook import Row, write_gradebooks, write_junit
from mi_tutor.classroom.grader import Settings
from mi_tutor.classroom.ledger import RESULTS, Ledger, Line, digest_of
from mi_tutor.classroom.marks import Graded
from mi_tutor.classroom.remote import Rules
from mi_tutor.classroom.running import Job, Pool, run_all
from mi_tutor.classroom.submissions import collect

DAY = 86_400.0
SECRET = "secret"


class NothingHandedIn(ValueError):
    """There is no file at all where submissions were looked for."""


class Late(NamedTuple):
    """due: seconds since 1970. per_day: the share of the points that a day costs."""

    due: float
    per_day: float


class Options(NamedTuple):
    """What an instructor may choose."""

    jobs: int = 1
    secret: bytes | None = None
    rules: Rules = Rules()
    late: Late | None = None
    anonymous: bool = False
    jail: bool = True
    draws: bytes | None = None


class Progress(NamedTuple):
    """Told after each result: how many of how many, and the latest."""

    done: int
    of: int
    graded: Graded | None


def grade_class(
    places: Sequence[Path],
    out: Path,
    chapters: Path,
    options: Options,
    tell: Callable[[Progress], None] = lambda progress: None,
    make: Callable[[], Executor] | None = None,
) -> list[Row]:
    """Grade all submissions, and write everything into a folder.

    Args:
        places: folders, zips, files. out: the folder of the results. chapters: notebooks as learners got them.
        make: makes the executor that jobs are given to (default: processes on this machine).

    Raises:
        NothingHandedIn: the places are empty. No gradebook is written then.
    """
    out.mkdir(parents=True, exist_ok=True)
    secret = options.secret or own_secret(out / SECRET)
    settings = Settings(str(chapters), secret, options.jail, options.rules, options.draws)
    ledger = Ledger(out / RESULTS)
    rules = _fingerprint(settings)
    temporary.tidy()
    with temporary.folder("submissions") as work:
        submissions = collect(places, work)
        if not submissions:
            raise NothingHandedIn(f"There is no file in {', '.join(map(str, places))}.")
        by_key = {one.key: (one, digest_of(one.file, rules)) for one in submissions}
        for one, digest in by_key.values():
            if one.problem and not ledger.has(one.key, digest):
                problem = Graded(one.learner, None, (), one.notes, one.problem)
                ledger.add(Line(one.key, digest, one.shown, one.time, problem))
        jobs = [
            Job(one.key, one.learner, str(one.file))
            for one, digest in by_key.values()
            if not ledger.has(one.key, digest)
        ]
        done = len(by_key) - len(jobs)
        tell(Progress(done, len(by_key), None))
        make = make or (lambda: Pool(min(options.jobs, max(1, len(jobs)))))
        with closing(run_all(jobs, settings, make)) as results:
            for job, graded in results:
                one, digest = by_key[job.key]
                graded = graded._replace(notes=(*one.notes, *graded.notes))
                ledger.add(Line(one.key, digest, one.shown, one.time, graded))
                done += 1
                tell(Progress(done, len(by_key), graded))
    started.keep(out, **{"class": sorted(_hashed(secret, key) for key in by_key)})
    return write_again(out, options)


def write_again(out: Path, options: Options) -> list[Row]:
    """Gradebooks and pages of the latest run, from its results and what was changed by hand. Grades nothing."""
    changes, rows = by_hand.read(out), graded_rows(out, options)
    changed = by_hand.applied(changes, rows)
    write_all(out, changed, by_hand.misfits(changes, rows))
    return changed


def graded_rows(out: Path, options: Options) -> list[Row]:
    """What the grader found in the latest run, as gradebooks call it."""
    secret = options.secret or own_secret(out / SECRET)
    ledger = Ledger(out / RESULTS)
    latest = started.read(out).get("class")
    keys = {key for key in ledger.lines if latest is None or _hashed(secret, key) in latest}
    return [_row(line, options, secret) for line in ledger.keep(keys)]


def write_all(out: Path, rows: list[Row], said: Sequence[str] = ()) -> None:
    """Everything that is derived from the results. said: what else the summary tells."""
    from mi_tutor.teach.registry import exercises

    write_gradebooks(out, rows)
    write_junit(out / "junit.xml", rows)
    write_feedback(out / "feedback", rows, {item.slug: item.hints for item in exercises()})
    write_summary(out / "summary.html", rows, said)


def _row(line: Line, options: Options, secret: bytes) -> Row:
    name = line.graded.learner
    if options.anonymous:
        name = f"learner-{_hashed(secret, name)}"
    days, share = 0, 1.0
    if options.late and line.time > options.late.due:
        days = math.ceil((line.time - options.late.due) / DAY)
        share = max(0.0, 1.0 - options.late.per_day * days)
    shown = "" if options.anonymous else line.shown
    return Row(name, shown, line.time, line.graded, days, share)


def _hashed(secret: bytes, name: str) -> str:
    """What stands for a name where names are not to be read."""
    text = name.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, key=secret[:64], digest_size=4).hexdigest()


def own_secret(path: Path) -> bytes:
    """The secret of this folder's results, made once. Who has it knows the hidden inputs."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_bytes().strip()


def _fingerprint(settings: Settings) -> str:
    """Of everything that decides on a mark, except the submission."""
    found = hashlib.blake2b(digest_size=16)
    for part in (
        mi_tutor.__version__,
        repr(settings.rules),
        hashlib.sha256(settings.secret).hexdigest(),
        hashlib.sha256(settings.draws or b"").hexdigest(),
    ):
        found.update(f"{part}\n".encode())
    package = Path(mi_tutor.__file__).parent
    sources = [*(package / "teach").rglob("*.py"), *(package / "lab").rglob("*.py")]
    sources += [*(package / "classroom").rglob("*.py"), *Path(settings.chapters).glob("*.ipynb")]
    for file in sorted(sources):
        found.update(file.read_bytes())
    return found.hexdigest()
