"""What the build adds to an author's text: times, exercise headers, badges, the Colab cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mi_tutor.authoring.registry import ExerciseInfo
from mi_tutor.authoring.source import Chapter

# The first line is all that happens elsewhere. The course comes alone; what it needs is a matter of
# `mi_tutor.colab`, which also goes on where a first try stopped half-way.
_COLAB_SETUP = """\
# On Google Colab: installs the course and says what that changed. Anywhere else: nothing.
from importlib.util import find_spec

if find_spec("google") and find_spec("google.colab"):
    import subprocess
    import sys
    from importlib.metadata import distributions

    had = {{one.name: one.version for one in distributions()}}
    if not find_spec("mi_tutor"):
        print("Installing the course (about a minute) ...")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*pip, "--no-deps", "{course}"]).returncode:
            sys.exit("The course could not be installed (see above). Run this cell again.")
    from mi_tutor.colab import complete

    complete(had)"""


def course_archive(repository: str) -> str:
    """What pip installs the course from: the repository's files without its history."""
    return f"mi_tutor @ https://github.com/{repository}/archive/refs/heads/main.zip"


def colab_setup(repository: str) -> str:
    """The cell that installs the course on Colab and does nothing anywhere else."""
    return _COLAB_SETUP.format(course=course_archive(repository))


def badges(repository: str, folder: str, stem: str) -> str:
    """Links that open a notebook on Colab and on Binder, as Markdown.

    Args:
        repository: "owner/name" on GitHub.
        folder: "chapters" or "solutions".
        stem: the notebook's name without its suffix.
    """
    path = f"{folder}/{stem}.ipynb"
    colab = f"https://colab.research.google.com/github/{repository}/blob/main/{path}"
    binder = f"https://mybinder.org/v2/gh/{repository}/main?urlpath=lab/tree/{path}"
    return (
        "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        f"({colab}) [![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder})"
    )


def title_with_time(chapter: Chapter, exercises: Sequence[ExerciseInfo], text: str) -> str:
    """The title cell with a line below the title: how long, how many exercises and quick checks."""
    quizzes = sum(cell.role == "quiz" for cell in chapter.cells)
    here = {cell.slug for cell in chapter.cells if cell.role == "exercise"}
    count = sum(exercise.slug in here for exercise in exercises)
    time = in_words_with_optional(chapter.minutes, optional_minutes(exercises))
    parts = [f"About {time}"] if chapter.minutes else []
    parts += [_counted(count, "exercise")] if count else []
    parts += [_counted(quizzes, "quick check")] if quizzes else []
    title, _, rest = text.partition("\n")
    below = f"*{' · '.join(parts)}*" if parts else ""
    return "\n\n".join(part for part in (title, below, rest.strip("\n")) if part)


def exercise_header(exercise: ExerciseInfo) -> str:
    """What stands above an exercise: its title, difficulty, minutes, points and objective.

    >>> from types import SimpleNamespace
    >>> double = SimpleNamespace(
    ...     slug="double", title="Twice", points=1, minutes=5, difficulty=2, objective="Scale a tensor.",
    ...     optional=False,
    ... )
    >>> print(exercise_header(double))
    ### Exercise: Twice
    <BLANKLINE>
    **Difficulty** ●●○○○ (2 of 5) · **about** 5 min · **worth** 1 point
    <BLANKLINE>
    **Objective:** Scale a tensor.
    <BLANKLINE>
    Stuck? Run `hint("double")` in a cell of your own.

    An investigation is called one, with its question and its levels: it has a rubric in place of one right answer.
    """
    dots = "●" * exercise.difficulty + "○" * (5 - exercise.difficulty)
    facts = (
        f"**Difficulty** {dots} ({exercise.difficulty} of 5)",
        f"**about** {in_words(exercise.minutes)}",
        f"**worth** {_counted(exercise.points, 'point')}",
        *(["**optional**"] if exercise.optional else []),
    )
    rubric = getattr(exercise, "rubric", "")
    question = getattr(exercise, "question", "")
    parts = (
        f"### {'Investigation' if rubric else 'Exercise'}: {exercise.title}",
        " · ".join(facts),
        f"**Objective:** {exercise.objective}",
        f"**Question:** {question}" if question else "",
        f"**Marked** by a score from 0 to 1: {rubric}." if rubric else "",
        f'Stuck? Run `hint("{exercise.slug}")` in a cell of your own.',
    )
    return "\n\n".join(part for part in parts if part)


def in_words(minutes: int) -> str:
    """Minutes for people.

    >>> in_words(45), in_words(120), in_words(150)
    ('45 min', '2 h', '2 h 30 min')
    """
    hours, rest = divmod(minutes, 60)
    return " ".join(
        part for part in (f"{hours} h" * bool(hours), f"{rest} min" * bool(rest)) if part
    )


def optional_minutes(exercises: Iterable[ExerciseInfo]) -> int:
    """How much of a chapter's time its optional exercises take."""
    return sum(exercise.minutes for exercise in exercises if exercise.optional)


def in_words_with_optional(minutes: int, optional: int) -> str:
    """A chapter's time, and how much of it is optional.

    >>> in_words_with_optional(320, 150), in_words_with_optional(90, 0)
    ('2 h 50 min, and 2 h 30 min that are optional', '1 h 30 min')
    """
    rest = f", and {in_words(optional)} that are optional" if optional else ""
    return in_words(minutes - optional) + rest


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
