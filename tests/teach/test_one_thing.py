"""A right answer with one thing changed is told as that, or as nothing; for every exercise."""

from __future__ import annotations

import itertools

import pytest
import torch
from asked import EXERCISES

from mi_tutor.teach import judging
from mi_tutor.teach.exercise import Exercise, Handle
from mi_tutor.teach.registry import get
from mi_tutor.teach.structure import one_thing
from mi_tutor.teach.structure.pairs import leaves

FUNCTIONS = [item for item in EXERCISES if isinstance(item, Exercise) and not item.asked_for]
TRIED, WITH_A_MODEL = 4, 1


def _runs(exercise, cases):
    """The right result with a change, remembered by the change and the case."""
    kept = {}

    def reference(case, change):
        key = change.key, id(case)
        if change.key is None or key not in kept:
            function = change.instead or exercise.reference
            on_other = judging.OnOtherInput(function, change, tuple(case.inputs))
            kept[key] = judging.see(exercise, on_other, case)
        if kept[key].outcome.failure is not None:
            raise ValueError(kept[key].outcome.failure.message)
        return kept[key].view

    return reference


def _apart(one, other):
    """Whether some number of two results differs by more than any tolerance."""
    both = leaves(one), leaves(other)
    return list(both[0]) == list(both[1]) and any(
        a.shape == b.shape and a.numel() and float((a.double() - b.double()).abs().max()) > 0.05
        for a, b in zip(both[0].values(), both[1].values(), strict=True)
    )


@pytest.mark.parametrize(
    "exercise",
    [
        pytest.param(item, id=item.slug, marks=pytest.mark.recorded("exercises", item.chapter))
        for item in FUNCTIONS
    ],
)
def test_what_is_told_is_what_was_done(exercise):
    cases = judging.make_cases(exercise, 0)
    rights = (exercise.reference, *(style.right for style in exercise.styles))
    reference = _runs(exercise, cases)
    expected = [judging.see(exercise, exercise.reference, case).view for case in cases]
    with_a_model = any(isinstance(value, Handle) for value in cases[0].inputs.values())
    right, asked = next(one_thing._worth_trying(cases[0], reference, rights))
    tried = 0
    for change in one_thing._changes(cases[0], reference, right, asked):
        change = change._replace(instead=right, key=f"0: {change.key}")
        if tried == (WITH_A_MODEL if with_a_model else TRIED):
            break
        try:
            seen = [reference(case, change) for case in cases]
        except ValueError:
            continue
        if not all(itertools.starmap(_apart, zip(seen, expected, strict=True))):
            continue
        tried += 1
        said = one_thing.one_thing_sentence(
            cases, seen, expected, exercise.tolerance, reference, rights
        )
        assert not said or change.words in said, (change.words, said)


ONE_THING = {
    ("weighted-loss", "a mean (of"): lambda x, x_hat, importance: (
        (importance * (x - x_hat) ** 2).sum(dim=-1).median()
    ),
    ("sae-loss", "a length (along axis -1 of [9, 4]) is squared"): (
        lambda x, W_enc, b_enc, W_dec, b_dec, l1: (
            get("sae-loss").reference(x, W_enc, b_enc, W_dec, b_dec, 0.0)
            + l1 * (torch.relu((x - b_dec) @ W_enc + b_enc) * W_dec.square().sum(-1)).sum(-1).mean()
        )
    ),
    ("state-direction", "a mask takes all"): lambda activations, classes, source, target: (
        activations[classes == target].mean(0) - activations.mean(0)
    ),
    ("logit-lens", "`hook_resid_mid` in place of `hook_resid_pre`"): lambda model, cache: get(
        "logit-lens"
    ).reference(
        model,
        {
            name: cache[name.replace("resid_pre", "resid_mid")]
            for name in cache
            if "resid_p" in name
        },
    ),
}


@pytest.mark.parametrize("which", ONE_THING, ids=": ".join)
def test_the_one_thing_is_named(which):
    verdict = judging.judge(get(which[0]), ONE_THING[which])
    assert verdict.mistake or which[1] in verdict.finding.advice, verdict.finding.advice


@pytest.mark.slow
def test_eigenvalues_of_what_is_not_finite_do_not_end_the_session():
    """An answer that no sentence fits: all changes of its inputs are tried, infinite ones among them."""

    def share_alone(W_E, W_V, W_O, W_U):
        share, score = get("copying-score").reference(W_E, W_V, W_O, W_U)
        return share, 0.37 * score**3 + 0.11

    verdict = judging.judge(get("copying-score"), share_alone)
    assert not verdict.passed and verdict.finding.kind == "value"
