"""A script and every command, each in a process whose console has few characters: readable, and never a crash."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from mi_tutor.teach.registry import exercises

pytestmark = pytest.mark.slow  # every command there is

SCRIPT = r"""
import sys, torch
from mi_tutor import check, hint, progress, quiz
from mi_tutor.teach import CheckFailed
from mi_tutor.teach.quiz_text import lettered
from mi_tutor.teach.registry import exercises, quizzes

def part(name):
    print(f"@@ {name}")

def failing(ask, *arguments):
    try:
        ask(*arguments)
    except CheckFailed as error:
        print(*error._render_traceback_(), sep="\n")  # what IPython prints in a terminal

part("check")
check("toy-forward", lambda x, W, b: torch.relu(x @ W.T @ W + b))
failing(check, "toy-forward", lambda x, W, b: torch.relu(x @ W @ W.T + b))
failing(check, "toy→forward", None)
part("hint")
for exercise in exercises():
    for _ in exercise.hints:
        hint(exercise.slug)
part("quiz")
for item in quizzes():
    failing(quiz, item.slug)
    for letter in lettered(item):
        failing(quiz, item.slug, letter)
part("progress")
progress()
progress("λ")

from mi_tutor.cli import check as check_command, doctor, main
from mi_tutor.grading.run import CellRun

def command(*words):
    part(" ".join(words))
    sys.argv = ["mi-tutor", *words]
    try:
        main()
    except SystemExit as ended:
        print("exit code", ended.code or 0)

wrong = CellRun(("CheckFailed", "toy-forward: Σ is over λ → θ."))
import mi_tutor.grading.run as run
run.run_notebook = lambda *_: {1: CellRun(), 2: CellRun(), 3: wrong}
doctor.examine = lambda quick=False: [doctor.Finding("Disk", "problem", "✓ in Ω", "Wait … λ")]
command("progress")
command("progress", "--json")
command("exercises", "--mistakes")
command("exercises", "--markdown")
command("doctor")
command("doctor", "--json")
command("check", "Ω_mine.ipynb")
command("check", "Ω_mine.ipynb", "--json")
command("check", "no→such")
part("uncaught")
check("toy-forward", lambda x, W, b: torch.relu(x @ W.T @ W))
"""


@pytest.fixture(scope="module", params=["cp1252", "ascii"])
def said(request, tmp_path_factory) -> SimpleNamespace:
    """What each part of the script printed, and what went to the other stream."""
    folder = tmp_path_factory.mktemp("course")
    cells = [
        {"cell_type": "code", "metadata": {}, "source": source}
        for source in ("from mi_tutor import check", "f = 1", 'check("toy-forward", f)')
    ]
    (folder / "Ω_mine.ipynb").write_text(
        json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}), encoding="utf-8"
    )
    (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
    environment = os.environ | {
        "PYTHONIOENCODING": request.param,
        "MI_TUTOR_HOME": str(folder / "home"),
    }
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=folder, env=environment, capture_output=True
    )
    out, err = (stream.decode(request.param) for stream in (done.stdout, done.stderr))
    assert done.returncode == 1 and "UnicodeEncodeError" not in err, err
    parts = (part.partition("\n") for part in out.replace("\r", "").split("@@ ")[1:])
    return SimpleNamespace(parts={name: text for name, _, text in parts}, err=err)


def test_check(said):
    lines = said.parts["check"].splitlines()
    assert lines[0] == "ok The toy model, forwards: passed"
    assert lines[1].startswith("  ok ")
    assert any(line.startswith("!! The toy model, forwards: not yet") for line in lines)
    assert "?" not in said.parts["check"].replace("Stuck?", "").replace("mean 'toy-forward'?", "")


def test_hints_and_quick_checks(said):
    assert "Hint 1 of 3: " in said.parts["hint"]
    assert "lambda" in said.parts["hint"] + said.parts["quiz"]
    assert "  -> (a) " in said.parts["quiz"] and "ok (" in said.parts["quiz"]


def test_progress(said):
    total = len(exercises("01"))
    assert f"chapter 01  #...........  1 of {total}" in said.parts["progress"]
    assert "exit code 0" in said.parts["progress"]
    assert json.loads(said.parts["progress --json"].rpartition("exit code")[0])["chapters"]


def test_commands(said):
    assert "toy-forward  (" in said.parts["exercises --mistakes"]
    assert "| toy-forward |" in said.parts["exercises --markdown"]
    assert "!! Disk          ok in Omega\n      Wait" in said.parts["doctor"]
    assert "Omega_mine.ipynb, chapter 01" in said.parts["check Omega_mine.ipynb"]
    assert "Sigma is over lambda -> theta." in said.parts["check Omega_mine.ipynb"]


def test_json_keeps_every_character(said):
    for name, key in (("doctor --json", "findings"), ("check Omega_mine.ipynb --json", "results")):
        data = json.loads(said.parts[name].rpartition("exit code")[0])
        assert "λ" in json.dumps(data[key], ensure_ascii=False)


def test_complaints(said):
    assert "There is no file no->such" in said.err
    assert (
        said.err.rstrip()
        .splitlines()[-1]
        .startswith("mi_tutor.teach.messages.CheckFailed: toy-forward: ")
    )
