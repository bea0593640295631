"""What only the grader has: seeds, and what references and known mistakes do. Worked out once per variant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from mi_tutor.classroom.seeds import fair_seed, own_number, variant
from mi_tutor.teach.draws import graders_draw
from mi_tutor.teach.exercise import Case, Exercise, ValueExercise
from mi_tutor.teach.investigating import Judged, investigate
from mi_tutor.teach.investigation import Investigation
from mi_tutor.teach.judging import OnOtherInput, Verdict, judge, judge_value, see
from mi_tutor.teach.outcome import Elsewhere, tensors_in
from mi_tutor.teach.recognising import Seen

MOST_KEPT = 1_000_000  # numbers of one outcome
OTHERS_KEPT, NUMBERS_OF_OTHERS = 20_000, 5_000  # outcomes on changed inputs, and numbers of each
Key = tuple[str, tuple[int, int] | None, int | str]


class Truth:
    """Verdicts on answers that live elsewhere."""

    def __init__(self, secret: bytes, draws: bytes | None = None) -> None:
        self._secret = secret
        self._draws_secret = draws
        self._draws: dict[str, int] = {}
        self._seen: dict[Key, Seen] = {}
        self._others: dict[Key, Seen] = {}
        self._values: dict[str, ValueExercise] = {}
        self._seeds: dict[tuple[str, int], int] = {}

    def judge(self, exercise: Exercise, answer: Elsewhere, seed: int) -> Verdict:
        """The verdict of `check`, on the cases of a seed."""
        return judge(exercise, answer, seed, self._look)

    def seed(self, exercise: Exercise, learner: str) -> int:
        """The seed on which a learner's answer is judged."""
        number = variant(self._secret, learner, exercise.slug)
        key = exercise.slug, number
        if key not in self._seeds:
            self._seeds[key] = fair_seed(
                self._secret, exercise.slug, number, lambda seed: self._is_fair(exercise, seed)
            )
        return self._seeds[key]

    def _is_fair(self, exercise: Exercise, seed: int) -> bool:
        right = [exercise.reference, *(style.right for style in exercise.styles)]
        return all(judge(exercise, answer, seed, self._look).passed for answer in right)

    def own(self, exercise: ValueExercise, learner: str) -> ValueExercise:
        """A learner's version in an exam. The mistakes are the chapter's: of another version they say nothing."""
        if exercise.variant is None:
            return exercise
        variant = exercise.variant(own_number(self._secret, learner, exercise.slug))
        return replace(exercise, expected=variant.expected, mistakes=(), otherwise=variant.asked)

    def judge_value(self, exercise: ValueExercise, value: Any, learner: str = "") -> Verdict:
        """The verdict of `check` on plain data; what is right is measured once. learner: whose version, if any."""
        if learner and exercise.variant is not None:
            return judge_value(self.own(exercise, learner), value)
        if exercise.slug not in self._values:
            mistakes = tuple(
                replace(one, wrong=cache(one.wrong) if callable(one.wrong) else one.wrong)
                for one in exercise.mistakes
            )
            self._values[exercise.slug] = replace(
                exercise, expected=cache(exercise.expected), mistakes=mistakes
            )
        return judge_value(self._values[exercise.slug], value)

    def draw(self, item: Investigation) -> int:
        """The draw that the whole class is marked on: without a secret of its own that of a notebook run once."""
        if item.slug not in self._draws:
            self._draws[item.slug] = graders_draw(item, self._draws_secret)
        return self._draws[item.slug]

    def investigate(self, item: Investigation, value: Any, draw: int) -> Judged:
        """The experiment of a draw."""
        return investigate(item, value, draw)

    def forget(self, slug: str) -> None:
        """What is remembered of an exercise: a verdict was given up in the middle of it."""
        self._values.pop(slug, None)
        for kept in (self._seen, self._others):
            for key in [key for key in kept if key[0] == slug]:
                del kept[key]

    def size(self, exercise: Exercise, case: Case) -> int:
        """How many numbers the reference leaves on a case."""
        return _numbers(self._look(exercise, exercise.reference, case))

    def _look(self, exercise: Exercise, function: Callable[..., Any], case: Case) -> Seen:
        if isinstance(function, Elsewhere):
            return see(exercise, function, case)
        if isinstance(function, OnOtherInput):
            key = function.change.key or function.change.words
            kept, most = self._others, NUMBERS_OF_OTHERS
            if len(kept) >= OTHERS_KEPT:
                kept.clear()
        else:
            key, kept, most = id(function), self._seen, MOST_KEPT
        whole: Key = (exercise.slug, case.at, key)
        if whole not in kept:
            seen = see(exercise, function, case)
            if _numbers(seen) > most:
                return seen
            kept[whole] = seen
        return kept[whole]


def _numbers(seen: Seen) -> int:
    parts = [seen.outcome.value, dict(seen.outcome.gradients or {})]
    return sum(tensor.numel() for tensor in tensors_in(parts))
