"""Oracles: every threshold tried by brute force, every pair of tokens counted."""

import pytest
import torch

from mi_tutor.lab.dictionaries import (
    auroc,
    best_f1,
    match_concepts,
    neurons_vs_latents,
    score_a_label,
)
from mi_tutor.lab.ground.device import seeded


def f1_by_hand(said: list[bool], there: list[bool]) -> float:
    right = sum(s and t for s, t in zip(said, there, strict=True))
    return 2 * right / (sum(said) + sum(there)) if right else 0.0


def example(n=40, n_units=5, n_concepts=3, seed=0):
    """Activations in steps of 1/4, so that there are ties, half of them 0."""
    g = seeded(seed)
    activations = torch.relu(torch.randn(n, n_units, generator=g)).mul(4).round().div(4)
    labels = torch.rand(n, n_concepts, generator=g) < 0.3
    return activations, labels


def test_score_by_hand():
    said, there = torch.rand(2, 50, generator=seeded(0)) < 0.4
    right = sum(s and t for s, t in zip(said.tolist(), there.tolist(), strict=True))
    score = score_a_label(said, there)
    assert score.precision == right / said.sum()
    assert score.recall == right / there.sum()
    expected = 2 * score.precision * score.recall / (score.precision + score.recall)
    assert score.f1 == pytest.approx(expected)


def test_score_of_silence():
    none, some = torch.zeros(3, dtype=torch.bool), torch.tensor([True, False, False])
    assert score_a_label(none, some) == (0, 0, 0)
    assert score_a_label(some, none) == (0, 0, 0)
    assert score_a_label(none, none) == (0, 0, 0)


@pytest.mark.parametrize("shift", [0.0, -1.0])  # neurons can be negative
@pytest.mark.parametrize("seed", range(3))
def test_the_best_threshold_by_brute_force(seed, shift):
    activations, labels = example(seed=seed)
    activations = activations + shift
    f1, cut = best_f1(activations, labels)
    for unit in range(5):
        for concept in range(3):
            values = activations[:, unit].tolist()
            there = labels[:, concept].tolist()
            tried = {c: f1_by_hand([v > c for v in values], there) for c in set(values)}
            assert f1[unit, concept] == pytest.approx(max(tried.values()))
            assert tried[cut[unit, concept].item()] == pytest.approx(max(tried.values()))


def test_without_thresholds_on_means_above_zero():
    activations, labels = example()
    f1, cut = best_f1(activations, labels, thresholds=False)
    for unit in range(5):
        said = (activations[:, unit] > 0).tolist()
        for concept in range(3):
            assert f1[unit, concept] == pytest.approx(f1_by_hand(said, labels[:, concept].tolist()))
    assert cut.eq(0).all()


def test_a_dead_unit_and_an_absent_concept():
    activations, labels = example()
    activations[:, 0] = 0
    labels[:, 0] = False
    for thresholds in (True, False):
        f1, cut = best_f1(activations, labels, thresholds=thresholds)
        assert f1[0].eq(0).all() and f1[:, 0].eq(0).all()
        assert f1.isfinite().all() and cut.isfinite().all()


@pytest.mark.parametrize("seed", range(3))
def test_auroc_counts_pairs(seed):
    activations, labels = example(seed=seed)
    values, there = activations[:, 0], labels[:, 0]
    pairs = [(a - b).sign().item() for a in values[there] for b in values[~there]]
    assert auroc(values, there) == pytest.approx(sum((s + 1) / 2 for s in pairs) / len(pairs))


def test_units_are_chosen_on_some_texts_and_marked_on_others():
    choosing, marking = example(200, seed=1), example(200, seed=2)
    found = match_concepts(choosing, marking)
    f1, cut = best_f1(*choosing)
    for concept in range(3):
        unit = int(f1[:, concept].argmax())
        assert found.unit[concept] == unit and found.threshold[concept] == cut[unit, concept]
        said, there = marking[0][:, unit] > cut[unit, concept], marking[1][:, concept]
        expected = score_a_label(said, there)
        for name in ("precision", "recall", "f1"):
            seen = getattr(found, name)[concept].item()
            assert seen == pytest.approx(getattr(expected, name), abs=1e-6)
        assert found.auroc[concept] == pytest.approx(auroc(marking[0][:, unit], there), abs=1e-6)
        assert found.n_there[concept] == there.sum()
    # Noise looks better where it was chosen.
    assert (f1.max(dim=0).values > found.f1).any()


def test_a_planted_unit_is_found():
    activations, labels = example(300, seed=3)
    activations[:, 4] = torch.where(
        labels[:, 1], 2.0 + activations[:, 4], activations[:, 4].clamp(max=1)
    )
    found = match_concepts((activations[:150], labels[:150]), (activations[150:], labels[150:]))
    assert found.unit[1] == 4 and found.f1[1] == 1 and found.auroc[1] == 1
    assert 1 <= found.threshold[1] < 2


def test_the_side_that_was_planted_wins():
    (one, labels), (two, more) = example(200, seed=1), example(200, seed=2)
    good = labels.float() * 2, more.float() * 2
    found = neurons_vs_latents((one - 0.5, two - 0.5), good, (labels, more))
    assert found.latents_win == 1 and found.latents.f1.eq(1).all() and (found.neurons.f1 < 1).all()
    assert neurons_vs_latents(good, (one, two), (labels, more)).latents_win == 0
    assert neurons_vs_latents(good, good, (labels, more)).latents_win == 0.5
