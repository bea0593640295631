"""Every exercise is asked about every kind of fault. One that is accepted lacks a case, or has a reason here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from faults import Answer, accepted, faults_of, numbers, of_input
from torch import Tensor

from mi_tutor.teach import judging
from mi_tutor.teach.exercise import Exercise
from mi_tutor.teach.registry import exercises, get

# A share, a probability or a cosine lies between 0 and 1 by itself; a loss or a length is not negative.
BETWEEN_0_AND_1 = """feature-dimensionality almost-orthogonal read-a-latent score-a-label choose-then-mark
    feature-splitting head-detectors previous-token-circuit k-composition fuzzy-copy phase-change find-the-state
    swap-matrix dose-response"""
NOT_NEGATIVE = f"""{BETWEEN_0_AND_1} toy-forward weighted-loss interference phase-losses
    compute-in-superposition sae-loss
    sae-metrics top-k pick-lambda per-position-loss ablate-heads one-layer-fails"""
# Inputs of 0.001 change the result by less than its tolerance, or not at all.
SMALL_IS_NOTHING = {
    "only the largest counts": """top-tokens: logits; dose-response: logits; phase-change: values;
        almost-orthogonal: directions""",
    "the nearest mean counts": "find-the-state: known, new",
    "only what is above a threshold counts": "feature-fates: W",
    "the latent is chosen by all samples together": "choose-then-mark: first",
    "a guard such as + 1e-6 is right": "interference: W; feature-dimensionality: W",
    "frequencies are measured": """sparse-features: probability; controls: steps;
        resample: W_enc, b_enc, W_dec, b_dec, x""",
    "training has moved them": """train-toy: W, b, batches;
        train-on-toy: b_enc, W_dec, b_dec, batches""",
    "a sum or a mean hides them": """weighted-loss: x, importance; sae-loss: x, b_enc, W_dec, b_dec;
        sae-metrics: x, x_hat; sae-encode-decode: b_enc; read-a-latent: direction, W_U;
        copying-score: W_E, W_V, W_O, W_U;
        k-composition: W_OV, W_QK; fuzzy-copy: logits; in-context-score: loss;
        denoise-or-noise: clean, corrupted; swap-the-state: steps; swap-latents: b_dec;
        other-hops: first, second; integrated-gradients: start, end""",
}

# Nobody has ten of these: models have few layers and heads, and a run on more rows costs time and tells no more.
A_MODEL = """read-the-cache: layer; residual-is-a-sum: n_layers; zero-a-head: layer, head; ablate-heads: axis 0,
    heads; one-layer-fails: axis 0, axis 1; logit-lens: axis 0, axis 1; direct-logit-attribution: axis 0,
    axis 1; patch-residual: axis 0, axis 1; patch-heads: axis 0, axis 1; attribution-patching: axis 0, axis
    1; path-patching: axis 0, receivers; run-a-circuit: axis 0, axis 1, mlps; swap-the-state: layer, axis 0;
    train-toy: axis 0, axis 1, axis 2; correlated-features: n_pairs; dose-response: axis 1"""


def allowed(slug: str) -> set[str]:
    """The faults of an exercise that are none, for the reasons above."""
    found = {"absolute values"} if slug in NOT_NEGATIVE.split() else set()
    found |= {"cut off at 0 and 1"} if slug in BETWEEN_0_AND_1.split() else set()
    for listed in SMALL_IS_NOTHING.values():
        for entry in listed.split(";"):
            name, inputs = entry.split(":")
            if name.strip() == slug:
                found |= {f"small inputs set to 0: {each.strip()}" for each in inputs.split(",")}
    for entry in " ".join(A_MODEL.split()).split(";"):
        name, few = entry.split(":")
        if name.strip() == slug:
            found |= {_ten_of(each.strip()) for each in few.split(",")}
    return found


def _ten_of(what: str) -> str:
    if what.startswith("axis"):
        return f"ten at most on {what}"
    return f"ten of {what} at most" if what in LISTS else f"{what} 10 at most"


LISTS = ("heads", "receivers", "mlps")


FUNCTIONS = [item for item in exercises() if isinstance(item, Exercise)]
FUNCTIONS = [
    item for item in FUNCTIONS if not item.asked_for
]  # one is handed a dictionary, no function


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda item: item.slug)
def test_no_kind_of_fault_is_accepted_without_a_reason(exercise):
    cases = judging.make_cases(exercise, 0)
    truths = [judging.see(exercise, exercise.reference, case) for case in cases]
    faults = faults_of(exercise, cases, truths)
    passed = {kind for kind, answer in faults if accepted(exercise, answer, cases, truths)}
    assert passed == allowed(exercise.slug)
    precise = accepted(
        exercise, lambda *given: numbers(exercise.reference(*given), Tensor.double), cases, truths
    )
    assert precise == (exercise.dtype != "exact"), (
        "a more precise result is right unless the text asks for the dtype"
    )


TOUCH = 1e-9  # added to numbers in double precision; ties are broken by it
WAYS = {
    "+": lambda x: x + TOUCH,
    "-": lambda x: x - TOUCH,
    # no two are equal any more
    "/": lambda x: x + TOUCH * torch.arange(x.numel(), dtype=x.dtype).view(x.shape),
}


def a_touch(name: str, way: str) -> Callable[[Exercise], Answer]:
    """The reference, with an input a touch larger or smaller: what `>=` does in place of `>`."""

    def change(x: Any) -> Any:
        if isinstance(x, Tensor):
            return WAYS[way](x.double())
        return x + 1e-6 if way == "+" else x - 1e-6  # it may be compared in single precision

    return of_input(name, change)


# What changes where an input is a touch larger ("+") or smaller ("-"): `>=` for `>` is such a touch. All
# exercises with thresholds, comparisons or counts are here.
EDGES = {
    "feature-fates": ("W-",),
    "polysemantic-neuron": ("threshold-",),
    "jump-relu": ("threshold-",),
    "pareto": ("l0/", "loss/"),
    "dead-latents": ("latents+",),
    "feature-splitting": ("gain+",),
    "sae-metrics": ("latents+",),
    "read-a-latent": ("activations+",),
    "choose-then-mark": ("second+",),
    "neurons-vs-latents": ("activation/",),
}


@pytest.mark.parametrize("slug", EDGES)
def test_a_touch_is_noticed_where_there_is_an_edge(slug):
    exercise = get(slug)
    cases = judging.make_cases(exercise, 0)
    truths = [judging.see(exercise, exercise.reference, case) for case in cases]
    for edge in EDGES[slug]:
        assert not accepted(exercise, a_touch(edge[:-1], edge[-1])(exercise), cases, truths), edge
