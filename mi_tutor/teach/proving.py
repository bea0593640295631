"""Does the course's own material do what it says? Exercises with other numbers, investigations with our answers.

The tests ask this of every exercise and investigation. Every function returns what is wrong, in sentences.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any
from unittest import mock

from mi_tutor.teach import judging
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, ValueExercise
from mi_tutor.teach.investigating import in_one_line, investigate, report
from mi_tutor.teach.investigation import (
    GRADERS_FIRST,
    LEVELS,
    Investigation,
    Worked,
    WrongHypothesis,
)
from mi_tutor.teach.judging import Seen, Verdict
from mi_tutor.teach.outcome import Elsewhere, Outcome, observe
from mi_tutor.teach.registry import get
from mi_tutor.teach.wire import from_bytes, to_bytes

SEEDS = (0, 1)  # of an exercise's cases
# For the best answer: two of notebooks, and graders' largest. One stands for the others, for the sake of time.
DRAWS = (0, 1, 2 * GRADERS_FIRST - 1)


def own_answer(item: Investigation, part: Worked) -> list[str]:
    """What is wrong with an answer of ours: reports of the draws on which it misses its level."""
    hypothesis = part.hypothesis()
    draws = DRAWS if part is item.styles[0] else DRAWS[:1]
    judged = [investigate(item, hypothesis, draw) for draw in draws]
    least = LEVELS.index(part.level)
    return [report(item, one) for one in judged if LEVELS.index(one.level) < least]


def wrong_answer(item: Investigation, part: WrongHypothesis) -> list[str]:
    """What is wrong with a typical wrong hypothesis: it passes, or it does not get its own sentence."""
    judged = investigate(item, part.example(), DRAWS[1])
    named = judged.wrong is not None and judged.wrong.name == part.name
    if judged.passed or not named:
        return [report(item, judged)]
    said = in_one_line(item, judged)
    return [] if part.sentence in said else [said]


def figure(item: Investigation) -> list[str]:
    """What is wrong with the figure of our best answer: it does not say what it shows."""
    judged = investigate(item, item.styles[0].hypothesis())
    if judged.findings is None or judged.findings.figure is None:
        return ["there is no figure"]
    lines, alt = judged.findings.lines, judged.findings.figure().alt
    return [] if lines and len(alt) > 40 else [f"{len(lines)} lines, the figure's text is {alt!r}"]


_see, _make_cases = judging.see, judging.make_cases


@cache
def _made(slug: str, seed: int) -> list[Case]:
    """The cases of an exercise, made once: a run copies its inputs."""
    return _make_cases(get(slug), seed)


@cache
def _first_time(slug: str, seed: int) -> dict[tuple, Seen]:
    """What the reference and the mistakes of an exercise were seen to do."""
    return {}


class ThroughTheWire(Elsewhere):
    """An answer as a grader sees it: what its run left behind comes as bytes."""

    def __init__(self, answer: Callable[..., Any]) -> None:
        self.answer = answer

    def observed(self, exercise: Exercise, case: Case) -> Outcome:
        sent = to_bytes(observe(exercise, self.answer, case))
        came = from_bytes(sent)
        assert to_bytes(came) == sent
        return came


def judge(exercise: Exercise, answer: Callable[..., Any], seed: int = 0) -> Verdict:
    """`judging.judge`, with the reference and the mistakes run once for all answers; the answer always runs.

    It is run as a grader runs it, so that whatever is asked here is asked of the wire, too.
    """
    known, answered = _first_time(exercise.slug, seed), set()

    def see_once(exercise: Exercise, function: Callable[..., Any], case: Case) -> Seen:
        key = function, id(case)
        if function is answer and key not in answered:
            answered.add(key)
            return _see(exercise, ThroughTheWire(function), case)
        if key not in known:
            known[key] = _see(exercise, function, case)
        return known[key]

    with mock.patch.object(judging, "make_cases", lambda one, seed: _made(one.slug, seed)):
        return judging.judge(exercise, answer, seed, see_once)


def verdict_on(exercise: Exercise | ValueExercise, answer: Any, seed: int = 0) -> Verdict:
    """What `check` would say, for a function or for a value (which may be made by a function)."""
    if isinstance(exercise, Exercise):
        return judge(exercise, answer, seed)
    return judging.judge_value(exercise, answer() if callable(answer) else answer)


def reference(exercise: Exercise, seed: int) -> list[str]:
    """What is wrong with an exercise's reference."""
    verdict = judge(exercise, exercise.reference, seed)
    return [] if verdict.passed else [f"seed {seed}: {verdict.finding}"]


def mistake(exercise: Exercise | ValueExercise, part: Mistake, seed: int) -> list[str]:
    """What is wrong with a mistake: it is accepted, or does not get its own sentence."""
    verdict = verdict_on(exercise, part.wrong, seed)
    if verdict.passed:
        return [f"accepted with seed {seed}"]
    if verdict.mistake != part.name:
        return [f"taken for {verdict.mistake!r} with seed {seed}"]
    return [] if verdict.finding.advice == part.sentence else [str(verdict.finding)]


def style(exercise: Exercise | ValueExercise, part: Style, seed: int) -> list[str]:
    """What is wrong with a right answer that is written otherwise: it is rejected."""
    verdict = verdict_on(exercise, part.right, seed)
    return [] if verdict.passed else [f"seed {seed}: {verdict.finding}"]
