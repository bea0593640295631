"""Grading on a Dask cluster gives what one machine gives, also when a worker is killed in the middle."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

import mi_tutor
from mi_tutor.classroom import cluster as clusters
from mi_tutor.classroom.cluster import Cluster, NoCluster
from mi_tutor.classroom.jail.entering import can_hold
from mi_tutor.classroom.whole_class import Options, grade_class

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not can_hold(), reason="there is no jail on this machine"),
    pytest.mark.filterwarnings("default"),  # Dask's own
]
FORWARD = "def toy_forward(x, W, b):\n    return torch.relu(x @ W.T @ W + b)"
WRONG = "def toy_forward(x, W, b):\n    return x @ W.T @ W + b"


@pytest.fixture(scope="module")
def local_cluster():
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=2,
        dashboard_address=None,
        worker_dashboard_address=None,
        env={"PYTHONPATH": str(Path(mi_tutor.__file__).parents[1]), "OMP_NUM_THREADS": "1"},
    ) as made:
        yield made


@pytest.fixture
def handed_in(small, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(6):
        file = small.submit(toy_forward=FORWARD if number % 2 else WRONG)
        file.rename(folder / f"learner-{number}.ipynb")
    (folder / "broken.ipynb").write_text("{")
    return folder


def results(out: Path) -> dict[str, dict]:
    """What is in the ledger, but for seconds."""
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert len({line["key"] for line in lines}) == len(lines), "something was graded twice"
    for line in lines:
        line["graded"].pop("seconds")
    return {line["key"]: line for line in lines}


def test_the_same_as_here_and_a_killed_worker_loses_nothing(
    local_cluster, handed_in, small, tmp_path
):
    options = Options(secret=b"a secret of the tests")
    grade_class([handed_in], tmp_path / "here", small.folder, options)

    killed: list[int] = []

    def kill_one(told) -> None:
        if told.graded is not None and not killed:
            with distributed.Client(local_cluster.scheduler_address) as client:
                killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    address = local_cluster.scheduler_address
    grade_class(
        [handed_in], tmp_path / "there", small.folder, options, kill_one, lambda: Cluster(address)
    )
    assert killed and results(tmp_path / "there") == results(tmp_path / "here")


def test_nothing_answers():
    with pytest.raises(NoCluster, match="No Dask scheduler answers"):
        clusters.CONNECT_SECONDS, before = 0.2, clusters.CONNECT_SECONDS
        try:
            Cluster("tcp://127.0.0.1:9")
        finally:
            clusters.CONNECT_SECONDS = before


def test_another_version_there(local_cluster, monkeypatch):
    monkeypatch.setattr(mi_tutor, "__version__", "99")
    with pytest.raises(NoCluster, match="another version than 99"):
        Cluster(local_cluster.scheduler_address)
