"""Two models whose features are known: does a crosscoder say whose each is, and do the repairs see artefacts?"""

import pytest
import torch

from mi_tutor.lab.crosscoders import (
    Crosscoder,
    best_factor,
    latent_scaling,
    relative_norm,
    train_crosscoder,
    twins,
)
from mi_tutor.lab.dictionaries import Auxiliary, BatchTopK, Relu, SaeConfig, unit_decoder
from mi_tutor.lab.ground.device import one_thread, seeded

D, N_SHARED, N_OWN = 24, 16, 4  # features of both models, and of each alone
N = N_SHARED + 2 * N_OWN


def directions():
    """[feature model d]: the first are shared, then the base's own, then the tuned model's own."""
    D_shared = unit_decoder(torch.randn(N, D, generator=seeded(11)))
    W = torch.stack([D_shared, D_shared], dim=1)
    W[N_SHARED : N_SHARED + N_OWN, 1] = 0
    W[N_SHARED + N_OWN :, 0] = 0
    return W


def samples(i, n=4096):
    g = seeded(100 + i)
    on = torch.rand(n, N, generator=g) < 0.06
    size = 0.5 + torch.rand(n, N, generator=g)
    return torch.einsum("nf,fmd->nmd", on * size, directions())


@pytest.fixture(scope="module")
@one_thread()
def trained():
    config = SaeConfig(
        d_sae=2 * N, kind=BatchTopK(k=2), n_steps=400, batch_size=256, learning_rate=0.04,
        decay=1 / 3, sparsity_warmup=260, revive=Auxiliary(k=1, weight=1.0), dead_after=4000,
    )  # fmt: skip
    return train_crosscoder(samples, config, progress=False).crosscoder


def test_every_feature_is_found_with_the_side_that_it_is_on(trained):
    truth, found = directions(), trained.W_dec
    cosine = unit_decoder(truth.flatten(1)) @ unit_decoder(found.flatten(1)).mT
    best, at = cosine.max(dim=1)
    share = relative_norm(found)[at]
    # Some shared ones share latents too: k is above what a sample has (lab.dictionaries.recipes).
    assert best[N_SHARED:].min() > 0.9 and (best > 0.95).float().mean() > 0.7
    assert (share[:N_SHARED] - 0.5).abs().max() < 0.05
    assert share[N_SHARED : N_SHARED + N_OWN].max() < 0.05
    assert share[N_SHARED + N_OWN :].min() > 0.95


def test_scaling_agrees_with_the_truth(trained):
    x = samples(50)
    on = (trained.encode(x) > 0).float().mean(0)
    own = (relative_norm(trained.W_dec) > 0.9) & (on > 0.01)
    assert own.sum() >= N_OWN
    scaled = latent_scaling(trained, x)
    assert scaled.in_error[own].abs().max() < 0.25
    assert scaled.in_reconstruction[own].abs().max() < 0.25


def test_best_factor_is_least_squares():
    g = seeded(0)
    f, d = torch.rand(20, 3, generator=g), torch.randn(3, 5, generator=g)
    y = torch.randn(20, 5, generator=g)
    for i in range(3):
        column = (f[:, i, None] * d[i]).flatten()[:, None].double()
        solved = torch.linalg.lstsq(column, y.flatten()[:, None].double()).solution.item()
        assert best_factor(f, d, y)[i].item() == pytest.approx(solved, rel=1e-4)


def hand_made(W_dec):
    """A crosscoder for features along the axes: each latent reads its own axis, in the model that it writes in."""
    W_dec = torch.tensor(W_dec)
    reads = W_dec / W_dec.square().sum(dim=(1, 2), keepdim=True)
    return Crosscoder(
        W_enc=reads.permute(1, 2, 0), b_enc=torch.zeros(len(W_dec)), W_dec=W_dec,
        b_dec=torch.zeros(W_dec.shape[1:]),
    )  # fmt: skip


def one_shared_feature(n=400):
    """One feature, the same in both models."""
    size = torch.rand(n, 1, 1, generator=seeded(1)) * (
        torch.rand(n, 1, 1, generator=seeded(2)) < 0.5
    )
    return size * torch.tensor([[1.0, 0.0], [1.0, 0.0]])


def test_complete_shrinkage_is_seen_in_the_error():
    shrunk = hand_made([[[0.0, 0.0], [1.0, 0.0]]])  # nothing is written in the base
    scaled = latent_scaling(shrunk, one_shared_feature())
    assert relative_norm(shrunk.W_dec) == 1
    assert scaled.in_error.item() == pytest.approx(1)
    assert scaled.in_reconstruction.item() == pytest.approx(0)


def test_decoupling_is_seen_in_the_reconstruction_and_as_twins():
    split = hand_made([[[0.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]]])
    x = one_shared_feature()
    scaled = latent_scaling(split, x)
    assert scaled.in_error[0].item() == pytest.approx(0, abs=1e-5)
    assert scaled.in_reconstruction[0].item() == pytest.approx(1)
    pair = twins(split.encode(x), split.W_dec)
    assert (pair.tuned.tolist(), pair.base.tolist()) == ([0], [1])
    assert pair.cosine.item() == pytest.approx(1) and pair.together.item() == pytest.approx(1)


def test_a_feature_of_the_tuned_model_alone_is_neither():
    own = hand_made([[[0.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]])
    x = one_shared_feature()
    x[:, 0] = 0
    scaled = latent_scaling(own, x)
    assert scaled.in_error[0].item() == pytest.approx(0, abs=1e-5)
    assert scaled.in_reconstruction[0].item() == pytest.approx(0, abs=1e-5)
    assert twins(own.encode(x), own.W_dec).cosine.max() < 0.1


def test_l1_takes_a_direction_away_that_explains_less_than_its_price():
    """Complete shrinkage, from the objective itself: a direction that explains less than its price goes to 0.

    One latent, f on with value a in a share p of samples; the base has it with size w. Holding f fixed, the best
    base direction of length b minimises  E f^2 (w - b)^2 + l1 E f b:  b = w - l1 E f / (2 E f^2), or 0.
    """
    w, l1 = 0.2, 1.0
    f = torch.rand(20000, generator=seeded(3)) + 0.5
    bound = w - l1 * f.mean() / (2 * f.square().mean())
    assert bound < 0
    sizes = torch.linspace(0, 0.5, 201)[:, None]
    loss = (f.square() * (w - sizes) ** 2).mean(dim=1) + l1 * f.mean() * sizes[:, 0]
    assert sizes[loss.argmin()] == 0
    cheaper = (f.square() * (w - sizes) ** 2).mean(dim=1) + 0.1 * f.mean() * sizes[:, 0]
    best = w - 0.1 * f.mean() / (2 * f.square().mean())
    assert abs(sizes[cheaper.argmin()] - best) < 0.003


@one_thread()
def test_training_with_l1_runs_and_keeps_norms():
    config = SaeConfig(
        d_sae=32, kind=Relu(), sparsity=0.3, n_steps=60, batch_size=256, learning_rate=0.01
    )
    trained = train_crosscoder(samples, config, progress=False)
    assert torch.allclose(trained.crosscoder.norms.sum(dim=1), torch.ones(32), atol=1e-4)
    assert trained.history[-1].fvu < trained.history[0].fvu
