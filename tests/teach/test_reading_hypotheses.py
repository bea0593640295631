"""Hypotheses as plain data: what means the same is read, and what does not is told exactly."""

import pytest
import torch

from mi_tutor.teach.exercises import reading_hypotheses as reading
from mi_tutor.teach.investigation import Unreadable


def test_what_means_the_same_is_the_same():
    assert reading.entries({"Read ": 1, " GROUPS": 2}, ["groups", "read"]) == {
        "groups": 2,
        "read": 1,
    }
    for value in ((2, 3), [2, 3], torch.tensor([2, 3]), "2.3", " 2 . 3 ", (torch.tensor(2), 3.0)):
        assert reading.head(value, "head", 5, 4) == (2, 3)
    assert reading.share(torch.tensor([0.25]), "s") == 0.25
    assert reading.share(True, "s") == 1.0


@pytest.mark.parametrize(
    ("read", "says"),
    [
        (lambda: reading.entries([1], ["a"]), "a list of 1, and not a dict"),
        (lambda: reading.entries({"grups": 1}, ["groups"]), "no “groups”. It has “grups”"),
        (lambda: reading.share(98, "follows"), "Percent? 90 % is 0.9"),
        (lambda: reading.share(float("nan"), "follows"), "“follows” is a number"),
        (lambda: reading.share("half", "follows"), "“half”"),
        (lambda: reading.head((2, 4), "head", 5, 4), "one of 0 to 3; this is 4"),
        (lambda: reading.head((2.5, 1), "head", 5, 4), "this is 2.5"),
        (lambda: reading.head("second", "head", 5, 4), "is a list; this is “second”"),
        (lambda: reading.listed([1, 2], "groups", 3), "has 2 entries; 3 are asked for"),
        (lambda: reading.whole(-1, "questions", 5), "one of 0 to 4; this is -1"),
    ],
)
def test_what_cannot_be_read_is_told_exactly(read, says):
    with pytest.raises(Unreadable) as error:
        read()
    assert says in str(error.value)
