"""Putting back: what must hold at the two ends, and against a loop."""

import pytest
import torch

from mi_tutor.lab.crosscoders import both_streams, put_back, recovered_share, streams_at
from mi_tutor.lab.ground.device import seeded
from mi_tutor.specimens.crosscoders import replies_due
from mi_tutor.specimens.crosscoders.measures import plain


def test_nothing_and_all():
    g = seeded(0)
    W_dec, f = torch.randn(6, 2, 4, generator=g), torch.rand(3, 6, generator=g)
    x = torch.einsum("nl,lmd->nmd", f, W_dec)  # reconstructed exactly
    assert put_back(x, f, W_dec, torch.arange(0)).equal(x[:, 0])
    assert torch.allclose(put_back(x, f, W_dec, torch.arange(6)), x[:, 1], atol=1e-5)
    some = torch.tensor([4, 1])
    by_hand = x[:, 0] + sum(f[:, i, None] * (W_dec[i, 1] - W_dec[i, 0]) for i in (1, 4))
    assert torch.allclose(put_back(x, f, W_dec, some), by_hand, atol=1e-5)


def test_recovered_share_at_its_ends():
    g = seeded(2)
    tuned, nothing = torch.randn(2, 3, 7, generator=g), torch.randn(2, 3, 7, generator=g)
    where = torch.tensor([[True, False, True], [False, True, True]])
    assert recovered_share(tuned, nothing, tuned, where) == pytest.approx(1, abs=1e-5)
    assert recovered_share(tuned, nothing, nothing, where) == pytest.approx(0, abs=1e-6)


def test_streams_at_are_both_streams_whatever_is_padded():
    some, models = replies_due("test", 70), (plain("atlas"), plain("atlas-rewired"))
    found = streams_at(*models, some.tokens, some.end, 5)
    all_of_them = both_streams(*models, some.tokens, 5)[torch.arange(70), some.end]
    assert torch.allclose(found, all_of_them, atol=1e-4)
