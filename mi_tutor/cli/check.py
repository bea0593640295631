"""`mi-tutor check`: run a learner's notebook and print what became of each exercise."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mi_tutor.cli.chapters import find_notebook
from mi_tutor.cli.listing import course
from mi_tutor.cli.say import Trouble, say, say_json, sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from mi_tutor.grading.notebook import Notebook
    from mi_tutor.grading.report import Report, Result

_LOUD = {"passed": "good", "not answered yet": "note", "not reached": "note"}


def run(name: str, seconds: float, as_json: bool) -> int:
    """Returns the exit code: 0 if all is passed, else 1."""
    from mi_tutor.grading.notebook import NotebookError, read_notebook
    from mi_tutor.grading.report import Course, assess
    from mi_tutor.grading.run import RunError, run_notebook

    try:
        notebook = read_notebook(find_notebook(name))
        known = Course(*course())
        slugs = {item.slug for item in [*known.exercises, *known.quizzes]}
        chapters = {item.chapter for item in [*known.exercises, *known.quizzes]}
        if notebook.chapter not in chapters and slugs.isdisjoint(notebook.slugs()):
            raise Trouble(
                f"{notebook.path.name} has no exercises of this course, so there is nothing to check."
            )
        report = assess(
            notebook, run_notebook(notebook, seconds, _teller(notebook, as_json)), known
        )
    except (NotebookError, RunError) as error:
        raise Trouble(str(error)) from None
    if as_json:
        say_json(_as_data(notebook, report))
    else:
        _show(notebook, report)
    return 0 if report.passed else 1


def _teller(notebook: Notebook, quiet: bool) -> Callable[[int], None] | None:
    """Shows which cell runs, on a terminal only, in a line that is overwritten."""
    if quiet or not sys.stderr.isatty():
        return None

    def tell(position: int) -> None:
        end = "\r" if position < len(notebook.cells) else "\r\x1b[K"
        number, last = notebook.cells[position - 1].number, notebook.cells[-1].number
        print(
            f"\r\x1b[Krunning code cell {number} of {last}",
            end=end,
            file=sys.stderr,
            flush=True,
        )

    return tell


def _show(notebook: Notebook, report: Report) -> None:
    where = f", chapter {report.chapter}" if report.chapter else ""
    say(f"{notebook.path.name}{where}", "strong")
    width = max((len(result.slug) for result in report.results), default=0)
    for kind in ("exercise", "quick check"):
        results = [result for result in report.results if result.kind == kind]
        if results:
            say()
            say("Exercises" if kind == "exercise" else "Quick checks", "faint")
        for result in results:
            _show_result(result, width)
    say()
    passed = sum(result.status == "passed" for result in report.results)
    points, total = (sum(result[i] for result in report.results) for i in (4, 5))
    how = "good" if report.passed else "strong"
    say(f"{passed} of {len(report.results)} passed, {points} of {total} points", how)
    for note in report.notes:
        say(f"Note: {note}", "faint")


def _show_result(result: Result, width: int) -> None:
    loud = _LOUD.get(result.status, "bad")
    points = f"{result.points}/{result.points_total}"
    say(f"{sign(loud)} {result.slug:<{width}}  {result.status:<18} {points}", loud, indent=2)
    if result.sentence:
        say(result.sentence, indent=6)


def _as_data(notebook: Notebook, report: Report) -> dict[str, object]:
    return {
        "notebook": str(notebook.path),
        "chapter": report.chapter,
        "passed": report.passed,
        "points": sum(result.points for result in report.results),
        "points_total": sum(result.points_total for result in report.results),
        "results": [result._asdict() for result in report.results],
        "notes": list(report.notes),
    }
