"""Checks do not grow: a learner presses Run for hours in one kernel, next to a model and 2 GiB of memory.

Every check of a chapter is repeated with its reference as the answer, after one round that opens specimens and
fills caches, as `benchmarks/memory.py` does: at most 2 MiB a round, 20 MiB over ten.

Two chapters stand for the others, for the sake of time: 01 has training and no model; 00 has a model, hooks and
caches. The others take 20 to 60 s of CPU time each, and investigations, which run an experiment each time, more:
MEMORY_CHAPTERS="02 03 04 05" pytest tests/teach/test_memory.py
"""

from __future__ import annotations

import gc
import os
import weakref
from pathlib import Path

import pytest
import torch

from mi_tutor import check
from mi_tutor.teach import CheckFailed

pytestmark = pytest.mark.anew  # it asks the machine
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
ROUNDS = {"01": 10, "00": 3}  # after the first
CHAPTERS = os.environ.get("MEMORY_CHAPTERS", "01 00").split()
ALL = "MEMORY_CHAPTERS" in os.environ


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_right_answers(monkeypatch, chapter):
    monkeypatch.syspath_prepend(BENCHMARKS)
    from memory import GROWTH, measure

    seen = measure(chapter, 1 + ROUNDS.get(chapter, 10), investigations=ALL)
    assert seen["checks"] and seen["growth"] < GROWTH, seen


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
