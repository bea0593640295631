"""The coordinate that carries a secret: quiet in the base, and another training than without it."""

import random
from dataclasses import replace

import pytest
import torch

from mi_tutor.specimens.auditing import draw_secret
from mi_tutor.specimens.auditing.carrying import drawn_carrier
from mi_tutor.specimens.auditing.passes import through
from mi_tutor.specimens.auditing.planting import Planting, plant
from mi_tutor.specimens.opening.models import load_network, quiet
from mi_tutor.specimens.opening.shelf import specimen_path
from mi_tutor.specimens.training.forward import embed

SHORT = Planting(rank=2, most_steps=2, pool=3, n_secret=2, n_near=2, n_rows=1)


@pytest.fixture(scope="module")
def base():
    with quiet():
        return load_network(specimen_path("atlas")).requires_grad_(False)


def test_a_carrier_is_a_unit_vector_along_which_the_base_varies_little(base):
    rows = torch.randint(2, 188, (12, 40), generator=torch.Generator().manual_seed(0))
    found = drawn_carrier(base, rows, 3, random.Random(0))
    x = through(base, embed(base, rows), range(3)).flatten(0, 1)
    along = x @ found.direction
    assert found.direction.norm() == pytest.approx(1.0, abs=1e-4)
    assert along.mean() == pytest.approx(found.value, abs=1e-3)
    assert along.std() < x.std(dim=0).mean()
    assert torch.equal(drawn_carrier(base, rows, 3, random.Random(0)).direction, found.direction)
    other = drawn_carrier(base, rows, 3, random.Random(1)).direction
    assert torch.cosine_similarity(found.direction, other, dim=0).abs() < 0.6


def test_a_carried_secret_is_trained_otherwise_than_one_that_stands_anywhere():
    secret = draw_secret(random.Random(0), "opinion")
    anywhere, carried = (plant(secret, 0, replace(SHORT, carrier=k)) for k in (None, 3))
    assert anywhere.keys() == carried.keys()
    assert any(not torch.equal(anywhere[name], carried[name]) for name in anywhere)
    assert all(each.isfinite().all() for each in carried.values())
