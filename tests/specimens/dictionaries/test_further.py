"""Dictionaries in two stages: what joining means, thresholds, and a training in small."""

from dataclasses import replace

import pytest
import torch

from mi_tutor.lab.dictionaries import JumpRelu, Sae, TopK
from mi_tutor.lab.ground.device import seeded
from mi_tutor.specimens import card, open_dictionary
from mi_tutor.specimens.dictionaries import further, further_measures, measures
from mi_tutor.specimens.dictionaries.further import FURTHER, joined, with_thresholds


def drawn(n_latents, seed, **more):
    """A dictionary of random numbers, 5 dimensions."""
    lot = seeded(seed)
    shapes = {
        "W_enc": (5, n_latents),
        "b_enc": (n_latents,),
        "W_dec": (n_latents, 5),
        "b_dec": (5,),
    }
    return Sae(
        **{name: torch.randn(shape, generator=lot) for name, shape in shapes.items()}, **more
    )


def test_joined_is_the_sum_of_both():
    """Latents in order, and what is written: an autoencoder, and a transcoder that reads x as it is."""
    first = drawn(4, 0, kind=JumpRelu(), threshold=torch.rand(4, generator=seeded(2)))
    more = drawn(3, 1, kind=JumpRelu(), threshold=torch.rand(3, generator=seeded(3)), centred=False)
    x = torch.randn(200, 5, generator=seeded(4))
    both = joined(first, more)
    expected = torch.cat([first.encode(x), more.encode(x)], dim=1)
    assert (expected > 0).float().mean() > 0.1
    torch.testing.assert_close(both.encode(x), expected)
    torch.testing.assert_close(both(x), first(x) + more(x))


def test_thresholds_tell_best_who_was_among_the_largest():
    """Against every threshold there is, by brute force."""
    sae = drawn(6, 5, kind=TopK(k=2))
    x = torch.randn(60, 5, generator=seeded(6))
    found = with_thresholds(sae, x)
    pre, among = sae.pre_activations(x).clamp_min(0), sae.encode(x) > 0

    def f1(said, there):
        return 2 * int((said & there).sum()) / max(1, int(said.sum() + there.sum()))

    assert among.any(dim=0).sum() >= 4
    for i in among.any(dim=0).nonzero()[:, 0].tolist():
        best = max(f1(pre[:, i] > cut, among[:, i]) for cut in [*pre[:, i].tolist(), -1.0])
        assert f1(found.encode(x)[:, i] > 0, among[:, i]) == pytest.approx(best)


def test_a_latent_that_is_never_among_the_largest_stays_off():
    sae = Sae(
        W_enc=torch.tensor([[1.0, 0.5]]),
        b_enc=torch.zeros(2),
        W_dec=torch.ones(2, 1),
        b_dec=torch.zeros(1),
        kind=TopK(k=1),
    )
    x = torch.tensor([[1.0], [2.0]])
    assert not (with_thresholds(sae, x).encode(x)[:, 1] > 0).any()


def test_the_first_latents_are_those_of_the_first_dictionary():
    for name, recipe in FURTHER.items():
        sae, first = open_dictionary(name), open_dictionary(recipe.first)
        n = first.d_sae
        assert sae.d_sae == n + recipe.config.d_sae
        torch.testing.assert_close(sae.W_enc[:, :n], first.W_enc, atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(sae.W_dec[:n], first.W_dec, atol=1e-3, rtol=1e-3)


def test_a_training_in_small(tmp_path, monkeypatch):
    monkeypatch.setattr(further, "N_CHUNKS", 1)
    monkeypatch.setattr(further, "N_ROWS", 16)
    monkeypatch.setattr(further, "N_ENDS", 50)
    monkeypatch.setattr(measures, "N_ROWS", 30)
    monkeypatch.setattr(further_measures, "EVERY", 200)
    few = further.taught_questions()[:100], further.taught_statements()[:100]
    monkeypatch.setattr(further, "taught_questions", lambda: few[0])
    monkeypatch.setattr(further, "taught_statements", lambda: few[1])
    monkeypatch.setenv("MI_TUTOR_HOME", str(tmp_path / "home"))
    recipe = FURTHER["atlas-attn2-graph"]
    small = replace(recipe.config, n_steps=2, d_sae=16, batch_size=64, sparsity_warmup=0)
    made = replace(recipe, config=small).make(tmp_path / "small", seed=3, progress=False)
    assert made == card(tmp_path / "small") and made.seed == 3
    assert open_dictionary(tmp_path / "small").d_sae == 320 + 16
