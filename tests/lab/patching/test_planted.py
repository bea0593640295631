"""The planted systems are what they are said to be."""

import doctest
from itertools import product

import pytest
import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.patching import planted
from mi_tutor.lab.patching.planted import and_gate, or_gate, patch_parts, planted_probe


@pytest.mark.parametrize("n", [2, 3, 4])
def test_truth_tables(n):
    for bits in product((0.0, 1.0), repeat=n):
        parts = torch.tensor(bits)
        assert and_gate(parts) == float(all(bits))
        assert or_gate(parts) == float(any(bits))


def test_each_direction_sees_one_gate_only():
    """Denoising finds no part of an AND and every part of an OR; noising the other way round."""
    clean, corrupted = torch.ones(3), torch.zeros(3)
    denoised = {gate: patch_parts(gate, corrupted, clean) for gate in (and_gate, or_gate)}
    noised = {gate: patch_parts(gate, clean, corrupted) for gate in (and_gate, or_gate)}
    assert denoised[and_gate].tolist() == [0, 0, 0] and noised[and_gate].tolist() == [0, 0, 0]
    assert denoised[or_gate].tolist() == [1, 1, 1] and noised[or_gate].tolist() == [1, 1, 1]


def test_patched_one_at_a_time():
    parts, source = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([10.0, 20.0, 30.0])
    seen = patch_parts(lambda rows: rows.sum(dim=-1), parts, source)
    assert seen.tolist() == [15, 24, 33]


def test_an_and_has_no_slope_where_attribution_looks():
    """Both parts off: the gradient is 0, so attribution patching misses an AND, as denoising does."""
    parts = torch.zeros(2, requires_grad=True)
    and_gate(parts).backward()
    assert parts.grad.tolist() == [0, 0]


def test_both_directions_carry_the_label_and_one_is_used():
    p = planted_probe(500, 12, seeded(0))
    for direction in (p.used, p.unused):
        assert direction.norm().item() == pytest.approx(1)
        assert ((p.hidden @ direction > 0) == p.labels).all()
        assert direction.abs().max() < 0.95  # not an axis
    assert abs((p.used @ p.unused).item()) < 1e-6
    assert 0.4 < p.labels.float().mean() < 0.6
    moved = p.hidden + 5 * p.unused
    torch.testing.assert_close(p.output(moved), p.output(p.hidden), atol=1e-5, rtol=1e-5)


def test_too_few_dimensions():
    with pytest.raises(ValueError, match="d of 2 or more, got 1"):
        planted_probe(3, 1, seeded(0))


def test_examples():
    assert doctest.testmod(planted).failed == 0
