"""`check`, `hint` and `quiz` as a learner calls them, in a terminal and without a notebook."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from mi_tutor import check, hint, quiz
from mi_tutor.teach import CheckFailed, checking
from mi_tutor.teach.progress import passed_slugs
from mi_tutor.teach.quiz_text import lettered
from mi_tutor.teach.registry import get_quiz


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("MI_TUTOR_HOME", str(tmp_path))
    monkeypatch.setattr(checking, "_shown_hints", {})


def toy_forward(x, W, b):
    return torch.relu(x @ W.T @ W + b)


@pytest.mark.anew
def test_importing_is_light():
    code = (
        "import sys; import mi_tutor; from mi_tutor import check; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_pass_says_a_line_per_case_and_is_remembered(capsys):
    check("toy-forward", toy_forward)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "✓ The toy model, forwards: passed"
    assert len(lines) == 8
    assert "toy-forward" in passed_slugs()


def test_a_failure_is_a_report_without_traceback(capsys):
    with pytest.raises(CheckFailed) as caught:
        check("toy-forward", lambda x, W, b: torch.relu(x @ W.T @ W))
    assert str(caught.value).startswith(
        "toy-forward: This is the output of the model without its bias"
    )
    report = "\n".join(caught.value._render_traceback_())
    assert "seen:" in report
    assert "expected:" in report
    assert "Traceback" not in report
    assert capsys.readouterr().out == ""
    assert "toy-forward" not in passed_slugs()


def test_what_was_passed_stays_passed():
    check("toy-forward", toy_forward)
    with pytest.raises(CheckFailed):
        check("toy-forward", None)
    assert "toy-forward" in passed_slugs()


@pytest.mark.parametrize("ask", [check, lambda slug, _: hint(slug)])
def test_an_unknown_slug_gets_the_nearest(ask):
    with pytest.raises(CheckFailed, match="Did you mean 'toy-forward'"):
        ask("toy_forwards", toy_forward)
    for odd in ("", None, 3, toy_forward):
        with pytest.raises(CheckFailed, match=r"There is no exercise|comes first"):
            ask(odd, toy_forward)


def test_hints_come_one_after_another(capsys):
    for _ in range(4):
        hint("toy-forward")
    out = capsys.readouterr().out
    assert [f"Hint {n} of 3" in out for n in (1, 2, 3, 4)] == [True, True, True, False]
    assert "last one" in out
    for number in (0, 9, "two"):
        with pytest.raises(CheckFailed, match="hints 1 to 3"):
            hint("toy-forward", number)


def test_a_quick_check_marks_each_option_with_its_own_feedback(capsys):
    options = lettered(get_quiz("which-diagram"))
    for letter, option in options.items():
        for spelling in (letter, f" ({letter.upper()}) "):
            if option.right:
                quiz("which-diagram", spelling)
                assert option.feedback[:30] in capsys.readouterr().out
            else:
                with pytest.raises(CheckFailed) as caught:
                    quiz("which-diagram", spelling)
                assert option.feedback in str(caught.value)
    assert "which-diagram" in passed_slugs()


@pytest.mark.parametrize("blank", ["?", "", "  ", None, ...])
def test_an_unanswered_quick_check_shows_the_question_and_fails(blank, capsys):
    with pytest.raises(CheckFailed, match="not answered yet"):
        quiz("which-diagram", blank)
    assert "two regions" in capsys.readouterr().out


@pytest.mark.parametrize("odd", ["e", "ab", 2, ["a"], True])
def test_an_odd_answer_names_the_letters(odd):
    with pytest.raises(CheckFailed, match="letters a, b, c"):
        quiz("which-diagram", odd)


def test_a_full_disk_costs_no_verdict(monkeypatch, capsys):
    monkeypatch.setattr(checking, "record", lambda *_, **__: "Progress could not be written.")
    check("toy-forward", toy_forward)
    assert "Progress could not be written." in capsys.readouterr().out
