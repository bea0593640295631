"""Progress survives what happens to files on real machines: many writers, kills, damage, full and closed disks."""

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import filelock
import pytest

from mi_tutor.teach import progress_store as store
from mi_tutor.teach.progress import as_text, attempts, passed_slugs, record, summary

pytestmark = pytest.mark.anew  # locks, full disks, processes that are killed


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    monkeypatch.setenv("MI_TUTOR_HOME", str(folder))
    monkeypatch.setattr(store, "_unsaved", [])
    return folder


def lines(home: Path) -> list[str]:
    return (home / "progress.jsonl").read_text().splitlines()


def start(script: str, home: Path, *arguments: str, stdout: int | None = None) -> subprocess.Popen:
    """A real Python process with the learner's progress in `home`."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        env={**os.environ, "MI_TUTOR_HOME": str(home)},
        stdout=stdout,
        text=True,
    )


class TestRecord:
    def test_writes_one_line_per_event(self, home):
        assert record("toy-forward", False) is None
        assert record("toy-forward", True, seconds=0.12345) is None
        first, second = map(json.loads, lines(home))
        assert (first["slug"], first["passed"]) == ("toy-forward", False) and "seconds" not in first
        assert (second["passed"], second["seconds"]) == (True, 0.123)

    def test_what_was_passed_stays_passed(self):
        record("a", True)
        record("a", False)
        record("b", False)
        assert passed_slugs() == {"a"}
        assert (attempts("a"), attempts("b"), attempts("c")) == (2, 1, 0)

    def test_nothing_there_yet(self):
        assert passed_slugs() == frozenset()
        assert store.read() == store.Log((), None)

    def test_is_quick(self):
        record("warm-up", True)
        times = []
        for _ in range(20):
            begin = time.perf_counter()
            record("a", True)
            times.append(time.perf_counter() - begin)
        assert min(times) < 0.02  # other work on the machine only ever slows one down

    def test_default_folder_is_the_users_data_folder(self, monkeypatch):
        import platformdirs

        monkeypatch.delenv("MI_TUTOR_HOME")
        assert store.progress_folder() == Path(
            platformdirs.user_data_dir("mi_tutor", appauthor=False)
        )
        monkeypatch.setenv("MI_TUTOR_HOME", "~/somewhere")
        assert store.progress_folder() == Path.home() / "somewhere"

    def test_does_not_import_torch(self):
        code = "import sys, mi_tutor.teach.progress; assert 'torch' not in sys.modules"
        subprocess.run([sys.executable, "-c", code], check=True)


class TestManyWriters:
    def test_processes_writing_at_once_lose_nothing(self, home):
        script = """
            import sys
            from mi_tutor.teach.progress import record
            for number in range(40):
                assert record(f"{sys.argv[1]}-{number}", True) is None
        """
        writers = [start(script, home, f"writer{n}") for n in range(5)]
        assert [writer.wait(timeout=300) for writer in writers] == [0] * 5
        assert passed_slugs() == {f"writer{n}-{number}" for n in range(5) for number in range(40)}
        assert len(lines(home)) == 200

    def test_threads(self, home):
        def work(name: int) -> None:
            for number in range(20):
                record(f"{name}-{number}", True)

        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(lines(home))) == len(passed_slugs()) == 80


class TestKilled:
    def test_everything_acknowledged_is_there_after_sigkill(self, home):
        script = """
            import itertools
            from mi_tutor.teach.progress import record
            for number in itertools.count():
                record(f"event-{number}", True)
                print(number, flush=True)
        """
        for seen in (
            3,
            17,
        ):  # killed while it holds or waits for the lock, wherever it happens to be
            process = start(script, home, stdout=subprocess.PIPE)
            for _ in range(seen):
                last = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            last = int((process.stdout.read().split() or [last])[-1])
            process.wait()
            process.stdout.close()
            assert {f"event-{n}" for n in range(last + 1)} <= passed_slugs()
        begin = time.perf_counter()
        assert record("after", True) is None  # the lock of the dead is free
        assert time.perf_counter() - begin < 30
        assert store.read().note is None

    def test_killed_between_the_two_halves_of_a_write(self, home):
        script = """
            import os, signal
            from mi_tutor.teach.progress import record
            record("before", True)
            write = os.write
            def half(fd, data):
                if b"half" not in data:
                    return write(fd, data)
                write(fd, data[: len(data) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            os.write = half
            record("half", True)
        """
        process = start(script, home)
        assert process.wait(timeout=300) == -signal.SIGKILL
        assert not (home / "progress.jsonl").read_bytes().endswith(b"\n")
        assert store.read() == store.Log(store.read().events, None) and passed_slugs() == {"before"}
        assert record("after", True) is None
        assert passed_slugs() == {"before", "after"}
        assert json.loads(lines(home)[-1])["slug"] == "after"  # on a fresh line
        assert store.read().note is None and len(list(home.glob("*damaged*"))) == 0

    @pytest.mark.parametrize("missing", range(1, 70, 4))
    def test_a_line_cut_anywhere(self, home, missing):
        record("first", True)
        record("second", True)
        path = home / "progress.jsonl"
        whole = path.read_bytes()
        path.write_bytes(whole[:-missing])
        cut_newline_only = missing == 1
        record("third", True)
        expected = {"first", "second", "third"} if cut_newline_only else {"first", "third"}
        assert passed_slugs() == expected
        assert store.read().note is None


class TestDamaged:
    def damage(self, home: Path, middle: bytes) -> bytes:
        record("first", True)
        path = home / "progress.jsonl"
        with path.open("ab") as file:
            file.write(middle)
        record("last", True)
        return path.read_bytes()

    @pytest.mark.parametrize(
        "middle",
        [
            b"\x00" * 4096 + b"\n",
            b"\xff\xfe not text \x80\n",
            b"<<<<<<< mine\n=======\n",
            b'["a list"]\n',
            b"[" * 100_000 + b"\n",
            b'{"time": "x"} and more\n',
        ],
    )
    def test_is_copied_aside_once_and_the_rest_kept(self, home, middle):
        before = self.damage(home, middle)
        log = store.read()
        assert {event.slug for event in log.events if event.passed} == {"first", "last"}
        (copy,) = home.glob("progress.damaged-*.jsonl")
        assert copy.read_bytes() == before and str(copy) in log.note
        assert store.read().note is None  # said once, copied once
        assert record("more", True) is None
        assert passed_slugs() == {"first", "last", "more"}
        assert len(list(home.glob("progress.damaged-*"))) == 1

    def test_copies_never_overwrite_each_other(self, home):
        copies = [self.damage(home, b"bad 1\n")]
        store.read()
        copies.append(self.damage(home, b"bad 2\n"))
        store.read()
        kept = sorted(home.glob("progress.damaged-*"))
        assert [path.read_bytes() for path in kept] == copies

    def test_events_inside_a_damaged_line_are_found(self, home):
        record("whole", True)
        path = home / "progress.jsonl"
        event = path.read_bytes().strip()
        inside = [
            event.replace(b"whole", name)
            for name in (b"after-zeros", b"glued-1", b"glued-2", b"after-half")
        ]
        with path.open("ab") as file:
            file.write(
                b"\x00" * 100
                + inside[0]
                + b"\n"
                + inside[1]
                + inside[2]
                + b"\n"
                + event[:20]
                + inside[3]
            )
        assert passed_slugs() == {"whole", "after-zeros", "glued-1", "glued-2", "after-half"}
        assert passed_slugs() == {"whole", "after-zeros", "glued-1", "glued-2", "after-half"}

    def test_lines_of_a_newer_version_are_left_alone(self, home):
        before = self.damage(home, b'{"time": "2030", "hint": 3}\n{"slug": 5, "passed": "yes"}\n')
        assert passed_slugs() == {"first", "last"} and store.read().note is None
        assert (home / "progress.jsonl").read_bytes() == before

    def test_edited_with_an_editor(self, home):
        record("first", True)
        path = home / "progress.jsonl"
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n\r\n"))
        assert record("second", True) is None
        assert passed_slugs() == {"first", "second"}
        assert store.read().note is None

    def test_two_processes_mend_at_once(self, home):
        self.damage(home, b"bad\n")
        script = """
            from mi_tutor.teach.progress import passed_slugs, record
            assert passed_slugs() == {"first", "last"}, passed_slugs()
        """
        readers = [start(script, home) for _ in range(4)]
        assert [reader.wait(timeout=300) for reader in readers] == [0] * 4
        assert len(list(home.glob("progress.damaged-*"))) == 1

    def test_a_link_stays_a_link(self, home, tmp_path):
        synced = tmp_path / "synced"
        synced.mkdir()
        home.mkdir()
        (home / "progress.jsonl").symlink_to(synced / "mine.jsonl")
        record("first", True)
        (synced / "mine.jsonl").write_bytes((synced / "mine.jsonl").read_bytes() + b"bad\n")
        assert passed_slugs() == {"first"}
        assert (home / "progress.jsonl").is_symlink() and b"bad" not in (
            synced / "mine.jsonl"
        ).read_bytes()


class TestCannotBeSaved:
    def closed(self, monkeypatch, error: int) -> None:
        """No file can be opened for writing (permissions do not bind root, who may run these tests)."""
        opened = os.open

        def refuse(path, flags, *rest, **more):
            if "progress" in str(path) and flags & (os.O_WRONLY | os.O_RDWR):
                raise OSError(error, os.strerror(error), str(path))
            return opened(path, flags, *rest, **more)

        monkeypatch.setattr(os, "open", refuse)

    @pytest.mark.parametrize("error", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EIO])
    def test_is_said_in_a_sentence_and_remembered(self, home, monkeypatch, error):
        with monkeypatch.context() as patch:
            self.closed(patch, error)
            sentence = record("a", True)
            assert str(home) in sentence and os.strerror(error).lower() in sentence
            assert "MI_TUTOR_HOME" in sentence and "\n" not in sentence
            assert passed_slugs() == {"a"}
        assert record("b", True) is None  # the disk is back: both are saved
        assert [json.loads(line)["slug"] for line in lines(home)] == ["a", "b"]
        assert attempts("a") == 1

    @pytest.mark.parametrize("error", [NotImplementedError(), OSError(errno.ENOLCK, "No locks")])
    def test_a_drive_without_locks(self, home, monkeypatch, error):
        def refuse(*_, **__):
            raise error

        monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
        assert record("a", True) is None
        assert [json.loads(line)["slug"] for line in lines(home)] == ["a"]
        assert not list(home.glob("*.soft"))

    def test_folder_below_a_file(self, home, monkeypatch):
        home.write_text("a file")
        monkeypatch.setenv("MI_TUTOR_HOME", str(home / "below"))
        assert "could not be saved" in record("a", True)
        assert passed_slugs() == {"a"}
        assert "could not be read" in store.read().note

    def test_file_is_a_folder(self, home):
        (home / "progress.jsonl").mkdir(parents=True)
        assert "could not be saved" in record("a", True)
        assert passed_slugs() == {"a"}

    def test_disk_full_in_mid_write_leaves_the_file_as_it_was(self, home, monkeypatch):
        record("a", True)
        before = (home / "progress.jsonl").read_bytes()
        write = os.write
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", lambda fd, data: write(fd, data[:10]))
            assert "disk is full" in record("b", True)
        assert (home / "progress.jsonl").read_bytes() == before
        assert passed_slugs() == {"a", "b"}

    def test_lock_held_for_ever(self, home, monkeypatch):
        monkeypatch.setattr(store, "LOCK_SECONDS", 0.2)
        home.mkdir()
        with filelock.FileLock(home / "progress.lock"):
            assert "another program holds its lock" in record("a", True)
            begin = time.perf_counter()
            assert record("b", True) is not None  # waits less from now on
            assert time.perf_counter() - begin < 30
        assert record("c", True) is None
        assert [json.loads(line)["slug"] for line in lines(home)] == ["a", "b", "c"]

    def test_damaged_and_read_only(self, home, monkeypatch):
        record("a", True)
        path = home / "progress.jsonl"
        path.write_bytes(path.read_bytes() + b"bad\n")
        before = path.read_bytes()
        with monkeypatch.context() as patch:
            self.closed(patch, errno.EROFS)
            log = store.read()
        assert [event.slug for event in log.events] == ["a"] and "could not be mended" in log.note
        assert path.read_bytes() == before

    def test_saved_at_the_end_of_the_process(self, home):
        home.mkdir()
        script = """
            import filelock, os
            from mi_tutor.teach import progress_store
            progress_store.LOCK_SECONDS = 0.05
            lock = filelock.FileLock(os.environ["MI_TUTOR_HOME"] + "/progress.lock")
            with lock:
                assert progress_store.record("a", True)
        """
        process = start(script, home)
        assert process.wait(timeout=300) == 0
        assert passed_slugs() == {"a"}


def exercise(slug: str, chapter: str, minutes: int = 10) -> SimpleNamespace:
    return SimpleNamespace(slug=slug, chapter=chapter, points=2, minutes=minutes)


class TestSummary:
    exercises = (
        exercise("a", "00"),
        exercise("b", "01"),
        exercise("c", "01", 15),
        exercise("d", "01"),
    )
    quizzes = (SimpleNamespace(slug="q", chapter="01", points=1),)

    def test_counts_by_chapter(self):
        for slug in ("a", "b", "d", "q", "renamed-since"):
            record(slug, True)
        first, second = summary(self.exercises, self.quizzes).chapters
        assert (first.chapter, first.passed, first.total, first.next_slug) == ("00", 1, 1, None)
        assert (second.passed, second.total, second.quizzes_passed, second.quizzes_total) == (
            2,
            3,
            1,
            1,
        )
        assert (second.points, second.points_total) == (5, 7)
        assert (second.next_slug, second.next_minutes) == ("c", 15)

    def test_as_text(self):
        record("a", True)
        record("b", True)
        assert as_text(summary(self.exercises, self.quizzes)).splitlines() == [
            "chapter 00  ████████████  1 of 1                         all done",
            "chapter 01  ████░░░░░░░░  1 of 3   quick checks 0 of 1   next: c (15 min)",
            "2 of 4 exercises   4 of 9 points   exercises left: about 25 min",
        ]
        long = [exercise(str(n), "01", 40) for n in range(3)]
        assert as_text(summary(long)).endswith("0 of 6 points   exercises left: about 2 h 0 min")

    def test_columns_stand_below_each_other(self):
        many = [exercise(str(n), "02", 5) for n in range(10)]
        quiz = SimpleNamespace(slug="r", chapter="02", points=1)
        text = as_text(summary((*self.exercises[1:], *many), (*self.quizzes, quiz)))
        first, second = text.splitlines()[:2]
        for word in ("quick", "next"):
            assert first.index(word) == second.index(word)

    def test_what_comes_back_today_is_said(self):
        record("q", True)
        assert summary(self.exercises, self.quizzes).due == 0
        later = summary(self.exercises, self.quizzes, today=date.today() + timedelta(days=2))
        assert later.due == 1 and "1 quick check(s) come back today: review()" in as_text(later)

    def test_bar_is_full_only_when_all_is_done(self):
        many = [exercise(str(n), "01") for n in range(100)]
        assert "█" not in as_text(summary(many))
        record("0", True)
        assert as_text(summary(many)).count("█") == 1
        for n in range(99):
            record(str(n), True)
        assert as_text(summary(many)).count("█") == 11

    def test_a_note_is_said(self, home):
        record("a", True)
        with (home / "progress.jsonl").open("ab") as file:
            file.write(b"bad\n")
        assert "is kept as" in as_text(summary(self.exercises))
