"""Grading one learner's notebook: cells run in a worker, verdicts are reached here."""

from __future__ import annotations

import inspect
import time
from typing import Any, NamedTuple

from mi_tutor.classroom.alike import print_of
from mi_tutor.classroom.flags import borrowed
from mi_tutor.classroom.guard import Stuck, guarded
from mi_tutor.classroom.helpers import Helpers, in_their_place, told, wrong_helpers
from mi_tutor.classroom.marks import Graded, Mark, Status
from mi_tutor.classroom.rebuild import Asked, Rebuilt, rebuild, wanted
from mi_tutor.classroom.remote import Remote, Rules, Session, said, why
from mi_tutor.classroom.spawning import Spawner
from mi_tutor.classroom.truth import Truth
from mi_tutor.classroom.workers import Lost, Nursery
from mi_tutor.grading.notebook import Notebook
from mi_tutor.teach.comparing import Finding
from mi_tutor.teach.exercise import Exercise, Quiz, ValueExercise
from mi_tutor.teach.fitting import Fit, misfit
from mi_tutor.teach.investigating import in_one_line
from mi_tutor.teach.investigation import Investigation
from mi_tutor.teach.judging import Verdict
from mi_tutor.teach.outcome import Failure
from mi_tutor.teach.quiz_text import lettered
from mi_tutor.teach.registry import exercises, get, quizzes

HIDDEN = (
    "It is right on the inputs that the notebook's check has, and not on others. Is a number, a shape or a result "
    "written down where it should be computed?"
)
DRAWN = "It was marked on a draw of the grader's own, the same for the whole class."
OWN_DRAW = "passes on the notebook's first draw and not on the grader's"
CHAPTERS = "right for the chapter, not for the version of this learner"
NOT_JUDGED = "This answer could not be judged. Your instructor has been told why."


class Chapter(NamedTuple):
    """A chapter as its learners got it, and workers that have what of it never changes."""

    notebook: Notebook
    number: str
    nursery: Nursery | Spawner
    warm: frozenset[str] = frozenset()


def grade(
    learner: str, submission: Notebook, chapter: Chapter, truth: Truth, rules: Rules
) -> Graded:
    """All marks of one notebook. Whatever it does, this ends, with a mark for each exercise of the chapter."""
    started = time.monotonic()
    rebuilt = rebuild(chapter.notebook, submission)
    session = Session(chapter.nursery, rebuilt, wanted(rebuilt), chapter.warm, rules)
    marks: dict[str, Mark] = {}
    try:
        for asked in rebuilt.asked:
            mark = marks[asked.slug] = _mark(learner, asked, session, truth, rules)
            judged = mark.sentence and mark.status in (Status.WRONG, Status.UNANSWERED)
            if judged and (helpers := wrong_helpers(rebuilt, asked, marks)):
                right = _right_with_ours(learner, asked, helpers, session, truth)
                marks[asked.slug] = told(mark, helpers, right)
    finally:
        session.end()
    here = chapter.notebook.slugs("quiz")
    for item in quizzes(chapter.number):
        if item.slug in here:
            marks[item.slug] = _quick_check(item, rebuilt)
    order = [item.slug for item in [*exercises(chapter.number), *quizzes(chapter.number)]]
    return Graded(
        learner,
        chapter.number,
        tuple(marks[slug] for slug in order if slug in marks),
        rebuilt.notes,
        seconds=round(time.monotonic() - started, 3),
        prints={
            one.slug: print_of(one.sources) for one in rebuilt.asked if one.state == "answered"
        },
    )


def _mark(learner: str, asked: Asked, session: Session, truth: Truth, rules: Rules) -> Mark:
    item = get(asked.slug)
    kind = "investigation" if isinstance(item, Investigation) else "exercise"
    blank = Mark(item.slug, item.title, kind, Status.UNANSWERED, 0, item.points)
    if asked.state != "answered":
        return blank._replace(status=Status.MISSING) if asked.state == "missing" else blank
    blank = blank._replace(flags=borrowed(item, asked.sources))
    try:
        failed = session.reach(asked)
        taken = session.ask("take", 30.0, slug=item.slug, expression=asked.expression)
        failure = taken.get("failure")
        if isinstance(failure, Failure):
            return _stopped(blank, failed or said(failure))
        if isinstance(item, Investigation):
            truth.draw(item)  # nothing of the learner's, and so outside of what guards against it
        with guarded():
            if isinstance(item, Exercise):
                return _function(learner, item, blank, session, truth, rules, taken)
            if isinstance(item, Investigation):
                return _hypothesis(item, blank, truth, taken.get("value"))
            whose = learner if rules.exam else ""
            return _value(item, blank, truth, taken.get("value"), whose)
    except Lost as lost:
        return _stopped(blank, why(lost))
    except Stuck as stuck:
        session.end()  # it may be in the middle of a sentence
        truth.forget(item.slug)
        return _stopped(blank._replace(flags=(*blank.flags, f"not judged: {stuck}")), NOT_JUDGED)


def _function(
    learner: str,
    item: Exercise,
    blank: Mark,
    session: Session,
    truth: Truth,
    rules: Rules,
    taken: dict[str, Any],
) -> Mark:
    """An answer that is run, case after case, by the worker."""
    unfit = misfit(item, _fit(taken))
    if unfit is not None:
        return _of_verdict(blank, unfit, rules)
    code = getattr(inspect.unwrap(item.reference), "__code__", None)
    if code and taken.get("code") == f"{code.co_filename}:{code.co_qualname}":
        blank = blank._replace(flags=(*blank.flags, "is the library's own function"))
    # The notebook's own inputs come first: of these an answer may know, and a learner read, everything. What an
    # answer does on hidden ones is told in one sentence that holds nothing of them, nor of what it said itself.
    mark = _of_verdict(blank, truth.judge(item, Remote(session, truth), 0), rules)
    seed = 0 if rules.public or mark.status is not Status.PASSED else truth.seed(item, learner)
    if seed == 0:
        return mark
    hidden = _of_verdict(blank, truth.judge(item, Remote(session, truth), seed), rules)
    if hidden.status is Status.PASSED:
        return hidden
    flag = "passes on the notebook's inputs and not on others"
    return hidden._replace(
        status=Status.WRONG, sentence=HIDDEN, mistake=None, flags=(*hidden.flags, flag)
    )


def _right_with_ours(
    learner: str, asked: Asked, helpers: Helpers, session: Session, truth: Truth
) -> bool:
    """Whether a function is right, also on hidden inputs, with the library's functions in its helpers' places."""
    item, ours = get(asked.slug), in_their_place(helpers)
    if not isinstance(item, Exercise) or not ours:
        return False
    try:
        with guarded():
            session.ask("lend", 30.0, functions=ours)
            seeds = (0, truth.seed(item, learner))
            right = all(truth.judge(item, Remote(session, truth), seed).passed for seed in seeds)
            session.ask("lend", 30.0, functions={})
    except Lost:
        return False
    except Stuck:
        session.end()
        truth.forget(item.slug)
        return False
    return right


def _fit(taken: dict[str, Any]) -> Fit:
    """What a worker said of how an answer can be called; it may have said anything."""
    match taken.get("fit"):
        case (bool() as can, value, str() | None as takes, str() as error):
            return Fit(can, value, takes, error)
    return Fit(False, None)


def _value(item: ValueExercise, blank: Mark, truth: Truth, value: Any, whose: str) -> Mark:
    """An answer that is data: nothing of the learner's runs any more."""
    mark = _of_verdict(blank, truth.judge_value(item, value, whose), Rules())
    copied = whose and item.variant and mark.status is Status.WRONG
    if copied and truth.judge_value(item, value).passed:
        return mark._replace(flags=(*mark.flags, CHAPTERS))
    return mark


def _hypothesis(item: Investigation, blank: Mark, truth: Truth, value: Any) -> Mark:
    """The same of an investigation, whose experiment is run on the class's draw."""
    draw = truth.draw(item)
    judged = truth.investigate(item, value, draw)
    if judged.passed:
        return blank._replace(status=Status.PASSED, earned=judged.earned)
    said, flags = in_one_line(item, judged), blank.flags
    if draw and judged.findings is not None:
        said = f"{said} {DRAWN}"
        flags = (*flags, OWN_DRAW) if truth.investigate(item, value, 0).passed else flags
    name = judged.wrong.name if judged.wrong else None
    return blank._replace(
        status=Status.WRONG, earned=judged.earned, sentence=said, mistake=name, flags=flags
    )


def _of_verdict(blank: Mark, verdict: Verdict, rules: Rules) -> Mark:
    cases, right = len(verdict.cases), sum(case.passed for case in verdict.cases)
    mark = blank._replace(mistake=verdict.mistake, right=right, cases=cases)
    if verdict.passed:
        return mark._replace(status=Status.PASSED, earned=mark.points)
    finding = verdict.finding
    assert finding is not None
    if finding.kind == "unanswered":
        return mark._replace(status=Status.UNANSWERED, sentence=finding.advice)
    share = right / cases if rules.partial and cases > 1 else 0.0
    earned = int(100 * mark.points * share) / 100
    return mark._replace(status=Status.WRONG, earned=earned, sentence=_sentence(finding))


def _sentence(finding: Finding) -> str:
    """What a learner may read: the advice, and their own line; never what was expected on hidden inputs."""
    at = finding.kind in {"error", "timeout"} and finding.seen
    return f"{finding.advice} ({finding.seen})" if at else finding.advice


def _stopped(blank: Mark, sentence: str) -> Mark:
    return blank._replace(status=Status.STOPPED, sentence=sentence)


def _quick_check(item: Quiz, rebuilt: Rebuilt) -> Mark:
    mark = Mark(item.slug, item.question, "quick check", Status.UNANSWERED, 0, item.points)
    letter = rebuilt.letters.get(item.slug)
    if letter is None:
        return mark._replace(status=Status.MISSING)
    option = lettered(item).get(letter)
    if option is None:
        return mark
    if option.right:
        return mark._replace(status=Status.PASSED, earned=item.points)
    return mark._replace(status=Status.WRONG, sentence=option.feedback)
