"""The processes of a grading run end with it: at once when it is interrupted, and when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="sends signals to a process group"),
]
ROOT = Path(__file__).parents[2]
# A run whose one job lasts an hour. It prints the number of the process that has the job.
RUN = """
import os, time
from mi_tutor.classroom.running import Job, Pool, run_all

class Hour(Pool):
    def submit(self, function, *given):
        print(super().submit(os.getpid).result(), flush=True)
        return super().submit(time.sleep, 3600)

if __name__ == "__main__":
    list(run_all([Job("ada", "ada", "")], None, lambda: Hour(1)))
"""


@pytest.fixture
def run(tmp_path):
    """The run, in a session of its own as a terminal gives it one, and the process of its job."""
    (tmp_path / "run.py").write_text(RUN)
    process = subprocess.Popen(
        [sys.executable, tmp_path / "run.py"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    process.job = int(process.stdout.readline())
    yield process
    if process.poll() is None or _lives(process.job):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _gone(pid: int) -> bool:
    """Whether it ends. Minutes, since they only end a failure."""
    end = time.monotonic() + 180
    while _lives(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not _lives(pid)


def test_an_interrupted_run_waits_for_no_job(run):
    os.killpg(run.pid, signal.SIGINT)  # as Ctrl+C does
    run.wait(timeout=180)
    assert _gone(run.job)
    assert run.stderr.read().count("Traceback") == 1  # of the run, none of its processes


def test_nothing_goes_on_for_a_run_that_was_killed(run):
    run.kill()
    assert _gone(run.job)
