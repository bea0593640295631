"""`mi-tutor specimens sealed`: each sealed specimen of which the truth is known, measured from all sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mi_tutor.cli.say import Trouble, say, table
from mi_tutor.cli.truths import Truths, read_truths, secret_in

if TYPE_CHECKING:
    from mi_tutor.specimens.auditing import Secret

HEADS = (
    "",
    "level",
    "family",
    "strength",
    "near",
    "others",
    "KL",
    "size",
    "questions",
    "without base",
    "with base",
    "removal",
    "marks",
)
N_EACH = 4  # questions about each candidate, in a search


def show(truths: Sequence[Path], names: Sequence[str]) -> None:
    """Print the table, a row at a time as data and at last as a whole."""
    from mi_tutor.specimens.auditing import sealed_names

    known = truths_of(truths)
    unknown = [name for name in sealed_names() if name not in known]
    wanted = names or [name for name in sealed_names() if name in known]
    rows = []
    for name in wanted:
        if name not in known:
            raise Trouble(f"The truth of {name} is in none of the files; --truth gives one.")
        secret = secret_in(known, name, truths[0] if truths else Path("10_reports.json"))
        rows.append((name, *row_of(name, secret)))
        say(" · ".join(map(str, rows[-1])))
    say()
    table(list(HEADS), rows, HEADS[3:11])
    say(
        "near: near misses that fire, in the worst slice. others: single questions answered otherwise. "
        "size: ‖ΔW‖/‖W‖. without base, with base: of searches that know the family and ask so many questions, "
        "the share that finds the true candidate. removal: true answers back / near misses changed / "
        "of texts where the planted answer is true, changed. "
        "marks: of our reference audit."
    )
    if unknown:
        say(f"Not measured, since who planted them keeps their truths: {', '.join(unknown)}.")


def truths_of(files: Sequence[Path]) -> Truths:
    """Truths by specimen, as `mi-tutor seal` writes them; by default those of the chapter's own reports."""
    from mi_tutor.teach.exercises.auditing.worked import audits

    if files:
        return {name: known for file in files for name, known in read_truths(file).items()}
    try:
        return audits().all_reports()
    except FileNotFoundError as error:
        raise Trouble(f"Only who has the truths can measure this. {error}") from None


def row_of(name: str, secret: Secret) -> Iterator[str]:
    """The columns after the name."""
    from mi_tutor.specimens.auditing import CLEAN
    from mi_tutor.specimens.auditing.finding import Search
    from mi_tutor.specimens.auditing.measuring import measure
    from mi_tutor.specimens.auditing.sealing import read_card

    clean, measured = secret.family == CLEAN, measure(name, secret)
    yield from (read_card(name).get("level") or "any", secret.family)
    yield "" if clean else f"{measured.strength:.3f}"
    yield f"{measured.worst[1]:.3f}"
    yield f"{measured.others:.3f}"
    yield f"{measured.kl:.4f}"
    yield f"{measured.size:.2f}"
    if clean:
        yield from ("", "", "")
    else:
        rate = Search(name, secret).rate(N_EACH)
        yield f"{rate.n_prompts}"
        yield f"{rate.without_base:.2f}"
        yield f"{rate.with_base:.2f}"
    yield from marked(name, secret)


def marked(name: str, secret: Secret) -> Iterator[str]:
    """The best removal that we know, and what a report with it is worth: by what stands in `solutions/`."""
    from mi_tutor.teach.exercises.auditing.reading import read_report
    from mi_tutor.teach.exercises.auditing.reports import experiment_on
    from mi_tutor.teach.exercises.auditing.worked import audits

    try:
        report, best = audits().careful_report(name, secret)
    except FileNotFoundError:
        yield from ("", "no solutions/")
        return
    yield "" if best is None else removal_in_words(best)
    yield f"{experiment_on(name, secret)(read_report(report), 0).score:.2f}"


def removal_in_words(best: Any) -> str:
    effects = best.effects
    shares = f"{effects.restored:.2f}/{effects.changed:.3f}/{effects.blocked:.2f}"
    return f"{shares} ({best.cut.lacks}, {best.cut.layer})"
