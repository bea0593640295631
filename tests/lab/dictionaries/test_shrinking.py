"""Oracles: the loss tried on a fine grid; a feature alone, where training must reach the closed form."""

import pytest
import torch

from mi_tutor.lab.dictionaries import (
    Relu,
    SaeConfig,
    TopK,
    ToyActivations,
    sae_loss,
    shrinkage,
    soft_threshold,
    train_sae,
)
from mi_tutor.lab.dictionaries.start import unit_scale
from mi_tutor.lab.ground.device import seeded

pytestmark = pytest.mark.usefixtures("shapes_unchecked")


@pytest.mark.parametrize("l1", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("size", [0.1, 0.6, 2.5])
def test_no_other_latent_has_a_smaller_loss(size, l1):
    W_dec = torch.tensor([[0.6, 0.8]], dtype=torch.float64)
    grid = torch.linspace(0, 3, 3001, dtype=torch.float64)
    x = size * W_dec
    losses = [sae_loss(x, f.view(1, 1) @ W_dec, f.view(1, 1), W_dec, l1).item() for f in grid]
    best = grid[losses.index(min(losses))]
    assert soft_threshold(torch.tensor(size), l1).item() == pytest.approx(best.item(), abs=1e-3)


def alone(p: float, **settings):
    """A dictionary of one latent for one feature; sizes, latents and b_dec, all in the units of training."""
    toy = ToyActivations.drawn(n_features=1, d=4, probability=p, seed=3)
    config = SaeConfig(
        d_sae=1, n_steps=600, batch_size=512, learning_rate=0.02, warmup=10, decay=0.5, **settings
    )
    scale = unit_scale(toy.chunk(0))
    sae = train_sae(toy.chunk, config, progress=False).sae
    s = toy.sizes(20_000, seeded(10**6))
    latents = sae.encode(s @ toy.directions)
    b = sae.b_dec @ toy.directions[0]
    return scale * s[:, 0], scale * latents[:, 0], (scale * b).item()


@pytest.mark.parametrize("p", [0.05, 0.3])
def test_training_reaches_the_closed_form(p):
    l1 = 1.0
    size, latent, b = alone(p, kind=Relu(), sparsity=l1)
    on = latent > 0
    share = on.float().mean().item()
    assert shrinkage(latent, size) == pytest.approx(l1 / 2 / (1 - share), rel=0.1)
    assert b == pytest.approx(l1 / 2 * share / (1 - share), abs=0.05)
    # Every size loses the same, so that what is reconstructed is soft thresholding.
    torch.testing.assert_close(latent[on] + b, soft_threshold(size, l1)[on], atol=0.1, rtol=0)


def test_top_k_takes_nothing_away():
    size, latent, b = alone(0.05, kind=TopK(k=1))
    torch.testing.assert_close(latent + b, size, atol=0.05, rtol=0)


def test_a_dead_latent_is_named():
    with pytest.raises(ValueError, match="off in all 3 samples"):
        shrinkage(torch.zeros(3), torch.ones(3))
