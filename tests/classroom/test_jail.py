"""The jail's walls, each tried by a submission for real; and what leans on them from inside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mi_tutor.classroom.jail import bubblewrap, seccomp
from mi_tutor.classroom.jail.bubblewrap import ring
from mi_tutor.classroom.jail.kernel import architecture
from mi_tutor.classroom.workers import Lost, Nursery, readable


@pytest.fixture(scope="module")
def worker(grader):
    made = grader.nursery.worker()
    yield made
    made.end()


def run(worker, source: str, seconds: float = 10.0) -> str:
    """What stopped some code, or ""."""
    failure = worker.ask("run", seconds, number=1, source=source, seconds=seconds)["failure"]
    return "" if failure is None else f"{failure.type_name}: {failure.message}"


def test_every_wall_holds_when_it_is_tried(grader):
    walls = grader.nursery.probe()
    assert len(walls) >= 12
    assert [what for what, holds in walls if not holds] == []


NOT_PERMITTED = {
    "a shell": "import os; os.system('true') == 0 and print(1 / 0)\nos.execv('/bin/true', ['true'])",
    "subprocess": "import subprocess; subprocess.run(['true'])",
    "fork": "import os; os.fork()",
    "multiprocessing": "import multiprocessing as m; p = m.get_context('fork').Process(); p.start()",
    "connecting": "import socket; socket.create_connection(('127.0.0.1', 1))",
    "unix sockets": "import socket; socket.socket(socket.AF_UNIX)",
    "killing the grader": f"import os, signal; os.kill({os.getpid()}, signal.SIGKILL)",
    "killing the parent": "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
    "killing all": "import os; os.kill(-1, 9)",
    "killing the group": "import os; os.killpg(0, 9)",
    "the grader's limits": (
        f"import resource; resource.prlimit({os.getpid()}, resource.RLIMIT_CPU, (1, 1))"
    ),
    "its own limits up": "import resource; resource.setrlimit(resource.RLIMIT_CORE, (9, 9))",
    "the grader's memory": f"open('/proc/{os.getpid()}/mem', 'rb')",
    "the grader's environment": f"open('/proc/{os.getpid()}/environ', 'rb')",
    "its own command line": "open('/proc/self/cmdline')",
    "passwords": "open('/etc/passwd')",
    "solutions": f"open({str(Path('solutions/01_superposition.py').resolve())!r})",
    "listing the temporary folder": "import os; os.listdir('/tmp')",
    "other submissions": "import os; os.listdir('..')",
    "the course itself": "import mi_tutor; open(mi_tutor.__file__, 'a')",
    "its own memory as a file": "open('/proc/self/mem', 'rb')",
    "a device": "open('/dev/tty')",
    "a pipe with a name": "import os; os.mkfifo('p')",
    "watching files": "import ctypes; ctypes.CDLL(None, use_errno=True).inotify_init1(0) >= 0 or 1 / 0",
    "shared memory": "open('/dev/shm/x', 'w')",
    "beside its folder": "open('../x', 'w')",
    "a link out of its folder": "import os; os.symlink('/etc/passwd', 'p')",
    "memory that is no file": "import os; os.memfd_create('x')",
    "rights of a file": "import os; open('f', 'w').close(); os.chmod('f', 0o777)",
    "the clock": "import time; time.clock_settime(time.CLOCK_REALTIME, 0)",
    "another user": "import os; os.setuid(1)",
    "a session": "import os; os.setsid()",
    "a group of processes": "import os; os.setpgid(0, 0)",
    "other namespaces": "import ctypes, os; os.unshare(0) if hasattr(os, 'unshare') else 1 / 0",
}


@pytest.mark.parametrize("source", NOT_PERMITTED.values(), ids=NOT_PERMITTED)
def test_what_is_not_permitted(worker, source):
    assert run(worker, source) != ""
    assert run(worker, "1 + 1") == ""


def test_its_environment_is_empty_and_its_folder_its_own(worker, monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    source = "import os\nassert not {'PATH', 'USER', 'SECRET'} & set(os.environ), os.environ\n"
    assert (
        run(worker, source + "open('mine', 'w').write('x'); assert open('mine').read() == 'x'")
        == ""
    )


@pytest.mark.slow
def test_what_an_honest_answer_needs_is_there(worker):
    honest = [
        "import torch, threading\nt = threading.Thread(target=torch.ones, args=(3,)); t.start(); t.join()",
        "import numpy, math, random, time, inspect\nassert torch.randn(3, 3).svd()",
        "x = torch.randn(4, requires_grad=True); o = torch.optim.Adam([x]); x.sum().backward(); o.step()",
        "import sys; print('x' * 10); sys.stderr.write('x'); sys.stdout.flush()",
        "from mi_tutor.specimens import open_specimen\nm = open_specimen('primer', device='cpu')",
        "def f(): return 3\nimport inspect\nassert 'return 3' in inspect.getsource(f)",
        "from mi_tutor import show",
    ]
    assert [run(worker, source, 100.0) for source in honest] == [""] * len(honest)


def test_a_file_that_is_too_long_is_an_error(worker):
    said = run(
        worker, "with open('long', 'wb') as f:\n    for _ in range(40): f.write(bytes(2**20))"
    )
    assert said.startswith("OSError")


def test_filling_the_disk_ends_the_worker(grader):
    worker = grader.nursery.worker()
    fill = "open(f'f{i}', 'wb').write(bytes(10 * 2**20)); time.sleep(0.1)"
    source = f"import time\nfor i in range(30):\n    {fill}"
    with pytest.raises(Lost, match="full"):
        worker.ask("run", 20.0, number=1, source=source, seconds=20.0)
    assert not worker.folder.exists()


def test_an_end_takes_threads_with_it(grader):
    if grader.nursery.ringed:
        pytest.skip("in the ring processes have numbers of their own")
    worker = grader.nursery.worker()
    pid = worker.pid
    run(
        worker,
        "import threading\ndef spin():\n    while True: pass\nthreading.Thread(target=spin).start()",
    )
    worker.end()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_lists_of_calls_are_whole():
    assert architecture() is None or len(seccomp._program(1)) % 8 == 0
    assert len(seccomp._program(1)) // 8 < 4096
    for numbers in seccomp.REFUSED.values():
        assert numbers[1] is None or numbers[1] < 512


@pytest.fixture(scope="module")
def ringed(tmp_path_factory):
    """A nursery in bubblewrap's ring."""
    made = Nursery.start(tmp_path_factory.mktemp("ringed"))
    yield made
    made.close()


@pytest.mark.skipif(not ring(Path("/tmp"), readable()), reason="bubblewrap may not be used here")
def test_the_ring_and_the_walls_within_it(ringed):
    """Tried before the other walls are up, and those within it."""
    assert ringed.ringed
    walls = dict(ringed.probe())
    assert all(walls.values()) and sum(what.startswith("bubblewrap") for what in walls) == 4
    worker = ringed.worker()
    assert run(worker, "import torch; open('mine', 'w').write(str(torch.ones(3).sum()))") == ""
    assert (worker.folder / "mine").read_text() == "tensor(3.)"
    assert "Error" in run(worker, "open('/etc/passwd')")
    worker.end()
    assert not worker.folder.exists()


def test_without_bubblewrap_or_where_it_fails_there_is_no_ring(monkeypatch, tmp_path):
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: None)
    assert ring(tmp_path, readable()) == []
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: "/bin/false")
    assert ring(tmp_path, readable()) == []
