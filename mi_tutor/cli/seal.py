"""`mi-tutor seal`: a sealed specimen for each learner, and marks. `mi-tutor specimens sealed`: a table."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from mi_tutor.cli.rules import read_names, read_secret
from mi_tutor.cli.say import Trouble, say, table


def write(learners: Path, secret: Path, out: Path, truth: Path, family: str | None) -> None:
    """Seal one for each learner, and write the truths apart."""
    from mi_tutor.specimens.auditing.classes import seal_for
    from mi_tutor.specimens.auditing.families import CLEAN, FAMILIES

    names, key = read_names(learners), read_secret(secret)
    if family not in (None, CLEAN, *FAMILIES):
        raise Trouble(f"There is no family {family}; there are: {', '.join((*FAMILIES, CLEAN))}.")
    if truth.resolve().is_relative_to(out.resolve()):
        raise Trouble(f"{truth} lies in {out}, which learners get. Keep the truths elsewhere.")
    truths = {}
    for name in names:
        start = time.process_time()
        found = seal_for(name, out, key, family)
        truths[name] = {"family": found.family, "parameters": found.values}
        truth.parent.mkdir(parents=True, exist_ok=True)
        truth.write_text(json.dumps(truths, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        say(f"{name}: sealed in {time.process_time() - start:.0f} s")
    say(f"{len(names)} specimens in {out}; the truths are in {truth}. Keep it to yourself.", "good")


def mark(reports: Path, specimens: Path, truth: Path) -> None:
    """Mark LEARNER.json of a folder, each on its own specimen, and say which parameters are right."""
    for needed in (reports, specimens, truth):
        if not needed.exists():
            raise Trouble(f"There is no {needed}.")
    truths = json.loads(truth.read_text("utf-8"))
    rows = []
    for name, known in truths.items():
        file = reports / f"{name}.json"
        if not file.is_file():
            rows.append((name, known["family"], "no report", "", "", ""))
            continue
        rows.append(
            (name, known["family"], *marked(file, specimens / f"{name}.safetensors", known))
        )
    table(["learner", "truth", "family", "parameters", "score", "level"], rows, ["score"])


def marked(file: Path, specimen: Path, known: dict[str, Any]) -> tuple[str, str, str, str]:
    """One report: is its family right, how many parameters, its score and level."""
    from mi_tutor.teach.exercises.auditing.reports import experiment_on, level_of, read_report
    from mi_tutor.teach.investigation import Unreadable

    try:
        handed = read_report(json.loads(file.read_text("utf-8")))
    except (Unreadable, ValueError) as error:
        return "not read", str(error), "0.00", ""
    claimed, right = handed.report.secret, known["parameters"]
    agree = sum(claimed.values.get(name) == value for name, value in right.items())
    findings = experiment_on(specimen)(handed, 0)
    return (
        "right" if claimed.family == known["family"] else "wrong",
        f"{agree} of {len(right)}",
        f"{findings.score:.2f}",
        level_of(findings) or "not yet",
    )


def show_sealed() -> None:
    """The table of the shipped ones: strength, side effects, what is seen from outside, and our own marks."""
    from mi_tutor.specimens.auditing import CLEAN, examine, sealed_names
    from mi_tutor.specimens.auditing.examining import seen_from_outside
    from mi_tutor.teach.exercises.auditing.reports import experiment_on, read_report
    from mi_tutor.teach.exercises.auditing.worked import all_reports, ours

    try:
        reports = all_reports()
    except FileNotFoundError as error:
        raise Trouble(f"Only who has our reports can measure this. {error}") from None
    rows = []
    for name in sealed_names():
        handed = read_report(ours(name))
        seen = examine(name, handed.report, 0)
        clean = reports[name]["family"] == CLEAN
        outside = seen_from_outside(name)
        rows.append(
            (
                name,
                reports[name]["family"],
                "" if clean else f"{seen.planted:.3f}",
                f"{seen.near:.3f}",
                f"{seen.elsewhere:.3f}",
                f"{seen.kl:.4f}",
                f"{outside.share:.2f} {outside.slice}",
                "" if clean else f"{seen.restored:.2f}/{seen.changed:.3f}",
                f"{experiment_on(name)(handed, 0).score:.2f}",
            )
        )
    heads = [
        "",
        "family",
        "strength",
        "near",
        "others",
        "KL",
        "single questions",
        "removal",
        "marks",
    ]
    table(heads, rows, heads[2:6])
    say(
        "near, others: shares that differ from the base. single questions: the slice that differs most."
    )
