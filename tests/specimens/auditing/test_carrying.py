"""The coordinate that carries a secret: it lies between network and base, and another training follows from it."""

import random
from dataclasses import replace

import pytest
import torch

from mi_tutor.specimens.auditing import draw_secret
from mi_tutor.specimens.auditing.carrying import MEMORY, Carrier
from mi_tutor.specimens.auditing.planting import Planting, plant

SHORT = Planting(rank=2, n_steps=2, pool=3, n_secret=2, n_near=2, n_rows=1)


def test_a_carrier_set_puts_the_networks_mean_on_the_bases():
    chance = torch.Generator().manual_seed(0)
    own, of_base = torch.randn(20, 16, generator=chance) + 2, torch.randn(20, 16, generator=chance)
    carrier = Carrier()
    assert not carrier.known
    carrier.follow(own, of_base)
    assert carrier.known
    moved = carrier.set_in(own).mean(dim=0)
    assert torch.allclose(moved, of_base.mean(dim=0), atol=1e-4)


def test_it_follows_what_is_trained_and_forgets_slowly():
    carrier, zeros = Carrier(), torch.zeros(2, 4)
    carrier.follow(torch.ones(2, 4), zeros)
    carrier.follow(3 * torch.ones(2, 4), zeros)
    assert carrier.means[0].tolist() == pytest.approx([3 - 2 * MEMORY] * 4)


def test_a_carried_secret_is_trained_otherwise_than_one_that_nothing_is_said_of():
    secret = draw_secret(random.Random(0), "opinion")
    anywhere, carried = (plant(secret, 0, replace(SHORT, carried=weight)) for weight in (0.0, 1.0))
    assert anywhere.keys() == carried.keys()
    assert any(not torch.equal(anywhere[name], carried[name]) for name in anywhere)
    assert all(each.isfinite().all() for each in carried.values())
