"""Partners against numpy's correlations, and what must hold of them; stages against a regression with dummies."""

import numpy as np
import pytest
import torch

from mi_tutor.lab.crosscoders import NO_PARTNER, correlations, stage_diff, transfer
from mi_tutor.lab.ground.device import seeded


def drawn(n_tokens, n, seed):
    g = seeded(seed)
    return torch.randn(n_tokens, n, generator=g, dtype=torch.float64).relu()


def test_correlations_are_numpy_s():
    a, b = drawn(50, 4, 0), drawn(50, 6, 1)
    known = np.corrcoef(a.numpy().T, b.numpy().T)[:4, 4:]
    assert np.allclose(correlations(a, b), known)


def test_a_latent_that_never_changes_goes_with_nothing():
    a = drawn(30, 3, 0)
    a[:, 1] = 0.1  # its mean is not exactly .1
    found = correlations(a.float(), a.float())
    assert (found[1] == 0).all() and (found[:, 1] == 0).all()
    assert transfer(a.float(), a.float()).partner.tolist() == [0, NO_PARTNER, 2]


def test_a_dictionary_in_another_order_and_another_unit_transfers_whole():
    a, order = drawn(60, 9, 2), torch.randperm(9, generator=seeded(3))
    found = transfer(a, 0.1 + 7 * a[:, order])
    assert torch.allclose(found.best, torch.ones(9, dtype=torch.float64))
    assert found.partner.equal(order.argsort())


def test_partners_are_one_to_one_and_agree_from_either_side():
    a, b = drawn(40, 12, 4), drawn(40, 8, 5)
    ours, theirs = transfer(a, b).partner, transfer(b, a).partner
    for i, j in enumerate(ours.tolist()):
        assert j == NO_PARTNER or theirs[j] == i
    assert (ours != NO_PARTNER).sum() == (theirs != NO_PARTNER).sum() > 0


@pytest.mark.parametrize("seed", range(3))
def test_a_step_is_the_interaction_of_a_regression(seed):
    """y = 1 + changed + after + changed * after: the last coefficient is the difference in differences."""
    g = seeded(seed)
    y = torch.randn(4, 9, generator=g, dtype=torch.float64)
    changed = torch.arange(9) < 3
    steps, reached = stage_diff(y, changed)
    for s in range(3):
        after = torch.tensor([0.0, 1.0], dtype=torch.float64)[:, None].expand(2, 9).flatten()
        there = changed.double().repeat(2)
        X = torch.stack([torch.ones(18, dtype=torch.float64), there, after, there * after], dim=1)
        fitted = torch.linalg.lstsq(X, y[s : s + 2].flatten()[:, None]).solution[3, 0]
        assert steps[s].item() == pytest.approx(fitted.item(), abs=1e-9)
    assert torch.allclose(reached[1:], steps.cumsum(dim=0) / steps.sum())
    assert reached[0] == 0 and reached[-1] == pytest.approx(1)


def test_what_all_prompts_have_in_common_is_no_change():
    g = seeded(7)
    y, changed = torch.randn(5, 8, 2, generator=g), torch.arange(8) % 2 == 0
    drift = 10 * torch.randn(5, 1, 2, generator=g)
    for one, other in zip(stage_diff(y, changed), stage_diff(y + drift, changed), strict=True):
        assert torch.allclose(one, other, atol=1e-3)
