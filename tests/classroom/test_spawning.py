"""Where nothing can be forked: the same marks, from workers that are started anew."""

from __future__ import annotations

import pytest

from mi_tutor.classroom import grader as grading
from mi_tutor.classroom.grader import Grader, Settings
from mi_tutor.classroom.spawning import Spawner
from mi_tutor.classroom.workers import Lost, NoJail

SUBMISSIONS = {
    "right": "def toy_forward(x, W, b):\n    return torch.relu(x @ W.T @ W + b)",
    "wrong": "def toy_forward(x, W, b):\n    return x @ W.T @ W + b",
    "gone": "import os; os._exit(0)",
    "needs ours": "def toy_forward(x, W, b):\n    return torch.relu(doubled(x) / 2 @ W.T @ W + b)",
}


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
    file = small.submit(toy_forward=SUBMISSIONS[name])
    here, there = spawned.grade("ada", file), grader.grade("ada", file)
    assert here._replace(seconds=0) == there._replace(seconds=0)
    assert (here.earned > 0) == (name in {"right", "needs ours"})


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
