"""Folders that a killed process left are taken away by the next one; nobody else's are."""

from __future__ import annotations

import subprocess
import sys
import tempfile

import pytest

from mi_tutor.classroom import temporary

pytestmark = pytest.mark.skipif(temporary.fcntl is None, reason="nothing is locked here")
WAITS = (
    "from mi_tutor.classroom import temporary\n"
    "made = temporary.make('grade')\n"
    "(made / 'worker-1' / 'deep').mkdir(parents=True)\n"
    "print(made, flush=True)\n"
    "input()"
)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder for temporary ones, here and in processes started from here."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.fixture
def other(elsewhere):
    """Another process, with a folder of its own."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", WAITS], text=True, **pipes)
    process.folder = elsewhere / process.stdout.readline().strip()
    yield process
    process.kill()
    process.communicate()


def test_what_a_killed_process_left_goes(elsewhere, other):
    with temporary.folder("submissions") as mine:
        assert temporary.tidy() == 0 and other.folder.is_dir()  # both are in use
        other.kill()
        other.wait()
        assert temporary.tidy() == 1 and not other.folder.exists() and mine.is_dir()
    assert list(elsewhere.iterdir()) == []


def test_a_process_killed_while_it_takes_its_folder_away(elsewhere, monkeypatch):
    """As long as anything is left, so is the lock that says that it is nobody's."""

    class Killed(BaseException):
        pass

    def killed(folder):
        raise Killed

    made = temporary.make("grade")
    (made / "worker-1").mkdir()
    for number in range(5):
        (made / f"{number}.json").touch()
    with monkeypatch.context() as patch:
        patch.setattr(temporary.folders, "remove", killed)
        with pytest.raises(Killed):
            temporary.remove(made)
    assert (made / temporary.LOCK).exists()
    temporary.os.close(temporary._held.pop(made))  # as the end of the process does
    assert temporary.tidy() == 1 and list(elsewhere.iterdir()) == []


def test_what_is_nobodys_business_stays(elsewhere):
    """Folders that were not made here, and links that lead out of the way."""
    outside = elsewhere / "mine"
    outside.mkdir()
    (outside / temporary.LOCK).touch()
    (elsewhere / "mi_tutor-grade-link").symlink_to(outside)
    (elsewhere / "mi_tutor-grade-unlocked").mkdir()
    linked = elsewhere / "mi_tutor-grade-linked"
    linked.mkdir()
    (linked / temporary.LOCK).symlink_to(outside / temporary.LOCK)
    assert temporary.tidy() == 0
    assert len(list(elsewhere.iterdir())) == 4 and (outside / temporary.LOCK).exists()
