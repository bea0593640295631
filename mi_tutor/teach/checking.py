"""`check` and `hint`: what a learner calls. Judging itself is in `teach.judging`, which brings torch with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mi_tutor.teach.console import tell
from mi_tutor.teach.messages import CheckFailed, failed, paint, passed, wrap
from mi_tutor.teach.progress import record

if TYPE_CHECKING:
    from mi_tutor.teach.investigation import Investigation
    from mi_tutor.teach.judging import Finding, Verdict

_draws: dict[str, int] = {}
_shown_hints: dict[str, int] = {}


def check(slug: str, answer: Any) -> None:
    """Judge an answer and say what is right, what is wrong and why.

    Args:
        slug: the exercise's name, as in the notebook.
        answer: the function you wrote (the function itself, not its result), the value you found, or, for an
            investigation, your hypothesis.

    Raises:
        CheckFailed: the answer is not right yet. The notebook stops here on Run All, and a grader sees it.
        UnknownSlug: there is no such exercise; the nearest name is given.
    """
    from mi_tutor.teach.exercise import ValueExercise
    from mi_tutor.teach.fitting import unfit
    from mi_tutor.teach.investigation import Investigation
    from mi_tutor.teach.judging import judge, judge_value
    from mi_tutor.teach.registry import UnknownSlug, get
    from mi_tutor.teach.session import SessionDamaged

    try:
        exercise = get(slug)
    except UnknownSlug as error:
        raise CheckFailed(str(error), failed(str(error))) from None
    if isinstance(exercise, Investigation):
        _investigate(exercise, answer)
        return
    try:
        if isinstance(exercise, ValueExercise):
            verdict = judge_value(exercise, answer)
        else:
            verdict = unfit(exercise, answer) or judge(exercise, answer)
    except SessionDamaged as error:
        raise CheckFailed(str(error), failed(wrap(str(error)))) from None
    said = "" if verdict.finding is None else verdict.finding.advice
    _conclude(slug, verdict.passed, said, report(verdict, exercise.title))


def _conclude(slug: str, right: bool, said: str, text: str, points: int | None = None) -> None:
    """Record a verdict, and tell it or raise it. `said` is its sentence in one line."""
    warning = record(slug, right, points=points)
    if warning:
        text += "\n" + wrap(warning, "  ")
    if not right:
        raise CheckFailed(f"{slug}: {said}", text)
    tell(text)


def _investigate(item: Investigation, hypothesis: Any) -> None:
    """Run the experiment on prompts, seeds or models that no earlier try in this session has seen."""
    from mi_tutor.teach import investigating

    draw = _draws[item.slug] if item.slug in _draws else _first_draw(item)
    judged = investigating.investigate(item, hypothesis, draw)
    if judged.findings is not None:
        _draws[item.slug] = draw + 1
        investigating.show_figure(judged.findings)
    text = investigating.report(item, judged)
    _conclude(
        item.slug, judged.passed, investigating.in_one_line(item, judged), text, judged.earned
    )


def _first_draw(item: Investigation) -> int:
    """Draw 0, or a grader's where the notebook is run to be marked."""
    from mi_tutor.teach.draws import VARIABLE, graders_draw, secret_of_environment

    try:
        return graders_draw(item, secret_of_environment())
    except OSError as error:
        said = (
            f"{VARIABLE} is set, and the file that it names cannot be read ({error.strerror})."
            " It is for marking: unset it, or name a file with the grader's secret."
        )
        raise CheckFailed(f"{item.slug}: {said}", failed(wrap(said))) from None


def hint(slug: str, number: int | None = None) -> None:
    """Show the next hint of an exercise, or hint `number` (from 1). Later hints say more."""
    from mi_tutor.teach.registry import UnknownSlug, get

    try:
        hints = get(slug).hints
    except UnknownSlug as error:
        raise CheckFailed(str(error), failed(str(error))) from None
    if number is None:
        number = min(_shown_hints.get(slug, 0) + 1, len(hints))
    if type(number) is not int or not 1 <= number <= len(hints):
        message = f"{slug} has hints 1 to {len(hints)}; you asked for {number!r}."
        raise CheckFailed(message, failed(message))
    _shown_hints[slug] = max(number, _shown_hints.get(slug, 0))
    more = (
        f'hint("{slug}") shows the next one.' if number < len(hints) else "That was the last one."
    )
    tell(wrap(hints[number - 1], "  ", paint(f"Hint {number} of {len(hints)}: ", "strong")))
    tell(paint(more, "faint"))


def report(verdict: Verdict, title: str) -> str:
    """The whole text of a verdict: the cases that are right, and the details of the first that is not."""
    if verdict.passed:
        return "\n".join(
            [passed(f"{title}: passed"), *(f"  {passed(case.label)}" for case in verdict.cases)]
        )
    right = [case for case in verdict.cases if case.passed]
    wrong = [case for case in verdict.cases if not case.passed]
    finding = wrong[0].finding
    assert finding is not None
    lines = [failed(f"{title}: not yet")]
    if finding.kind not in {"unanswered", "signature"} and len(verdict.cases) > 1:
        lines[0] += f" ({len(right)} of {len(verdict.cases)} cases right)"
        lines += [f"  {passed(case.label)}" for case in right]
        lines.append("  " + failed(wrong[0].label))
    lines += _details(finding)
    if len(wrong) > 1 and finding.kind != "unanswered":
        lines.append(
            wrap("also: " + " · ".join(case.label for case in wrong[1:]), "    ", "  " + failed(""))
        )
    if finding.kind != "signature":
        lines.append(paint(f'  Stuck? hint("{verdict.slug}")', "faint"))
    return "\n".join(lines)


def _details(finding: Finding) -> list[str]:
    lines = [wrap(finding.advice, "      ")]
    label = "at" if finding.kind in {"error", "timeout"} else "seen"
    if finding.about:
        lines.append(wrap(finding.about, "      "))
    if finding.seen:
        lines.append(f"      {label + ':':<10}{finding.seen}")
    if finding.expected:
        lines.append(f"      {'expected:':<10}{finding.expected}")
    return lines


__all__ = ["CheckFailed", "check", "hint", "report"]
