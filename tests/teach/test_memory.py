"""Checks do not grow: a learner presses Run for hours in one kernel, next to a model and 2 GiB of memory.

Every check of a chapter is repeated with its reference as the answer, after one round that opens specimens and
fills caches. At most 2 MiB a round: 20 MiB over ten.

Two chapters stand for the others, for the sake of time: 01 has training and no model; 00 has a model, hooks and
caches. The others take 20 to 60 s of CPU time each, and investigations, which run an experiment each time, more:
MEMORY_CHAPTERS="02 03 04 05" pytest tests/teach/test_memory.py
"""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Callable
from typing import Any

import psutil
import pytest
import torch

from mi_tutor import check
from mi_tutor.teach import CheckFailed
from mi_tutor.teach.exercise import ValueExercise
from mi_tutor.teach.investigation import Investigation
from mi_tutor.teach.registry import Graded, exercises

pytestmark = pytest.mark.anew  # it asks the machine
MIB = 2**20
ROUNDS = {"01": 10, "00": 3}
CHAPTERS = os.environ.get("MEMORY_CHAPTERS", "01 00").split()
ALL = "MEMORY_CHAPTERS" in os.environ


def growth(a_round: Callable[[], None], rounds: int) -> float:
    """MiB by which this process grew over the rounds, after one that does not count."""
    a_round()
    before = _resident()
    for _ in range(rounds):
        a_round()
    return (_resident() - before) / MIB


def _resident() -> int:
    gc.collect()
    return psutil.Process().memory_info().rss


def right_answer(item: Graded) -> Any:
    """What passes the check of an exercise or investigation."""
    if isinstance(item, Investigation):
        return item.styles[0].hypothesis()
    return item.expected() if isinstance(item, ValueExercise) else item.reference


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_right_answers(chapter):
    answers = {
        item.slug: right_answer(item)
        for item in exercises(chapter)
        if ALL or not isinstance(item, Investigation)
    }

    def all_checks() -> None:
        for slug, answer in answers.items():
            check(slug, answer)

    rounds = ROUNDS.get(chapter, 10)
    assert growth(all_checks, rounds) < 2 * rounds


def test_answers_that_raise():
    """An exception knows the frames it came through: a verdict must not keep them, nor what they hold.

    The tensor itself is asked: what the allocator keeps of what was let go says nothing about us.
    """
    held = []

    def raises(x, W, b):
        large = torch.ones(3)
        held.append(weakref.ref(large))
        raise ValueError(f"{len(large)} numbers")

    for _ in range(3):
        with pytest.raises(CheckFailed):
            check("toy-forward", raises)
    gc.collect()
    assert held and not any(each() is not None for each in held)
