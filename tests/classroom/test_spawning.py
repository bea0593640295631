"""Where nothing can be forked: the same marks, from workers that are started anew."""

from __future__ import annotations

import pytest

from mi_tutor.classroom import grader as grading
from mi_tutor.classroom.grader import Grader, Settings
from mi_tutor.classroom.marks import Status
from mi_tutor.classroom.spawning import Spawner
from mi_tutor.classroom.workers import Lost, NoJail

RIGHT = "def toy_forward(x, W, b):\n    return torch.relu(x @ W.T @ W + b)"
LOSS = "def weighted_loss(x, x_hat, importance):\n    return (importance * (x - x_hat) ** 2).sum(-1).mean()"
# Two answers each, since every submission starts workers: their text, and what becomes of them.
SUBMISSIONS = {
    "right, wrong": (RIGHT, LOSS.replace("importance * ", ""), Status.PASSED, Status.WRONG),
    "gone, needs ours": (
        "import os; os._exit(0)", LOSS.replace("(importance *", "(doubled(importance) / 2 *"), Status.STOPPED,
        Status.PASSED,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def spawned(small):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grading, "CAN_FORK", False)
        made = Grader(Settings(str(small.folder), b"a secret of the tests", jail=False))
    assert isinstance(made.nursery, Spawner)
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", SUBMISSIONS)
def test_the_marks_of_forked_workers(spawned, grader, small, name):
    forward, loss, *expected = SUBMISSIONS[name]
    file = small.submit(toy_forward=forward, weighted_loss=loss)
    here, there = spawned.grade("ada", file), grader.grade("ada", file)
    assert here._replace(seconds=0) == there._replace(seconds=0)
    assert [mark.status for mark in here.marks[:2]] == expected
    assert [mark.earned > 0 for mark in here.marks[:2]] == [s is Status.PASSED for s in expected]


@pytest.mark.slow
def test_what_calls_without_the_token_is_no_worker(spawned):
    import json
    import socket

    from mi_tutor.classroom.channel import send
    from mi_tutor.classroom.spawning import Started

    warm = spawned.folder / "none.json"
    warm.write_text(json.dumps({"sources": [], "slugs": []}))
    started = Started(spawned.nursery.home, warm)
    try:
        with socket.create_connection(started.listener.getsockname()) as other:
            send(other, {"token": "guessed", "ran": []})
            with pytest.raises(Lost, match="garbled"):
                started.channel()
    finally:
        started.end()


def test_no_jail_is_said(tmp_path):
    with pytest.raises(NoJail):
        Spawner.start(tmp_path)
    with pytest.raises(NoJail):
        Spawner.start(tmp_path, jail=False).try_jail()
