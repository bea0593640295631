"""A verdict that hangs, wants too much memory or breaks on hostile data costs its own exercise only."""

from __future__ import annotations

import os
import signal

import pytest

from mi_tutor.classroom import guard
from mi_tutor.classroom.guard import Stuck, guarded
from mi_tutor.classroom.judge import NOT_JUDGED
from mi_tutor.classroom.marks import Status
from mi_tutor.teach.outcome import Failure, Outcome
from mi_tutor.teach.recognising import Seen

FORWARD = "def toy_forward(x, W, b):\n    return torch.relu(x @ W.T @ W + b)"
LOSS = "def weighted_loss(x, x_hat, importance):\n    return (importance * (x - x_hat) ** 2).sum(-1).mean()"


def hang(*given, **named):
    while True:
        pass


def eat(*given, **named):
    return bytearray(2**40)


def fail(*given, **named):
    raise ValueError("of hostile data")


HARM = {
    "it took too long": hang,
    "it took too much memory": eat,
    "ValueError: of hostile data": fail,
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_it_costs_its_exercise_only(marks, grader, monkeypatch, harm):
    monkeypatch.setattr(guard, "SECONDS", 0.5)
    judge = grader.truth.judge

    def judging(exercise, answer, seed):
        if exercise.slug == "toy-forward":
            answer.observed(exercise, exercise_case(exercise))
            harm()
        return judge(exercise, answer, seed)

    with monkeypatch.context() as patch:
        patch.setattr(grader.truth, "judge", judging)
        found = marks(toy_forward=FORWARD, weighted_loss=LOSS)
    assert found["toy-forward"].status is Status.STOPPED and found["toy-forward"].earned == 0
    assert found["toy-forward"].sentence == NOT_JUDGED
    (said,) = (words for words, each in HARM.items() if each is harm)
    assert found["toy-forward"].flags == (f"not judged: {said}",)
    assert found["weighted-loss"].status is Status.PASSED
    assert marks(toy_forward=FORWARD)["toy-forward"].status is Status.PASSED


def exercise_case(exercise):
    from mi_tutor.teach.judging import make_cases

    return make_cases(exercise, 0)[0]


def test_what_was_half_worked_out_is_forgotten(grader):
    truth = grader.truth
    truth._seen["toy-forward", (0, 99), 1] = Seen(Outcome(failure=Failure("x", "")), None)
    truth._seen["weighted-loss", (0, 99), 1] = Seen(Outcome(), None)
    truth.forget("toy-forward")
    assert not [key for key in truth._seen if key[0] == "toy-forward"]
    assert truth._seen.pop(("weighted-loss", (0, 99), 1))


def test_limits_end_with_the_verdict():
    with guarded():
        pass
    assert len(bytearray(2**20)) == 2**20
    with pytest.raises(Stuck, match="too much memory"), guarded():
        bytearray(2**40)


def test_a_call_that_never_returns_ends_the_judge(monkeypatch):
    """Another one goes on without it (`test_whole_class`)."""
    ended: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *words: ended.append(words))
    guard._end()
    assert ended == [(os.getpid(), signal.SIGKILL)]
