"""Workspaces on a disk: made, brought up to date, put back, and what happens when the disk does not play along."""

import errno
import json
import multiprocessing
import os
import sys
from pathlib import Path

import pytest
from small_course import NAMES, answer

from mi_tutor.folders import is_workspace, workspace_above
from mi_tutor.workspace import folder, steps
from mi_tutor.workspace.folder import reset, start, undo, update
from mi_tutor.workspace.settings import OVERRIDES, config_folder
from mi_tutor.workspace.steps import WorkspaceError

ANSWER = "return 2 * x"
SEVEN = Path("chapters", "07_doubling.ipynb")


def said(path):
    return [cell["source"] for cell in json.loads(path.read_bytes())["cells"]]


def text(path):
    return "\n".join("".join(source) for source in said(path))


def files(root):
    """Every file that a learner sees, with its content, and our copies of the chapters."""
    found = [path for path in root.rglob("*") if path.is_file()]
    left_out = ("steps", "lock", "lock.soft")
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in found
        if not set(left_out) & set(path.relative_to(root).parts)
    }


class TestStart:
    def test_a_workspace_has_all_of_the_course(self, course, workspace):
        assert is_workspace(workspace)
        for part in ("chapters", "solutions"):
            for name in NAMES:
                assert (workspace / part / name).is_file()
        assert workspace_above(workspace / "chapters") == workspace.resolve()
        kept = config_folder(workspace) / "labconfig" / "default_setting_overrides.json"
        assert json.loads(kept.read_text()) == OVERRIDES

    def test_notebooks_that_are_there_are_taken_in(self, course, tmp_path):
        root = tmp_path / "mine"
        (root / "chapters").mkdir(parents=True)
        (root / SEVEN).write_bytes((course.root / SEVEN).read_bytes())
        answer(root)
        (root / "other.txt").write_text("mine")
        assert start(root).new == ["06_halving.ipynb"]
        assert ANSWER in text(root / SEVEN) and (root / "other.txt").read_text() == "mine"

    def test_a_second_start_is_an_update(self, course, workspace):
        course.get_newer(recap="New.")
        assert start(workspace).newer == ["07_doubling.ipynb"]
        assert ANSWER in text(workspace / SEVEN)

    def test_not_in_the_course_itself_and_not_over_a_file(self, course, tmp_path):
        with pytest.raises(WorkspaceError, match="is the course itself"):
            start(course.root)
        (tmp_path / "file").write_text("mine")
        with pytest.raises(WorkspaceError, match="is a file"):
            start(tmp_path / "file")

    def test_progress_from_before_comes_along(self, course, tmp_path, monkeypatch):
        home = tmp_path / "home"
        monkeypatch.setenv("MI_TUTOR_HOME", str(home))
        home.mkdir()
        (home / "progress.jsonl").write_text('{"time": "", "slug": "a", "passed": true}\n')
        assert start(tmp_path / "mine").notes == ["Your progress so far came along."]
        monkeypatch.delenv("MI_TUTOR_HOME")
        monkeypatch.chdir(tmp_path / "mine" / "chapters")
        from mi_tutor.teach.progress_store import passed_slugs, progress_folder

        assert progress_folder() == (tmp_path / "mine" / ".mi_tutor").resolve()
        assert passed_slugs() == {"a"}


class TestUpdate:
    def test_newer_text_and_the_answer(self, course, workspace):
        course.get_newer(recap="## Recap\n\nAll of it.")
        report = update(workspace)
        assert (report.newer, report.answers) == (["07_doubling.ipynb"], 1)
        assert ANSWER in text(workspace / SEVEN) and "All of it." in text(workspace / SEVEN)

    def test_nothing_new_writes_nothing(self, workspace):
        before = files(workspace)
        assert not update(workspace).newer
        assert files(workspace) == before
        assert len(list((workspace / ".mi_tutor" / "steps").iterdir())) == 1

    def test_a_conflict_is_said_and_shown(self, course, workspace):
        course.get_newer(ex_double='def double(x):\n    """New."""\n    raise NotImplementedError')
        report = update(workspace)
        assert report.notes[0].startswith("07_doubling.ipynb: double: the course changed")
        assert ANSWER in text(workspace / SEVEN) and '"""New."""' in text(workspace / SEVEN)

    def test_a_chapter_that_has_another_name_now(self, course, workspace):
        (course.root / SEVEN).rename(course.root / "chapters" / "07_twice.ipynb")
        report = update(workspace)
        assert report.notes == ["07_doubling.ipynb is called 07_twice.ipynb now."]
        assert ANSWER in text(workspace / "chapters" / "07_twice.ipynb")
        assert not (workspace / SEVEN).exists()
        undo(workspace)
        assert ANSWER in text(workspace / SEVEN)
        assert not (workspace / "chapters" / "07_twice.ipynb").exists()

    @pytest.mark.parametrize("is_new", [True, False])
    def test_an_exercise_that_is_in_another_chapter_now(self, course, workspace, is_new):
        """A chapter is cut in two, say: the answer goes with its exercise, and a copy stays."""
        name = "08_rest.ipynb" if is_new else "06_halving.ipynb"
        cells = json.loads((course.root / SEVEN).read_text())["cells"]
        for file, kept in [(name, cells[:5]), ("07_doubling.ipynb", [cells[0], *cells[5:]])]:
            notebook = json.loads((course.root / SEVEN).read_text())
            notebook["cells"] = kept
            notebook["metadata"]["mi_tutor"]["digest"] = f"newer {file}"
            course.ship("chapters", file, notebook)
        report = update(workspace)
        assert f"double is in {name} now, and your answer went with it." in report.notes
        assert ANSWER in said(workspace / "chapters" / name)[3][1]
        assert ANSWER in text(workspace / SEVEN)
        before = files(workspace)
        assert not update(workspace).notes and files(workspace) == before

    def test_our_copy_of_a_chapter_is_broken(self, course, workspace):
        (workspace / ".mi_tutor" / "base" / "07_doubling.ipynb").write_bytes(b"{")
        course.get_newer(recap="New.")
        update(workspace)
        assert ANSWER in text(workspace / SEVEN) and "New." in text(workspace / SEVEN)

    def test_a_new_chapter_and_a_deleted_one(self, course, workspace):
        course.ship("chapters", "08_thirds.ipynb", json.loads((course.root / SEVEN).read_text()))
        (workspace / "chapters" / "06_halving.ipynb").unlink()
        assert update(workspace).new == ["06_halving.ipynb", "08_thirds.ipynb"]

    def test_a_solution_that_was_written_in_is_kept(self, course, workspace):
        path = workspace / "solutions" / "07_doubling.ipynb"
        path.write_text("mine")
        course.ship("solutions", "07_doubling.ipynb", {"cells": []})
        assert "07_doubling.kept-1.ipynb" in update(workspace).notes[0]
        assert path.with_name("07_doubling.kept-1.ipynb").read_text() == "mine"
        course.ship("solutions", "07_doubling.ipynb", {"cells": [{}]})
        assert update(workspace).notes == []

    @pytest.mark.parametrize("broken", [b'{"cells": [{"source": "retur', b"\xff\xfe", b"[1]"])
    def test_a_broken_notebook_is_moved_aside(self, workspace, broken):
        (workspace / SEVEN).write_bytes(broken)
        report = update(workspace)
        assert "07_doubling.kept-1.ipynb" in report.notes[0]
        assert (workspace / "chapters" / "07_doubling.kept-1.ipynb").read_bytes() == broken
        assert 'check("double", double)' in said(workspace / SEVEN)[4]

    def test_an_empty_notebook(self, workspace):
        (workspace / SEVEN).write_bytes(b"")
        assert update(workspace).notes == ["07_doubling.ipynb was empty: it is there again."]

    def test_a_notebook_with_a_mark_of_its_encoding_is_read(self, course, workspace):
        path = workspace / SEVEN
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
        course.get_newer(recap="New.")
        assert update(workspace).answers == 1 and ANSWER in text(path)

    def test_elsewhere(self, course, tmp_path):
        with pytest.raises(WorkspaceError, match="is not a workspace"):
            update(tmp_path)


class TestUndo:
    def test_all_is_as_it_was(self, course, workspace):
        before = files(workspace)
        course.get_newer(recap="New.", ex_double="def double(y):\n    ...")
        update(workspace)
        assert files(workspace) != before
        assert undo(workspace).what == "update"
        assert files(workspace) == before
        with pytest.raises(WorkspaceError, match="nothing to undo"):
            undo(workspace)

    def test_what_was_written_since_then_is_kept_beside(self, course, workspace):
        course.get_newer(recap="New.")
        update(workspace)
        answer(workspace, "def double(x):\n    return x + x")
        kept = undo(workspace).kept
        assert [path.name for path in kept] == ["07_doubling.kept-1.ipynb"]
        assert "return x + x" in text(kept[0]) and ANSWER in text(workspace / SEVEN)

    def test_one_after_the_other(self, course, workspace):
        states = [files(workspace)]
        for number in range(3):
            course.get_newer(recap=f"New {number}.")
            update(workspace)
            states.append(files(workspace))
        for state in states[-2::-1]:
            undo(workspace)
            assert files(workspace) == state


class TestReset:
    def test_the_stub_is_back_and_the_answer_below_it(self, workspace):
        assert reset(workspace, "double") == "07_doubling.ipynb"
        cells = json.loads((workspace / SEVEN).read_bytes())["cells"]
        at = [cell["id"] for cell in cells].index("ex-double")
        assert "NotImplementedError" in "".join(cells[at]["source"])
        assert cells[at + 2]["cell_type"] == "raw" and ANSWER in "".join(cells[at + 2]["source"])
        undo(workspace)
        assert ANSWER in said(workspace / SEVEN)[3]

    def test_an_update_after_it_keeps_all_three(self, course, workspace):
        reset(workspace, "double")
        course.get_newer(recap="New.")
        update(workspace)
        assert ANSWER in text(workspace / SEVEN)
        assert "kept by `mi-tutor reset`" in text(workspace / SEVEN)

    def test_nothing_to_reset(self, workspace):
        with pytest.raises(WorkspaceError, match="not answered"):
            reset(workspace, "halve")
        with pytest.raises(WorkspaceError, match="No chapter here"):
            reset(workspace, "halv")


def full_disk(monkeypatch, after, error=errno.ENOSPC):
    """No room from the n-th file on; or another error of the disk."""
    real, count = os.fsync, iter(range(10_000))

    def fsync(fd):
        if next(count) >= after:
            raise OSError(error, os.strerror(error))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)


class TestBadDisks:
    @pytest.mark.parametrize("after", range(7))
    def test_full(self, course, workspace, monkeypatch, after):
        course.get_newer(recap="New.")
        before = files(workspace)
        with monkeypatch.context() as patch:
            full_disk(patch, after)
            with pytest.raises(WorkspaceError, match=r"no space left .* as they were"):
                update(workspace)
        assert files(workspace) == before
        assert update(workspace).answers == 1

    @pytest.mark.parametrize("fails", range(4))
    def test_a_rename_fails_half_way(self, course, workspace, monkeypatch, fails):
        course.get_newer(recap="New.")
        before = files(workspace)
        real, count = os.replace, iter(range(100))

        def replace(source, target):
            if next(count) == fails:
                raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(target))
            real(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(steps.os, "replace", replace)
            with pytest.raises(WorkspaceError, match="cannot be written"):
                update(workspace)
        assert files(workspace) == before

    def test_read_only(self, course, tmp_path, monkeypatch):
        def refuse(*_, **__):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "here")

        monkeypatch.setattr(Path, "mkdir", refuse)
        with pytest.raises(WorkspaceError, match="here cannot be written: allow it, or choose"):
            start(tmp_path / "new")

    @pytest.mark.parametrize("change", [update, undo, lambda root: reset(root, "double")])
    def test_a_folder_that_became_read_only(self, course, workspace, monkeypatch, change):
        course.get_newer(recap="New.")
        update(workspace)
        course.get_newer(recap="Newer.")
        before = files(workspace)
        with monkeypatch.context() as patch:
            full_disk(patch, 0, errno.EROFS)
            with pytest.raises(WorkspaceError, match=r"cannot be written: .* as they were"):
                change(workspace)
        assert files(workspace) == before and ANSWER in text(workspace / SEVEN)

    def test_saved_while_it_was_updated(self, course, workspace, monkeypatch):
        """JupyterLab saves between our reading and our writing: the update begins again with what was saved."""
        course.get_newer(recap="New.")
        real, times = folder.carry_out, []

        def carry_out(*arguments):
            if not times:
                answer(workspace, "def double(x):\n    return x + x")
            times.append(1)
            real(*arguments)

        monkeypatch.setattr(folder, "carry_out", carry_out)
        update(workspace)
        assert len(times) == 2
        assert "return x + x" in text(workspace / SEVEN) and "New." in text(workspace / SEVEN)

    def test_saved_again_and_again(self, course, workspace, monkeypatch):
        course.get_newer(recap="New.")
        real, times = folder.carry_out, []

        def carry_out(*arguments):
            times.append(1)
            answer(workspace, f"def double(x):\n    return {len(times)} * x")
            real(*arguments)

        monkeypatch.setattr(folder, "carry_out", carry_out)
        with pytest.raises(WorkspaceError, match="was saved by another program"):
            update(workspace)
        assert len(times) == folder.TRIES and "return 3 * x" in text(workspace / SEVEN)

    def test_a_drive_without_locks(self, course, workspace, monkeypatch):
        import filelock

        def refuse(*_, **__):
            raise NotImplementedError("no locks")

        monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
        course.get_newer(recap="New.")
        assert update(workspace).answers == 1
        left = workspace / ".mi_tutor" / "lock.soft"
        assert not left.exists()
        left.touch()  # of a command that was killed, on another machine
        monkeypatch.setattr(steps, "LOCK_SECONDS", 0.05)
        with pytest.raises(WorkspaceError, match=r"If there is none, delete .*lock\.soft"):
            update(workspace)

    def test_another_command_at_work(self, workspace, monkeypatch):
        import filelock

        monkeypatch.setattr(steps, "LOCK_SECONDS", 0.05)
        with (
            filelock.FileLock(workspace / ".mi_tutor" / "lock"),
            pytest.raises(WorkspaceError, match="Another mi-tutor command is at work"),
        ):
            update(workspace)

    def test_killed_between_two_renames(self, course, workspace, monkeypatch):
        """Some files are new, some old: the next update finishes, and nothing is doubled."""
        course.get_newer(recap="New.", double_text_1="Newer.")
        with monkeypatch.context() as patch:
            real = steps._rename

            def killed(changes, staged, before):
                first = next(path for path in changes if path.name == SEVEN.name and path in staged)
                path = workspace / SEVEN
                real({path: changes[path]}, staged, before)
                raise KeyboardInterrupt(first)

            patch.setattr(steps, "_rename", killed)
            with pytest.raises(KeyboardInterrupt):
                update(workspace)
        half = said(workspace / SEVEN)
        assert update(workspace).notes == [] and said(workspace / SEVEN) == half


def _update_many(root, course_root, number):
    from mi_tutor.workspace import folder

    folder.course_folder = lambda: course_root
    for _ in range(3):
        folder.update(root)


def test_updates_at_once(course, workspace):
    """Four processes: whichever comes first does it, nobody loses anything."""
    course.get_newer(recap="New.")
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    workers = [
        context.Process(target=_update_many, args=(workspace, course.root, number))
        for number in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert ANSWER in text(workspace / SEVEN) and text(workspace / SEVEN).count("New.") == 1
