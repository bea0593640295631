"""What the first cell does on Colab: what it leaves alone, what it says, and where progress goes."""

import re
import subprocess
from importlib.metadata import requires
from pathlib import Path

import pytest

from mi_tutor import colab
from mi_tutor.colab import FORGOTTEN, HELD, LEFT_OUT, RESTART, changes, complete, missing, versions


def names(requirements):
    return {re.split(r"[<>=!~; ]", one)[0] for one in requirements}


@pytest.fixture
def asked(monkeypatch):
    """What pip is asked to install, and the versions that it has to keep; it does nothing."""
    calls = []

    def run(words):
        kept = Path(words[words.index("-c") + 1]).read_text("utf-8")
        calls.append((names(words), names(kept.split())))
        return subprocess.CompletedProcess(words, 0)

    monkeypatch.setattr(colab.subprocess, "run", run)
    monkeypatch.delenv("MI_TUTOR_HOME", raising=False)
    return calls


def test_a_package_that_is_in_use_asks_for_a_restart():
    said = changes({"numpy": "1.26.4", "six": "1"}, {"numpy": "2.4.6", "six": "2", "mi_tutor": "1"})
    assert "1 new package(s): mi_tutor" in said
    assert "numpy 1.26.4 → 2.4.6" in said and "six 1 → 2" in said
    assert f"numpy was in use already, so do this once: {RESTART}" in said or "numpy, six" in said


def test_a_package_that_nobody_uses_yet_does_not():
    said = changes({"nobody-has-this": "1"}, {"nobody-has-this": "2"})
    assert "nobody-has-this 1 → 2" in said and RESTART not in said


@pytest.mark.parametrize("new", [[], ["einops"]])
def test_new_packages_are_named(new, capsys, asked):
    had = {name: version for name, version in versions().items() if name not in new}
    complete(had)
    said = capsys.readouterr().out
    assert ("nothing was changed" in said) == (not new)
    assert ("einops" in said) == bool(new) and RESTART not in said
    assert not asked, "all that the course needs is here"


def test_what_runs_colabs_notebooks_is_neither_asked_for_nor_changed(monkeypatch, asked):
    monkeypatch.setattr(colab, "_met", lambda name, specifier: False)
    complete(versions())
    (wanted, kept) = asked[0]
    assert {"transformer-lens", "jaxtyping", "plotly"} <= wanted and not LEFT_OUT & wanted
    assert "ruff" not in wanted, "an extra is no learner's"
    assert kept == set(HELD)


def test_what_a_learner_needs_is_not_left_out():
    """A new requirement goes to Colab too, unless somebody puts it among what Colab has of its own."""
    ours = names(text for text in requires("mi_tutor") if "extra ==" not in text)
    assert ours >= LEFT_OUT and {"torch", "numpy"} <= ours - LEFT_OUT
    assert missing([]) == []


def test_a_failed_installation_asks_for_another_run(monkeypatch, asked):
    monkeypatch.setattr(colab, "_met", lambda name, specifier: False)
    monkeypatch.setattr(colab, "_pip", lambda wanted: 1)
    with pytest.raises(SystemExit, match="Run this cell again"):
        complete({})


def test_progress_is_kept_in_a_drive_that_is_mounted(monkeypatch, tmp_path, asked, capsys):
    complete(versions())
    assert FORGOTTEN in capsys.readouterr().out
    monkeypatch.setattr(colab, "DRIVE", tmp_path)
    monkeypatch.setenv("MI_TUTOR_HOME", "")  # so that it is put back afterwards
    complete(versions())
    assert f"Your progress is kept in {tmp_path / 'mi_tutor'}." in capsys.readouterr().out
    from mi_tutor.teach.progress_store import progress_folder

    assert progress_folder() == tmp_path / "mi_tutor"
