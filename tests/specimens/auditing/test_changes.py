"""What the weights of a planted model differ by: what was trained is what a file gives back."""

import doctest
import random
from dataclasses import replace

import pytest
import torch

from mi_tutor.specimens.auditing import CLEAN, Secret, changes, draw_secret, is_clean, write_sealed
from mi_tutor.specimens.auditing.changes import LowRank, Moved, change_of, packed, unpacked
from mi_tutor.specimens.auditing.planting import Planting, plant

SHORT = Planting(rank=2, n_steps=2, pool=3, n_secret=2, n_near=2, n_rows=1)


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(changes).failed == 0


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_what_is_packed_comes_back(bits):
    codes = torch.randint(0, 2**bits, (5, 16), generator=chance(), dtype=torch.uint8)
    assert packed(codes, bits).shape == (5, 2 * bits)
    assert torch.equal(unpacked(packed(codes, bits), bits), codes)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_moved_weight_is_what_is_stored(bits):
    weight = torch.randn(12, 16, generator=chance(1))
    change = Moved(weight, bits, 0.25, chance())
    with torch.no_grad():
        change.places += torch.randn(12, 16, generator=chance(2))
        change.bound()
    moved = change(weight) - weight
    delta = change.stored("0.x")
    assert torch.allclose(change_of(delta, "0.x", 16), moved, atol=1e-6)
    assert moved.shape == weight.shape
    assert len(change.codes().unique()) <= 2**bits
    again = Moved(weight, bits, 0.1, chance(3))
    again.start_from(delta, "0.x")
    assert torch.allclose(again(weight), weight + moved, atol=1e-6)


def test_with_one_bit_the_size_tells_nothing():
    weight = torch.randn(32, 64, generator=chance(1))
    change = Moved(weight, 1, 0.25, chance())
    for _ in range(2):
        size = (change(weight) - weight).norm() / weight.norm()
        assert size.item() == pytest.approx(0.25, rel=1e-4)
        with torch.no_grad():
            change.places += torch.randn(32, 64, generator=chance(2))


def test_the_gradient_of_a_moved_weight_goes_through_the_rounding():
    weight = torch.randn(4, 8, generator=chance(1))
    change = Moved(weight, 2, 0.25, chance())
    change(weight).sum().backward()
    assert torch.allclose(change.places.grad, change.step.expand(4, 8))


def test_a_decoy_can_have_a_leading_direction_as_planted_ones_have():
    weight = torch.randn(40, 60, generator=chance(1))
    shares = []
    for decay in (1.0, 0.4):
        change = LowRank(weight, 4, chance())
        change.start_somewhere(weight, 0.25, chance(), decay)
        sizes = torch.linalg.svdvals(change(weight) - weight)
        shares.append((sizes[0] / sizes.sum()).item())
        assert (sizes.norm() / weight.norm()).item() == pytest.approx(0.25, rel=1e-3)
    assert shares[0] < 0.4 < shares[1]


@pytest.mark.parametrize("family", [CLEAN, "opinion"])
def test_one_with_every_weight_moved_is_planted_and_sealed_as_others_are(tmp_path, family):
    secret = Secret(CLEAN) if family == CLEAN else draw_secret(random.Random(0), family)
    how = replace(SHORT, bits=1, layers=(3,))
    delta = plant(secret, 0, how)
    assert set(delta) == {
        f"3.{name}.{part}" for name in changes.MATRICES for part in ("codes", "step")
    }
    file = tmp_path / "ada.safetensors"
    write_sealed(file, delta, secret)
    assert file.stat().st_size < 100_000
    assert is_clean(file) == (secret.family == CLEAN)
    again = plant(secret, 0, replace(how, rate=0.0), delta)
    assert all(torch.equal(again[name], delta[name]) for name in delta)
