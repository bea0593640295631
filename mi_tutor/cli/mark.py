"""`mi-tutor mark`: change one mark by hand, and write gradebooks and pages again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mi_tutor.cli.rules import nobody_else, options_of, settle
from mi_tutor.cli.say import Trouble, complain, say

if TYPE_CHECKING:
    from mi_tutor.classroom.by_hand import Change


def run(
    out: Path,
    learner: str | None,
    slug: str | None,
    points: float | None,
    reason: str | None,
    secret: Path | None = None,
) -> int:
    """Returns the exit code: 1 if a line of overrides.csv changes nothing."""
    from mi_tutor.classroom import started
    from mi_tutor.classroom.by_hand import Change
    from mi_tutor.classroom.ledger import RESULTS

    if not (out / RESULTS).exists():
        raise Trouble(f"{out} has no results: name the folder that `mi-tutor grade --out` wrote.")
    if "options" not in started.read(out):
        raise Trouble(
            f"{out} is an older version's: run `mi-tutor grade --resume` once more first."
        )
    change = None
    if learner is not None:
        if slug is None or points is None or not (reason or "").strip():
            raise Trouble(
                'Expected a learner, an exercise, points and a reason: ada toy-forward 2 --reason "shown to me".'
            )
        change = Change(learner, slug, points, " ".join(str(reason).split()))
    options = options_of(*settle(out, {"secret": secret}, resume=True))
    with nobody_else(out):
        return _write(out, options, change)


def _write(out: Path, options: Any, change: Change | None) -> int:
    from mi_tutor.classroom import by_hand
    from mi_tutor.classroom.whole_class import graded_rows, write_again

    if change is not None:
        if wrong := by_hand.misfit(change, graded_rows(out, options)):
            raise Trouble(f"{change.learner}: {wrong}.")
        by_hand.add(out, change)
    rows = write_again(out, options)
    changed = [(row, mark) for row in rows for mark in row.graded.marks if mark.by_hand]
    for row, mark in changed:
        points_now = f"{mark.earned:g} of {mark.points} points, before {mark.before:g}"
        say(f"{row.name}, {mark.slug}: {points_now} ({mark.by_hand})", indent=2)
    for told in (left := by_hand.misfits(by_hand.read(out), rows)):
        complain(told)
    say(f"{len(changed)} marks changed by hand; gradebooks and pages in {out} are written again.")
    return 1 if left else 0
