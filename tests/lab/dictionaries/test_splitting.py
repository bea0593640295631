"""Planted splits and planted absorption, whose rates are known."""

import pytest
import torch

from mi_tutor.lab.dictionaries import absorption, feature_splitting
from mi_tutor.lab.ground.device import seeded


def test_a_concept_in_three_parts_takes_three_latents():
    there = torch.rand(600, generator=seeded(0)) < 0.3
    part = torch.randint(0, 3, (600,), generator=seeded(1))
    on = torch.stack([there & (part == i) for i in range(3)], dim=1)
    noise = torch.rand(600, 4, generator=seeded(2)) < 0.05
    found = feature_splitting(torch.cat([noise, on], dim=1), there)
    assert sorted(found.latents) == [4, 5, 6]
    assert found.f1[-1] == 1 and found.f1 == sorted(found.f1)
    # The first covers the largest part.
    sizes = on.sum(dim=0)
    assert found.latents[0] == 4 + int(sizes.argmax())
    assert found.f1[0] == pytest.approx((2 * sizes.max() / (sizes.max() + there.sum())).item())


def test_a_concept_with_one_good_latent_is_not_split():
    there = torch.rand(400, generator=seeded(0)) < 0.3
    noise = torch.rand(400, 4, generator=seeded(2)) < 0.05
    found = feature_splitting(torch.cat([noise, there[:, None]], dim=1), there)
    assert found.latents == [4] and found.f1 == [1.0]


def test_no_more_latents_than_asked_for():
    there = torch.ones(8, dtype=torch.bool)
    assert len(feature_splitting(torch.eye(8, dtype=torch.bool), there, most=3).latents) == 3


def planted(n=1000):
    """A parent feature "Texas" that is on whenever one of three children is, and 20 % of the time alone.

    Child 0 has taken the parent into its own row: there the parent's latent is silent. Child 1 and 2 leave it
    alone.
    """
    child = torch.randint(0, 4, (n,), generator=seeded(0))  # 3: none
    parent = (child < 3) | (torch.rand(n, generator=seeded(1)) < 0.2)
    directions = torch.linalg.qr(torch.randn(6, 5, generator=seeded(2)))[0].T
    texas = directions[0]
    latents = torch.zeros(n, 5)
    latents[:, 0] = (parent & (child != 0)).float() * 2
    for i in range(3):
        latents[:, i + 1] = (child == i).float() * 3
    latents[:, 4] = (
        torch.rand(n, generator=seeded(3)) * 4
    )  # always on, and has nothing to do with it
    W_dec = directions.clone()
    W_dec[1] = 0.6 * texas + 0.8 * directions[1]
    return latents, W_dec, parent, texas, child


def test_absorption_finds_the_child_that_swallowed_its_parent():
    latents, W_dec, parent, texas, child = planted()
    found = absorption(latents, W_dec, parent, texas, main=[0])
    assert found.absorbed.equal(child == 0)
    assert found.absorber[child == 0].eq(1).all() and found.absorber[child != 0].eq(-1).all()
    share = (child == 0).sum().item() / parent.sum().item()
    assert found.rate == pytest.approx(share) and found.missed == pytest.approx(share)


def test_a_gap_that_nothing_fills_is_missed_but_not_absorbed():
    latents, W_dec, parent, texas, _ = planted()
    W_dec[1] = W_dec[1] - 0.6 * texas
    found = absorption(latents, W_dec, parent, texas, main=[0])
    assert found.rate == 0 and found.missed > 0.1


def test_a_small_contribution_is_not_absorption():
    latents, W_dec, parent, texas, _ = planted()
    latents[:, 1] /= 4  # it now writes 0.45 along "Texas", where the parent writes 2
    assert absorption(latents, W_dec, parent, texas, main=[0]).rate == 0
