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
