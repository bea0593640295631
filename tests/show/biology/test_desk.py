"""The plan desk on the models of the chapter: what it shows is what `swap_plans` says."""

import time

import pytest
import torch

from mi_tutor.lab import biology
from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.lab.swaps import class_means, streams
from mi_tutor.show.biology import plan_desk
from mi_tutor.specimens import open_specimen
from mi_tutor.specimens.biology import (
    PLANS,
    couplet_lines,
    goes_with_plan,
    line_template,
    plan_lines,
)

NAMES = ("planner", "planner-twin")


@pytest.fixture(scope="module")
def models():
    return {name: open_specimen(name, device="cpu") for name in NAMES}


@pytest.fixture(scope="module")
def plain(models):
    return {name: plain_transformer(model) for name, model in models.items()}


@pytest.fixture(scope="module")
def means(plain):
    told = plan_lines(couplet_lines(held_out=False))
    found = {}
    for name, each in plain.items():
        before = streams(each, told.tokens)[:-1]
        found[name] = torch.stack(
            [
                torch.stack([class_means(at, told.plans, len(PLANS)) for at in layer.unbind(1)])
                for layer in before
            ]
        )
    return found


@pytest.fixture(scope="module")
def couplets(models):
    new = plan_lines(couplet_lines(held_out=True))
    vocabulary = [
        models["planner"].to_single_str_token(i) for i in range(len(models["planner"].W_E))
    ]
    names = [plan.word for plan in PLANS]
    return (*new, line_template(), goes_with_plan(), vocabulary, names)


@pytest.fixture
def desk(plain, means, couplets):
    return plan_desk(plain, means, couplets)


@pytest.mark.parametrize("place", [-1, 4])
@pytest.mark.parametrize("name", NAMES)
def test_it_writes_what_a_swap_writes(desk, plain, means, couplets, name, place):
    tokens, plans, template, goes_with, *_ = couplets
    desk.menus["model"].value, desk.menus["line"].value = name, 7
    desk.menus["place"].value = range(tokens.shape[1])[place]
    for target in (3, 20):
        desk.menus["plan"].value = target
        done = biology.swap_plans(
            plain[name], tokens[7:8], plans[7:8], torch.tensor([[target]]), means[name][1, place],
            template, goes_with, 1, place,
        )  # fmt: skip
        assert desk._after.equal(done.written[0, 0])
        assert desk._fits == done.fits[0, 0].tolist()


def test_one_model_follows_and_its_twin_does_not(desk):
    follow = {}
    for name in NAMES:
        desk.menus["model"].value = name
        found = []
        for line in range(0, 60, 12):
            desk.menus["line"].value = line
            desk.menus["plan"].value = (int(desk._couplets.plans[line]) + 5) % len(PLANS)
            found.append(PLANS[desk.menus["plan"].value].word in desk._line(desk._after))
        follow[name] = sum(found)
    assert follow == {"planner": 5, "planner-twin": 0}


def test_the_own_plan_and_random_steps_change_nothing(desk):
    desk.menus["step"].value = 1
    assert desk._after.equal(desk._before)
    assert "a random step" in desk.words and "0 of 3 words follow" in desk.words
    desk.menus["step"].value = 0
    desk.menus["plan"].value = int(desk._couplets.plans[0])
    assert desk._after.equal(desk._before)


def test_tokens_are_named_as_in_the_chosen_line(desk):
    desk.menus["place"].value = 4
    desk.menus["line"].value = 30
    (label, _) = desk.menus["place"].options[4]
    token = desk._couplets.vocabulary[int(desk._couplets.tokens[30, 4])]
    assert label == f"4: {token.strip()}" and desk.menus["place"].value == 4
    assert desk.menus["place"].options[-1][0].endswith("line break")


def test_it_can_be_read_and_moved_without_a_mouse(desk):
    assert 'role="status" aria-live="polite"' in desk._sentence.value
    assert "<caption>" in desk._table.value and desk._table.value.count('scope="col"') == 4
    assert desk._table.value.count(">yes<") + desk._table.value.count(">no<") == 3
    for menu in desk.menus.values():
        assert menu.description and menu.tooltip  # menus: arrow keys and letters choose


def test_words_of_a_model_cannot_become_markup(plain, means, couplets):
    *rest, vocabulary, names = couplets
    odd = [f"<b>{each}" for each in vocabulary]
    desk = plan_desk(plain, means, (*rest, odd, names))
    shown = desk._sentence.value + desk._table.value
    assert "<b>" not in shown and "&lt;b&gt;" in shown


def test_a_change_is_drawn_at_once(desk):
    """The quickest of several counts: other work on the machine only ever slows one down."""
    took = []
    for plan in (4, 9, 14, 19, 24):
        start = time.process_time()
        desk.menus["plan"].value = plan
        took.append(time.process_time() - start)
    assert min(took) < 0.15


def test_where_widgets_cannot_run_there_is_the_sentence(desk):
    text = desk._repr_mimebundle_()["text/plain"]
    assert "run the cell" in text and "Before: “" in text and "After: “" in text


def test_what_cannot_be_used_is_said(plain, means, couplets):
    with pytest.raises(ValueError, match="the same names"):
        plan_desk(plain, {"planner": means["planner"]}, couplets)
    with pytest.raises(ValueError, match=r"\[layer pos plan d_model\]"):
        plan_desk(plain, {name: each[:2] for name, each in means.items()}, couplets)
    with pytest.raises(ValueError, match="layer should be from 0 to 3"):
        plan_desk(plain, means, couplets, layer=4)
