"""Chapter 05: the suspects' vocabulary, and wrong answers that are on no list."""

import itertools
import json

import pytest
import torch

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.opening.shelf import specimen_path
from mi_tutor.teach.judging import judge, judge_value
from mi_tutor.teach.registry import get


@pytest.mark.parametrize("name", ["atlas", "atlas-rote"])
def test_both_suspects_read_the_tokens_that_the_questions_are_made_of(name):
    saved = json.loads((specimen_path(name) / "tokenizer.json").read_text("utf-8"))
    assert saved["model"]["vocab"] == tokenizer().ids


def test_only_one_reading_of_the_eight_claims_is_right():
    exercise = get("what-did-we-show")
    passed = []
    for marks in itertools.product([False, True], repeat=8):
        value = dict(zip("abcdefgh", marks, strict=True))
        if judge_value(exercise, value).passed:
            passed.append(value)
    assert passed == [exercise.expected()]


ATTACKS = {
    "find-the-state": [
        lambda known, known_classes, new, new_classes: (
            (torch.cdist(new, known).topk(3, largest=False).indices[:, 0] >= 0).float().mean()
        ),
        lambda known, known_classes, new, new_classes: 1 / (int(known_classes.max()) + 1),
    ],
    "state-direction": [
        lambda activations, classes, source, target: (
            activations[classes == target].mean() - activations[classes == source].mean()
        ),
        lambda activations, classes, source, target: (
            activations[classes == target].median(0).values
            - activations[classes == source].median(0).values
        ),
    ],
    "controls": [
        lambda steps, generator: (
            steps.norm(dim=-1, keepdim=True)
            * torch.eye(steps.shape[-1], dtype=steps.dtype)[
                torch.randint(steps.shape[-1], (len(steps),), generator=generator)
            ]
        ),
        lambda steps, generator: -steps,
    ],
    "dose-response": [
        lambda logits, own, wanted: torch.stack(
            [logits.softmax(-1)[:, torch.arange(len(own)), each].mean(1) for each in (own, wanted)]
            + [torch.zeros(len(logits), dtype=logits.dtype)],
            dim=-1,
        ),
    ],
    "other-hops": [
        lambda first, second: torch.cosine_similarity(first.mean(0), second.mean(0), dim=0),
        lambda first, second: torch.cosine_similarity(
            first.roll(1, 0) - first, second.roll(1, 0) - second, dim=-1
        ).mean(),
    ],
}


@pytest.mark.parametrize("slug", ATTACKS)
def test_other_wrong_answers_are_rejected(slug):
    for wrong in ATTACKS[slug]:
        assert not judge(get(slug), wrong).passed


def test_questions_by_relation_are_the_same_prompts_with_answers_of_their_own_state():
    from mi_tutor.teach.exercises.swaps import carrying

    some = carrying.state_questions(held_out=True)[::97]
    by_state, by_relation = (carrying.batches_of(thing, some) for thing in carrying.THINGS)
    assert len(by_state) == len(by_relation)
    for one, other in zip(by_state, by_relation, strict=True):
        assert torch.equal(one.tokens, other.tokens)
        right = [each.answers.gather(1, each.classes[:, None]) for each in (one, other)]
        assert torch.equal(*right)  # the right answer is the same, whatever varies beside it
        assert other.answers.shape[1] == 9


def test_heads_are_read_in_the_spellings_that_learners_use():
    from mi_tutor.teach.exercises.swaps.carriers import read_carriers, relations
    from mi_tutor.teach.outcome import plain

    shares = dict.fromkeys(relations(), 0.5)
    for key in ((2, 3), "2.3", "(2, 3)", "[2,3]"):
        for heads in ([key], (key,), {key: 0.9}):
            way = {"heads": heads, "follows": 0.9, "without": torch.tensor(0.1)}
            said = {"state": way, "relation": way, "alone": {key: shares}, "both": 1}
            read = read_carriers(plain(said))
            assert read.state.heads == {(2, 3)}, key
            assert read.alone == {(2, 3): shares}, key


def test_a_split_keeps_known_questions_out_of_what_is_read():
    from mi_tutor.teach.exercises.swaps import leaking

    labels = torch.arange(len(leaking.questions())) % 8
    for each in leaking.rounds_of(labels, draw=0)[0]:
        assert not (each.known & each.same).any() and not (each.known & each.others).any()
        assert not set(labels[each.known].tolist()) & set(labels[each.others].tolist())
        assert set(labels[each.same].tolist()) <= set(labels[each.known].tolist())


def test_a_control_is_apart_by_the_questions_that_would_have_to_be_others():
    from mi_tutor.teach.exercises.swaps import contest, one_vector

    test, control = one_vector.those(contest.differs), one_vector.like_the_test()
    assert contest._apart(test, control) < 0.01
    assert contest._apart(test, one_vector.those(lambda q: contest.kind(q) == "state")) > 0.8
    assert not set(test) & set(control)
