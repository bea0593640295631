"""Counting by hand; resampling on a planted signal: exactly the badly reconstructed direction must be
adopted."""

from dataclasses import replace

import pytest
import torch

from mi_tutor.lab.dictionaries import JumpRelu, Sae, count_silence, dead_latents, resample
from mi_tutor.lab.ground.device import seeded


def test_silence_by_hand():
    g = seeded(0)
    latents = [
        torch.rand(5, 6, generator=g) * (torch.rand(5, 6, generator=g) < 0.05) for _ in range(8)
    ]
    silent = torch.zeros(6, dtype=torch.int64)
    for batch in latents:
        silent = count_silence(silent, batch)
    for i in range(6):
        last = max((t for t in range(8) if (latents[t][:, i] > 0).any()), default=-1)
        assert silent[i] == 5 * (7 - last)
    assert 0 in silent and silent.max() > 5  # the example has both
    assert dead_latents(silent, 10).equal(silent >= 10)


def test_a_window_must_be_positive():
    with pytest.raises(ValueError, match="from 1, got 0"):
        dead_latents(torch.zeros(2, dtype=torch.int64), 0)


def planted(n_rows: int = 4000) -> tuple[Sae, torch.Tensor]:
    """Six orthogonal features; latents 0 to 4 stand for five of them, 5 to 7 are dead, feature 5 is missing."""
    features = torch.linalg.qr(torch.randn(10, 6, generator=seeded(0)))[0].T
    b_dec = torch.randn(10, generator=seeded(1))
    W_dec = torch.cat([features[:5], torch.randn(3, 10, generator=seeded(2))])
    W_enc = W_dec.T.clone()
    b_enc = torch.zeros(8)
    b_enc[5:] = -1e3
    s = torch.rand(n_rows, 6, generator=seeded(3)) * (
        torch.rand(n_rows, 6, generator=seeded(4)) < 0.3
    )
    s[:, 5] *= torch.rand(n_rows, generator=seeded(5)) < 0.1  # the missing feature is rare
    return Sae(W_enc=W_enc, b_enc=b_enc, W_dec=W_dec, b_dec=b_dec), s @ features + b_dec


def test_the_missing_direction_is_adopted_by_dead_latents_alone():
    sae, x = planted()
    dead = torch.arange(8) >= 5
    missing = x - sae(x)
    direction = missing[missing.norm(dim=1).argmax()]
    new = resample(sae, x, dead, seeded(0))

    cosine = torch.cosine_similarity(new.W_dec[dead], direction, dim=1)
    torch.testing.assert_close(cosine, torch.ones(3))
    torch.testing.assert_close(new.W_dec[dead].norm(dim=1), torch.ones(3))
    cosine = torch.cosine_similarity(new.W_enc[:, dead].T, direction, dim=1)
    torch.testing.assert_close(cosine, torch.ones(3))
    usual = sae.W_enc[:, ~dead].norm(dim=0).mean()
    torch.testing.assert_close(new.W_enc[:, dead].norm(dim=0), 0.2 * usual.expand(3))
    assert new.b_enc[dead].eq(0).all()
    for name in ("W_enc", "b_enc", "W_dec"):
        before, after = getattr(sae, name), getattr(new, name)
        alive = ~dead
        before, after = (v[:, alive] if name == "W_enc" else v[alive] for v in (before, after))
        assert after.equal(before)
    # They fire, and only where the direction is.
    fires = (new.encode(x)[:, dead] > 1e-4).all(dim=1)
    assert fires.equal(missing.norm(dim=1) > 1e-3)


def test_inputs_are_drawn_by_squared_loss():
    """Two inputs with losses 1 and 4: the second is drawn 16 times as often as the first."""
    sae = Sae(
        W_enc=torch.zeros(2, 4000),
        b_enc=torch.zeros(4000),
        W_dec=torch.zeros(4000, 2),
        b_dec=torch.zeros(2),
    )
    x = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    new = resample(sae, x, torch.ones(4000, dtype=torch.bool), seeded(0))
    share = new.W_dec[:, 1].mean().item()
    assert share == pytest.approx(16 / 17, abs=0.02)  # standard error 0.004


def test_nothing_to_do():
    sae, x = planted(100)
    assert resample(sae, x, torch.zeros(8, dtype=torch.bool), seeded(0)) is sae
    assert resample(sae, sae.b_dec[None], torch.ones(8, dtype=torch.bool), seeded(0)) is sae


def test_a_threshold_that_had_grown_does_not_keep_a_latent_dead():
    sae, x = planted()
    dead = torch.arange(8) >= 5
    kind = JumpRelu(start=0.01)
    sae = replace(sae, kind=kind, threshold=torch.where(dead, 1e3, 0.1))
    new = resample(sae, x, dead, seeded(0))
    assert new.threshold[dead].eq(0.01).all() and new.threshold[~dead].eq(0.1).all()
    assert (new.encode(x)[:, dead] > 0).any(dim=0).all()


def test_a_transcoder_writes_what_is_missing_and_reads_where_the_input_is_unusual():
    sae = Sae(
        W_enc=torch.eye(3),
        b_enc=torch.zeros(3),
        W_dec=torch.zeros(3, 2),
        b_dec=torch.zeros(2),
        centred=False,
    )
    x = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 5.0]])
    y = torch.tensor([[0.0, 0.0], [3.0, 0.0]])
    new = resample(sae, x, torch.tensor([False, False, True]), seeded(0), target=y)
    assert new.W_dec[2].tolist() == [1.0, 0.0]
    assert new.W_enc[:, 2].tolist() == pytest.approx([0.0, 0.0, 0.2])
