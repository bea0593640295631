"""The command itself: quick to start, plain in a pipe, calm about mistakes."""

import errno
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from mi_tutor.cli import listing, say
from mi_tutor.teach.progress import record

COMMAND = [sys.executable, "-m", "mi_tutor.cli"]
COMMANDS = (
    "learn",
    "start",
    "update",
    "undo",
    "reset",
    "review",
    "report",
    "doctor",
    "progress",
    "check",
    "exercises",
    "build",
    "site",
)


def test_help_comes_at_once_and_loads_nothing_heavy():
    before = sum(os.times()[2:4])  # CPU seconds of children: how busy the machine is does not count
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True)
    assert sum(os.times()[2:4]) - before < 1  # 0.1 s
    assert all(name in done.stdout for name in COMMANDS)
    heavy = "{'torch', 'rich', 'nbformat', 'pytest'}"
    code = f"import sys, mi_tutor.cli.app; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(mi_tutor, command):
    code, out, _ = mi_tutor(command, "--help")
    assert code == 0 and "Usage" in out


def test_a_misspelt_command_is_answered_with_the_nearest(mi_tutor):
    code, _, err = mi_tutor("chekc")
    assert code == 2 and "check" in err and "Traceback" not in err


def test_what_a_file_system_refuses_is_one_sentence(mi_tutor, course, monkeypatch):
    code, _, err = mi_tutor("export", "gradescope", "01", "--out", "no/such/folder.zip")
    assert code == 2 and err == "It stopped: no/such/folder.zip: no such file or directory.\n"

    def raises(*given):
        raise error

    monkeypatch.setattr(listing, "show_progress", raises)
    error = OSError(errno.ENOSPC, "whatever the system calls it")
    code, _, err = mi_tutor("progress")
    assert code == 2 and err == "It stopped: no space left on device.\n"
    error = OSError(errno.EBADF, "a fault of ours")
    with pytest.raises(OSError, match="a fault of ours"):
        mi_tutor("progress")


def test_a_pipe_that_closes_early():
    words = " ".join(f'"{word}"' for word in COMMAND)
    done = subprocess.run(
        f"{words} doctor --help | head -c 1", shell=True, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stderr == ""


def test_a_console_without_signs():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    code = "from mi_tutor.cli.say import sign; print(sign('good'), sign('bad'))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "ok !!\n"


def fake(slug: str, chapter: str = "01") -> SimpleNamespace:
    mistakes = (SimpleNamespace(name="no-bias", sentence="The bias | is missing."),) * 3
    numbers = {"minutes": 10, "difficulty": 2, "points": 3}
    return SimpleNamespace(
        slug=slug, chapter=chapter, mistakes=mistakes, styles=(1, 2), hints=("a",), **numbers
    )


@pytest.fixture
def fakes(monkeypatch):
    quiz = SimpleNamespace(slug="q", chapter="01", points=1)
    monkeypatch.setattr(
        listing, "course", lambda chapter=None: ((fake("one"), fake("two-words")), (quiz,))
    )


class TestExercises:
    def test_table(self, mi_tutor, fakes):
        code, out, _ = mi_tutor("exercises")
        assert code == 0
        assert [line.split() for line in out.splitlines()] == [
            [
                "chapter",
                "exercise",
                "minutes",
                "difficulty",
                "points",
                "mistakes",
                "styles",
                "hints",
            ],
            ["01", "one", "10", "2", "3", "3", "2", "1"],
            ["01", "two-words", "10", "2", "3", "3", "2", "1"],
            ["2", "exercises", "20", "6", "6", "4", "2"],
        ]
        assert len({len(line) for line in out.splitlines()}) == 1  # columns line up

    def test_markdown(self, mi_tutor, fakes):
        _, out, _ = mi_tutor("exercises", "--markdown")
        assert out.splitlines()[1] == "|---|---|---:|---:|---:|---:|---:|---:|"
        assert all(line.count("|") == 9 for line in out.splitlines())

    def test_mistakes(self, mi_tutor, fakes):
        _, out, _ = mi_tutor("exercises", "--mistakes")
        assert "one  (3 known mistakes)\n  no-bias\n      The bias | is missing.\n" in out
        _, out, _ = mi_tutor("exercises", "--mistakes", "--markdown")
        assert "| one | no-bias | The bias \\| is missing. |" in out

    def test_on_a_terminal(self, monkeypatch, capsys):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        say.table(["name", "n"], [["one", 1]], numbers=["n"])
        say.say("A sentence [not markup].", "good")
        assert "one" in (out := capsys.readouterr().out) and "[not markup]" in out

    def test_unknown_chapter(self, mi_tutor):
        code, out, err = mi_tutor("exercises", "98")
        assert (code, out) == (2, "") and err.startswith("There is no chapter '98'. There are:")


class TestProgress:
    def test_bars(self, mi_tutor, fakes, home):
        record("one", True)
        code, out, _ = mi_tutor("progress")
        assert code == 0
        assert out.splitlines() == [
            "chapter 01  ██████░░░░░░  1 of 2   quick checks 0 of 1   next: two-words (10 min)",
            "3 of 7 points   exercises left: about 10 min",
            f"Kept in {home}",
        ]

    def test_json(self, mi_tutor, fakes):
        record("one", True)
        _, out, _ = mi_tutor("progress", "--json")
        assert json.loads(out)["chapters"][0]["next_slug"] == "two-words"

    def test_damage_is_told(self, mi_tutor, fakes, home):
        record("one", True)
        with (home / "progress.jsonl").open("ab") as file:
            file.write(b"oops\n")
        code, out, _ = mi_tutor("progress")
        assert code == 0 and "is kept as" in out and "1 of 2" in out
