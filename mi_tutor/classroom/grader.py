"""One grader: it has its own workers, keeps chapters warm, and marks one file after another."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, NamedTuple

from mi_tutor.classroom import temporary
from mi_tutor.classroom.judge import Chapter, grade
from mi_tutor.classroom.marks import Graded
from mi_tutor.classroom.reading import read_submission
from mi_tutor.classroom.rebuild import Rebuilt, rebuild
from mi_tutor.classroom.remote import Rules
from mi_tutor.classroom.spawning import Spawner
from mi_tutor.classroom.truth import Truth
from mi_tutor.classroom.workers import Nursery
from mi_tutor.grading.notebook import NotebookError, read_notebook
from mi_tutor.grading.report import Course, chapter_of
from mi_tutor.grading.source import made
from mi_tutor.teach.registry import exercises, quizzes

CAN_FORK = sys.platform == "linux"  # with torch imported, macOS's frameworks break in a fork


class Settings(NamedTuple):
    """What a grader needs to know, as data.

    chapters: the folder of the notebooks as learners get them. draws: the secret of investigations' draws, if any.
    """

    chapters: str
    secret: bytes
    jail: bool = True
    rules: Rules = Rules()
    draws: bytes | None = None


class Grader:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        temporary.tidy()
        self.folder = temporary.make("grade")
        # Before anything is worked out here.
        self.nursery = (Nursery if CAN_FORK else Spawner).start(self.folder, settings.jail)
        self.truth = Truth(settings.secret, settings.draws)
        self.course = Course(exercises(), quizzes())
        self._chapters: dict[str, Chapter] = {}

    def close(self) -> None:
        """End the workers and take their folder away."""
        for chapter in self._chapters.values():
            chapter.nursery.close()
        self.nursery.close()
        temporary.remove(self.folder)

    def grade(self, learner: str, path: Path) -> Graded:
        """Mark one file. Whatever is wrong with it is told in `problem`."""
        started = time.monotonic()
        try:
            submission = read_submission(path)
            number = chapter_of(submission, self.course)
            chapter = self.chapter(number) if number else None
            if chapter is None:
                raise NotebookError("It has no exercises of this course in it.")
        except NotebookError as error:
            return Graded(learner, None, (), problem=_nameless(str(error), path))
        graded = grade(learner, submission, chapter, self.truth, self.settings.rules)
        return graded._replace(seconds=round(time.monotonic() - started, 3))

    def chapter(self, number: str) -> Chapter | None:
        """A chapter, with workers in which what every submission needs has been done."""
        if number not in self._chapters:
            files = sorted(Path(self.settings.chapters).glob(f"{number}_*.ipynb"))
            if not files:
                return None
            notebook = read_notebook(files[0])
            nursery = self.nursery.branch()
            warm = list(_warmable(rebuild(notebook, notebook)))
            slugs = list(notebook.slugs("exercise"))
            ran = nursery.warm(warm, slugs)
            done = frozenset(source for source, fine in zip(warm, ran, strict=False) if fine)
            self._chapters[number] = Chapter(notebook, number, nursery, done)
        return self._chapters[number]


def _warmable(rebuilt: Rebuilt) -> Iterable[str]:
    """The chapter's cells that need no answer, directly or not, and whose names no earlier cell makes.

    Of these the ones that other cells and answers take something from.
    """
    able: set[int] = set()
    before: set[str] = set()
    for index, step in enumerate(rebuilt.steps):
        names = made(step.source)
        if step.ours and not step.slug and set(step.needs) <= able and not names & before:
            able.add(index)
        before |= names
    needed = {0} | {need for item in rebuilt.asked for need in item.needs}
    needed |= {need for step in rebuilt.steps if step.slug for need in step.needs}
    waiting = [*needed]
    while waiting:
        more = set(rebuilt.steps[waiting.pop()].needs) - needed
        needed |= more
        waiting += more
    yield from (rebuilt.steps[index].source for index in sorted(able & needed))


def run_job(settings: Settings, learner: str, path: str) -> dict[str, Any]:
    """One file, in a process that keeps its grader: what an executor runs."""
    return kept_grader(settings).grade(learner, Path(path)).as_data()


def kept_grader(settings: Settings) -> Grader:
    """This process's grader for these settings."""
    grader = _kept.get(settings)
    if grader is None:
        grader = _kept[settings] = Grader(settings)
        Finalize(grader, grader.close, exitpriority=10)  # processes of a pool end without `atexit`
    return grader


_kept: dict[Settings, Grader] = {}


def _nameless(said: str, path: Path) -> str:
    """Without the file's name: here it is one of our own, and elsewhere it often has the learner's in it."""
    for name in (str(path), path.name):
        said = said.replace(name, "the file")
    return said[:1].upper() + said[1:]
