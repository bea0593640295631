"""`where-is-the-plan`: what is read as a report, and what is counted against hooks."""

import pytest
import torch

from mi_tutor.lab.swaps import swap_logits
from mi_tutor.specimens.biology import PLANS
from mi_tutor.teach.exercises.biology import deciding
from mi_tutor.teach.exercises.biology.plan_reports import read_report
from mi_tutor.teach.exercises.biology.where_is_the_plan import ours
from mi_tutor.teach.exercises.copies import opened
from mi_tutor.teach.investigation import Unreadable


def test_places_may_come_as_text_and_shares_as_tensors():
    read = read_report(ours())
    as_text = ours(
        planner={
            blank: {f" {place}": torch.tensor(alone) for place, alone in places.items()}
            for blank, places in ours()["planner"].items()
        }
    )
    for key, places in read_report(as_text).sets.items():
        assert places == pytest.approx(read.sets[key])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"planner": {"verb": {}, "adjective": {9: 0}, "end": {9: 0}}}, "one place or more"),
        ({"planner": {"verb": {12: 0}, "adjective": {9: 0}, "end": {9: 0}}}, "one of 0 to 11"),
        ({"planner": {"verb": [9], "adjective": {9: 0}, "end": {9: 0}}}, "a dict from places"),
        ({"quarrel": dict.fromkeys(("verb", "adjective", "end"), (0.6, 0.6))}, "more than 1"),
        ({"kept": {"adjective": 98, "end": 0.5}}, "Percent?"),
    ],
)
def test_what_is_no_report_is_told(given, says):
    with pytest.raises(Unreadable, match=says.replace("?", r"\?")):
        read_report(ours(**given))


def test_plans_put_in_at_one_token_are_what_a_hook_says():
    tokens, plans, means = deciding.couplets("planner", 0)
    goal = deciding.targets(0)[0][0]
    step = means[2, 9, goal] - means[2, 9, plans]
    said = deciding.said("planner", 0, "adjective", {9: goal})
    with torch.no_grad():
        logits = swap_logits(
            opened("planner"), tokens[:, :14], torch.full((len(tokens),), 9), step, 2
        )
    assert said.equal(logits.argmax(dim=-1))


def test_plans_put_in_differ_in_everything_that_is_counted():
    own = deciding.couplets("planner", 1).plans
    for first, second in deciding.targets(1):
        for a, b, c in zip(own.tolist(), first.tolist(), second.tolist(), strict=True):
            for other in (b, c):
                assert all(x != y for x, y in zip(PLANS[a], PLANS[other], strict=True))
            assert PLANS[b].verb != PLANS[c].verb and PLANS[b].adjective != PLANS[c].adjective


def test_every_draw_has_couplets_of_its_own():
    first, second = (deciding.couplets("planner", draw).tokens for draw in (0, 1))
    assert first.shape == second.shape and not first.equal(second)


def test_a_word_of_both_plans_follows_neither():
    table = deciding.goes_with()[0]
    shared = next(
        (a, b, int(word))
        for a in range(len(PLANS))
        for b in range(a)
        for word in (table[a] & table[b]).nonzero()[:1]
    )
    one, other, word = (torch.tensor([each]) for each in shared)
    assert deciding.follows(word, "verb", one) == 1
    assert deciding.follows(word, "verb", one, other) == 0
