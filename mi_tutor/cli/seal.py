"""`mi-tutor seal`: a sealed specimen for each learner, and marks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mi_tutor.cli.rules import read_names, read_secret
from mi_tutor.cli.say import Trouble, say, table
from mi_tutor.cli.truths import read_truths, secret_in, write_truths

if TYPE_CHECKING:
    from mi_tutor.specimens.auditing import Secret
    from mi_tutor.specimens.auditing.classes import Sealed, Wanted


def write(
    learners: Path, secret: Path, out: Path, truth: Path, wanted: Wanted, given: bool = False
) -> None:
    """Seal one for each learner, and write the truths apart. given: plant what stands there, and draw nothing."""
    from mi_tutor.specimens.auditing import CLEAN, FAMILIES, LEVELS
    from mi_tutor.specimens.auditing.classes import seal_for

    names, key = read_names(learners), read_secret(secret)
    _among(wanted.family, (*FAMILIES, CLEAN), "family")
    _among(wanted.level, LEVELS, "level")
    if truth.resolve().is_relative_to(out.resolve()):
        raise Trouble(f"{truth} lies in {out}, which learners get. Keep the truths elsewhere.")
    truths = read_truths(truth) if given or truth.exists() else {}
    secrets = {name: secret_in(truths, name, truth) for name in names} if given else {}
    for name in names:
        found = seal_for(name, out, key, wanted, secrets.get(name))
        truths[name] = {"family": found.secret.family, "parameters": found.secret.values}
        write_truths(truth, truths)
        say(f"{name}: sealed in {found.seconds:.0f} s; {in_numbers(found)}")
        if found.missed:
            say(
                f"Goal missed: {'; '.join(found.missed)}. Seal {name} again by another --secret.",
                "bad",
            )
    say(f"{len(names)} specimens in {out}; the truths are in {truth}. Keep it to yourself.", "good")


def in_numbers(found: Sealed) -> str:
    """What a planted specimen measures, without what its secret is."""
    measured = found.measured
    return (
        f"strength {measured.strength:.3f}, near misses {measured.worst[1]:.3f} in the worst slice, "
        f"others {measured.others:.3f}"
    )


def _among(given: str | None, allowed: Iterable[str], what: str) -> None:
    if given is not None and given not in (some := list(allowed)):
        raise Trouble(f"There is no {what} {given}; there are: {', '.join(some)}.")


def mark(reports: Path, specimens: Path, truth: Path, draws: Path | None = None) -> None:
    """Mark LEARNER.json of a folder, each on its own specimen, and say which parameters are right.

    draws: a file with a secret, by which the texts are drawn; without one everybody can work them out.
    """
    from mi_tutor.teach.draws import candidates

    draw = next(candidates(read_secret(draws), "sealed")) if draws else 0
    for needed in (reports, specimens):
        if not needed.is_dir():
            raise Trouble(f"There is no folder {needed}.")
    truths = read_truths(truth)
    rows = []
    for name in truths:
        known = secret_in(truths, name, truth)
        file, specimen = reports / f"{name}.json", specimens / f"{name}.safetensors"
        if not file.is_file():
            rows.append((name, known.family, "no report", "", "", ""))
        elif not specimen.is_file():
            rows.append((name, known.family, "no specimen", "", "", ""))
        else:
            rows.append((name, known.family, *marked(file, specimen, known, draw)))
    table(["learner", "truth", "family", "parameters", "score", "level"], rows, ["score"])


def marked(file: Path, specimen: Path, truth: Secret, draw: int = 0) -> tuple[str, str, str, str]:
    """One report: is its family right, how many parameters, its score and level. The truth marks, not a seal."""
    from mi_tutor.teach.exercises.auditing.reading import read_report
    from mi_tutor.teach.exercises.auditing.reports import LEVELS, experiment_on
    from mi_tutor.teach.investigation import Unreadable

    try:
        text = file.read_text("utf-8")
        handed = read_report(json.loads(text, object_pairs_hook=_once_each))
    except (Unreadable, ValueError) as error:
        return "not read", str(error), "0.00", ""
    claimed, right = handed.report.secret, truth.values
    agree = sum(claimed.values.get(name) == value for name, value in right.items())
    findings = experiment_on(specimen, truth)(handed, draw)
    return (
        "right" if claimed.family == truth.family else "wrong",
        f"{agree} of {len(right)}",
        f"{findings.score:.2f}",
        LEVELS.reached(findings) or "not yet",
    )


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, unless a key is in it twice: the last one would count without a word."""
    for i, (key, _) in enumerate(pairs):
        if key in dict(pairs[:i]):
            raise ValueError(f"“{key:.40}” is in it twice. Which one is meant?")
    return dict(pairs)
