"""Known features: how they are drawn and matched, and that each kind of dictionary finds all of them."""

import pytest
import torch

from mi_tutor.lab.dictionaries import (
    BatchTopK,
    ToyActivations,
    match_features,
    sae_metrics,
    toy_features,
    toy_recipe,
    train_sae,
)
from mi_tutor.lab.dictionaries.recipes import TOY_KINDS
from mi_tutor.lab.ground.device import seeded


def test_rows_are_sparse_sums_of_the_directions():
    toy = ToyActivations.drawn(n_features=6, d=6, probability=0.3, seed=0)
    torch.testing.assert_close(toy.directions.norm(dim=1), torch.ones(6))
    s = toy.rows(5000, seeded(1)) @ torch.linalg.inv(toy.directions)
    on = s.abs() > 1e-4
    assert s.min() > -1e-4 and s.max() < 1 + 1e-4
    torch.testing.assert_close(on.float().mean(dim=0), torch.full((6,), 0.3), atol=0.03, rtol=0)


def test_chunks_are_made_from_their_number_alone():
    toy = ToyActivations.drawn(n_features=6, d=4, probability=0.3, seed=0)
    assert toy.chunk(3, 10).equal(toy.chunk(3, 10))
    assert not toy.chunk(3, 10).equal(toy.chunk(4, 10))


def test_matching_by_hand():
    W_dec, features = torch.randn(7, 4, generator=seeded(0)), torch.randn(5, 4, generator=seeded(1))
    found = match_features(W_dec, features)
    for f in range(5):
        cosines = [torch.cosine_similarity(features[f], row, dim=0).item() for row in W_dec]
        assert found.cosine[f].item() == pytest.approx(max(cosines), abs=1e-6)
        assert found.latent[f] == cosines.index(max(cosines))
    assert found.mean_max_cosine == pytest.approx(found.cosine.mean().item())


def test_matching_ignores_order_length_and_what_else_is_there():
    features = torch.randn(5, 8, generator=seeded(1))
    extra = torch.randn(9, 8, generator=seeded(2))
    W_dec = torch.cat([extra, 3 * features.flip(0)])
    found = match_features(W_dec, features)
    assert found.latent.tolist() == [13, 12, 11, 10, 9]
    assert found.mean_max_cosine == pytest.approx(1)
    assert match_features(-features, features).mean_max_cosine < 0.9


def trained_on_toy(name: str, **changes):
    toy = toy_features(7)  # not the dictionary's own seed: it would start at the answer
    return toy, train_sae(toy.chunk, toy_recipe(name, **changes), progress=False)


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize("name", TOY_KINDS)
def test_every_feature_is_recovered(name):
    """benchmarks/sae_toy.py has more seeds."""
    toy, trained = trained_on_toy(name)
    found = match_features(trained.sae.W_dec, toy.directions)
    assert found.mean_max_cosine > 0.95 and found.cosine.min() > 0.8
    metrics = sae_metrics(trained.sae, toy.chunk(10**6))
    assert metrics.fvu < 0.2 and metrics.l0 < 4


def test_recipes_can_be_changed():
    config = toy_recipe("relu", n_steps=90, sparsity=0.5)
    assert (config.sparsity, config.sparsity_warmup) == (0.5, 60)
    assert toy_recipe("topk", kind=BatchTopK(k=3)).kind == BatchTopK(k=3)
    with pytest.raises(ValueError, match="no recipe 'gated'"):
        toy_recipe("gated")


def test_sizes_are_those_of_the_rows():
    toy = toy_features(7)
    expected = toy.sizes(50, seeded(1)) @ toy.directions
    assert toy.rows(50, seeded(1)).equal(expected)


def test_one_that_is_not_trained_recovers_nothing():
    toy, trained = trained_on_toy("relu", n_steps=1)
    assert match_features(trained.sae.W_dec, toy.directions).mean_max_cosine < 0.7
