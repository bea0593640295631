"""What becomes of answers: where they are found, what they are called, what one cell costs another."""

from __future__ import annotations

import pytest

from mi_tutor.classroom.judge import HIDDEN
from mi_tutor.classroom.marks import Graded, Status
from mi_tutor.teach.fitting import unfit
from mi_tutor.teach.judging import judge
from mi_tutor.teach.registry import get

FORWARD = "def toy_forward(x, W, b):\n    return torch.relu(x @ W.T @ W + b)"
LOSS = "def weighted_loss(x, x_hat, importance):\n    return (importance * (x - x_hat) ** 2).sum(-1).mean()"
WHOLE = {"toy-forward": FORWARD, "weighted-loss": LOSS}


def test_right_answers(marks, small):
    found = marks(*small.cells(WHOLE, letter="(B) "))
    assert [found[slug].status for slug in WHOLE] == ["passed", "passed"]
    assert found["toy-forward"].earned == get("toy-forward").points
    assert found["antipodal-cost"].status in ("passed", "wrong") and len(found) == 3
    assert not any(mark.flags for mark in found.values())


@pytest.mark.parametrize(
    "answer",
    [
        "def toy_forward(x, W, b):\n    return torch.relu(x @ W.T @ W)",
        "def toy_forward(x, W, b):\n    return x @ W.T @ W + b",
        "def toy_forward(x, W, b):\n    return (x @ W.T @ W + b).tolist()[0]",
        "def toy_forward(x, W, b):\n    return relu(x @ W.T @ W + b)",
        "def toy_forward(x, W):\n    return x",
        "toy_forward = 3",
        "def toy_forward(x, W, b):\n    x += 1\n    return torch.relu((x - 1) @ W.T @ W + b)",
        "def toy_forward(x, W, b):\n    return torch.relu(x @ W.T @ W + b).detach()",
        "def toy_forward(x, W, b):\n    yield x",
    ],
    ids=[
        "mistake",
        "no relu",
        "list",
        "NameError",
        "arguments",
        "number",
        "in place",
        "detached",
        "generator",
    ],
)
def test_the_sentence_is_the_one_that_check_says(marks, answer):
    """One engine: what the learner read in the notebook is what the grader writes down."""
    names: dict = {}
    exec(f"import torch\n{answer}", names)
    exercise = get("toy-forward")
    said = unfit(exercise, names["toy_forward"]) or judge(exercise, names["toy_forward"])
    found = marks(toy_forward=answer)["toy-forward"]
    assert found.status is Status.WRONG and found.earned == 0
    assert found.sentence.startswith(said.finding.advice)
    assert found.mistake == said.mistake
    assert (found.right, found.cases) == (sum(c.passed for c in said.cases), len(said.cases))


def test_what_is_not_answered(marks, small):
    found = marks()
    assert {mark.status for mark in found.values()} == {Status.UNANSWERED}
    only = [small.code("import torch"), small.code(FORWARD, "toy-forward", "exercise")]
    found = marks(*only)
    assert found["toy-forward"].status is Status.PASSED
    assert found["weighted-loss"].status is Status.MISSING
    assert found["antipodal-cost"].status is Status.MISSING


def test_a_cell_that_crashes_costs_its_own_exercise_only(marks):
    found = marks(toy_forward=f"1 / 0\n{FORWARD}", weighted_loss=LOSS)
    assert found["toy-forward"].status is Status.STOPPED
    assert "ZeroDivisionError" in found["toy-forward"].sentence
    assert found["weighted-loss"].status is Status.PASSED
    after = marks(toy_forward=f"{FORWARD}\n1 / 0")  # what it made is there, as in a notebook
    assert after["toy-forward"].status is Status.PASSED


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("def toy_forward(x, W, b:\n    return x", "SyntaxError"),
        ("import os\nos._exit(3)", "It ended the process"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_cell_that_makes_nothing_says_what_stopped_it(marks, answer, says):
    """Not that its name is missing, which is what follows."""
    found = marks(toy_forward=answer, weighted_loss=LOSS)
    assert found["toy-forward"].status is Status.STOPPED
    assert says in found["toy-forward"].sentence
    assert found["weighted-loss"].status is Status.PASSED


def test_an_answer_that_uses_another_one_that_stopped_is_told_so(marks):
    uses = LOSS.replace("    return", "    toy_forward\n    return")
    found = marks(toy_forward="import nothing_of_the_kind\n" + FORWARD, weighted_loss=uses)
    assert "nothing_of_the_kind" in found["toy-forward"].sentence
    assert found["weighted-loss"].status is Status.WRONG  # it is run, and says so itself
    assert "toy_forward" in found["weighted-loss"].sentence


def test_cells_are_found_when_their_marks_are_lost(marks, small):
    cells = [{**cell, "metadata": {}} for cell in small.cells(WHOLE)]
    found = marks(*cells)
    assert [found[slug].status for slug in WHOLE] == ["passed", "passed"]


def test_of_copies_the_last_one_counts(grader, small):
    wrong = "def toy_forward(x, W, b):\n    return x"
    cells = small.cells(WHOLE)
    cells.insert(2, small.code(wrong, "toy-forward", "exercise"))
    graded = grader.grade("ada", small.submit(*cells))
    assert graded.marks[0].status is Status.PASSED
    assert "the last one counts" in graded.notes[0]


def test_an_answer_in_a_cell_of_its_own_below_the_stub(grader, small):
    cells = small.cells({"weighted-loss": LOSS})
    cells.insert(3, small.code(FORWARD))
    graded = grader.grade("ada", small.submit(*cells))
    assert graded.marks[0].status is Status.PASSED
    assert "taken from code cell 4" in graded.notes[0]


def test_helpers_and_imports_that_the_learner_added(marks, small):
    cells = small.cells({"toy-forward": FORWARD.replace("torch.relu", "rectified")})
    cells.insert(0, small.code("import math\nfrom torch.nn import functional as F"))
    cells.insert(2, small.code("def rectified(x):\n    return F.relu(x) * math.sqrt(1)"))
    assert marks(*cells)["toy-forward"].status is Status.PASSED


def test_submitted_checks_outputs_and_helpers_of_ours_count_for_nothing(marks, small):
    cells = small.cells({"toy-forward": "def toy_forward(x, W, b):\n    return x"})
    for cell in cells:
        if "check(" in cell["source"]:
            cell["source"] = "print('passed')"
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "✓ passed"}]
    assert marks(*cells)["toy-forward"].status is Status.WRONG


def test_magics_and_merged_cells(marks, small):
    merged = f"%%time\n{FORWARD}\ncheck('toy-forward', toy_forward)\nplot(3)"
    found = marks(toy_forward=merged, weighted_loss=f"%load_ext autoreload\n{LOSS}")
    assert found["weighted-loss"].status is Status.PASSED


def test_what_is_fixed_to_the_notebooks_inputs_does_not_pass_on_others(marks, grader):
    from mi_tutor.teach.judging import make_cases

    shapes = {tuple(case.inputs["x"].shape) for case in make_cases(get("toy-forward"), 0)}
    sums = [case.inputs["x"].sum().item() for case in make_cases(get("toy-forward"), 0)]
    sums += [case.inputs["x"].sum().item() for case in make_cases(get("toy-forward"), 1000)]
    text = (
        f"KNOWN = {sums}\n{FORWARD.replace('toy_forward', 'right')}\n"
        "def toy_forward(x, W, b):\n"
        "    good = any(abs(x.sum().item() - s) < 1e-4 for s in KNOWN)\n"
        "    return right(x, W, b) if good else x"
    )
    assert shapes
    found = marks(toy_forward=text)["toy-forward"]
    assert found.status is Status.WRONG and found.earned == 0 and found.sentence == HIDDEN
    assert found.flags == ("passes on the notebook's inputs and not on others",)


def test_the_librarys_own_function_is_a_flag_and_no_zero(marks):
    found = marks(toy_forward="toy_forward = lab.toy_forward")["toy-forward"]
    assert found.status is Status.PASSED
    assert found.flags == (
        "calls the library's toy_forward",
        "is the library's own function",
    )


def test_the_same_secret_gives_the_same_marks(grader, small):
    path = small.submit(
        toy_forward=FORWARD, weighted_loss="def weighted_loss(a, b, c):\n    return a"
    )
    one, two = (grader.grade("ada", path)._replace(seconds=0) for _ in range(2))
    assert one == two
    assert Graded.from_data(one.as_data()) == one


def test_nothing_of_hidden_inputs_comes_back(marks):
    """An answer that raises what it saw tells its learner what the notebook shows anyway."""
    text = (
        f"{FORWARD.replace('toy_forward', 'right')}\nCALLS = []\n"
        "def toy_forward(x, W, b):\n"
        "    CALLS.append(1)\n"
        "    if len(CALLS) > 8: raise ValueError(f'seen: {x.sum().item()}')\n"
        "    return right(x, W, b)"
    )
    found = marks(toy_forward=text)["toy-forward"]
    assert found.earned == 0 and found.sentence == HIDDEN
