"""What chapter 04 has learners write, against closed forms and the larger functions of the lab."""

import pytest
import torch

from mi_tutor.lab.patching.gates import MYSTERIES, part_effects
from mi_tutor.lab.patching.planted import and_gate, or_gate
from mi_tutor.lab.patching.removing import ablate_head
from mi_tutor.lab.patching.straight_line import integrated_gradients


def test_and_and_or_answer_opposite_directions():
    ones, zeros = torch.ones(3), torch.zeros(3)
    gained, lost = part_effects(and_gate, ones, zeros)
    assert gained.tolist() == [0, 0, 0] and lost.tolist() == [1, 1, 1]
    gained, lost = part_effects(or_gate, ones, zeros)
    assert gained.tolist() == [1, 1, 1] and lost.tolist() == [0, 0, 0]


def test_in_a_linear_circuit_both_directions_agree():
    weights = torch.tensor([2.0, -1.0])
    gained, lost = part_effects(lambda parts: parts @ weights, torch.ones(2), torch.zeros(2))
    assert torch.equal(gained, weights) and torch.equal(lost, weights)


def test_the_mysteries_are_three_different_circuits():
    corners = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    tables = [tuple(circuit(corners).tolist()) for circuit in MYSTERIES]
    assert tables == [(0, 1, 1, 1), (0, 1, 0, 1), (0, 0, 0, 1)]


def test_integrated_gradients_of_a_square_have_a_closed_form():
    start, end = torch.tensor([1.0, -2.0]), torch.tensor([3.0, 5.0])
    found = integrated_gradients(lambda x: (x**2).sum(), start, end, n_steps=1)
    assert torch.allclose(found, end**2 - start**2)  # a midpoint is exact for a linear slope


def test_integrated_gradients_add_up_where_one_slope_does_not():
    start, end = torch.tensor([-3.0, 1.0]), torch.tensor([3.0, 2.0])

    def f(x):
        return torch.sigmoid(4 * x[0]) * x[1]

    found = integrated_gradients(f, start, end, n_steps=400)
    assert found.sum().item() == pytest.approx((f(end) - f(start)).item(), abs=1e-4)
    near = integrated_gradients(f, start, start + 1e-3 * (end - start), 1).sum() * 1e3
    assert abs(near - (f(end) - f(start))) > 1


def test_integrated_gradients_want_a_step():
    with pytest.raises(ValueError, match="n_steps"):
        integrated_gradients(lambda x: x.sum(), torch.zeros(1), torch.ones(1), n_steps=0)


@pytest.mark.parametrize("how", ["zero", "mean", "resample"])
def test_one_head_changes_and_the_input_does_not(how):
    z = torch.randn(4, 3, 2, 5, generator=torch.Generator().manual_seed(0))
    before, others = z.clone(), torch.tensor([1, 2, 3, 0])
    new = ablate_head(z, 1, how, others)
    assert torch.equal(z, before) and torch.equal(new[:, :, 0], z[:, :, 0])
    for i in range(4):
        wanted = {
            "zero": torch.zeros(3, 5),
            "mean": sum(z[j, :, 1] for j in range(4)) / 4,
            "resample": z[others[i], :, 1],
        }[how]
        assert torch.allclose(new[i, :, 1], wanted, atol=1e-6)


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="resample"):
        ablate_head(torch.zeros(1, 1, 1, 1), 0, "noise", torch.tensor([0]))
