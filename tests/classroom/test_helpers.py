"""Answers that use other answers of the learner's: what a wrong helper does to them is told as what it is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mi_tutor.classroom.feedback import _attempts
from mi_tutor.classroom.gradebook import Row
from mi_tutor.classroom.helpers import in_their_place
from mi_tutor.classroom.inside.serving import Worker
from mi_tutor.classroom.marks import Graded, Status
from mi_tutor.lab import superposition as lab

WRONG_FORWARD = "def toy_forward(x, W, b):\n    return x @ W.T @ W + b"  # without the ReLU
UNWRITTEN = "def toy_forward(x, W, b):\n    scale = 1\n    raise NotImplementedError"
# The right loss, by way of the other answer: with W = 1 and b = 0 it gives what is positive back.
BY_WAY = (
    "def weighted_loss(x, x_hat, importance):\n"
    "    one, zero = torch.eye(x.shape[-1]).to(x.dtype), torch.zeros(x.shape[-1]).to(x.dtype)\n"
    "    off = toy_forward(x - x_hat, one, zero) + {other}\n"
    "    return (importance * off ** 2).sum(-1).mean()"
)
LOSS = BY_WAY.format(other="toy_forward(x_hat - x, one, zero)")
ALSO_WRONG = LOSS.replace(".mean()", ".sum()")
OWN_MISTAKE = (
    "def weighted_loss(x, x_hat, importance):\n    return ((x - x_hat) ** 2).sum(-1).mean()"
)


def test_right_but_for_the_helper(marks):
    """That is tried: with the library's function it is right, so the learner need not look for a fault in it."""
    found = marks(toy_forward=WRONG_FORWARD, weighted_loss=LOSS)
    assert found["toy-forward"].mistake and "toy_forward" not in found["toy-forward"].sentence
    loss = found["weighted-loss"]
    assert (loss.status, loss.earned, loss.mistake) == (Status.WRONG, 0, None)
    assert loss.sentence == (
        "With the course's function in place of your `toy_forward` it is right: mend that, "
        "and leave this as it is."
    )


def test_wrong_by_itself_as_well(marks):
    """Then nobody knows whose fault is seen, and what is known is said first."""
    loss = marks(toy_forward=WRONG_FORWARD, weighted_loss=ALSO_WRONG)["weighted-loss"]
    first, _, then = loss.sentence.partition(" What it does until then: ")
    assert first == "It rests on your `toy_forward`, which does not pass: mend that first."
    assert then and loss.mistake is None


def test_what_the_library_lent_is_given_back():
    """The answers that come later are run with the learner's own again."""
    cells = SimpleNamespace(names={"toy_forward": "mine", "x": 1})
    worker = Worker(cells)
    worker.lend({"toy_forward": "mi_tutor.lab.superposition.model:toy_forward"})
    assert cells.names == {"toy_forward": lab.toy_forward, "x": 1}
    worker.lend({})
    assert cells.names == {"toy_forward": "mine", "x": 1}


def test_a_right_helper_is_not_mentioned(marks):
    right = "def toy_forward(x, W, b):\n    return torch.relu(x @ W.T @ W + b)"
    assert marks(toy_forward=right, weighted_loss=LOSS)["weighted-loss"].status is Status.PASSED
    wrong = marks(toy_forward=right, weighted_loss=ALSO_WRONG)["weighted-loss"]
    assert "toy_forward" not in wrong.sentence


def test_a_mistake_of_its_own_stays_one(marks):
    """Another answer is wrong, too, and this one does not use it."""
    loss = marks(toy_forward=WRONG_FORWARD, weighted_loss=OWN_MISTAKE)["weighted-loss"]
    assert loss.mistake and "toy_forward" not in loss.sentence


@pytest.mark.parametrize("helper", [UNWRITTEN, None])
def test_a_helper_that_is_not_written(marks, helper):
    """The answer that calls it was tried: it stopped, and says on what."""
    given = {"toy_forward": helper} if helper else {}
    found = marks(weighted_loss=LOSS, **given)
    assert found["toy-forward"].status is Status.UNANSWERED
    loss = found["weighted-loss"]
    assert loss.status is Status.STOPPED and loss.tried
    assert loss.sentence.startswith("`toy_forward`, which your function calls, is not written yet")


def test_only_the_librarys_own_functions_are_lent():
    assert in_their_place({"mine": "toy-forward"}) == {
        "mine": "mi_tutor.lab.superposition.model:toy_forward"
    }
    assert in_their_place({"mine": "toy-forward", "number": "predict-the-fate"}) is None


def test_what_was_not_tried_is_not_hard(marks):
    """An exercise that few tried and all of these passed is not above one that half of its learners failed."""
    right = "def toy_forward(x, W, b):\n    return torch.relu(x @ W.T @ W + b)"
    each = [marks(toy_forward=right), marks(toy_forward=right, weighted_loss=OWN_MISTAKE), marks()]
    rows = [
        Row(str(i), "", 0.0, Graded(str(i), "01", tuple(m.values()))) for i, m in enumerate(each)
    ]
    assert [(slug, tuple(of)) for slug, of in _attempts(rows)] == [
        ("weighted-loss", (0, 1, 2)),
        ("toy-forward", (2, 0, 1)),
        ("antipodal-cost", (0, 0, 3)),
    ]
