"""Cross-layer transcoders on the shelf: opened, trained in small, measured again."""

from dataclasses import replace

import pytest

from mi_tutor.lab.tracing import CrossLayerTranscoder, LayerTranscoders
from mi_tutor.specimens import (
    SpecimenError,
    card,
    open_transcoders,
    transcoder_names,
)
from mi_tutor.specimens.dictionaries import cross_layer, cross_layer_measures
from mi_tutor.specimens.dictionaries.cross_layer import CROSS_LAYER
from mi_tutor.specimens.recipes import verify

TEXTS = cross_layer_measures.two_hop_texts()[:2]


def test_what_is_on_the_shelf_has_a_recipe_and_opens():
    assert set(transcoder_names()) <= set(CROSS_LAYER)
    for name in transcoder_names():
        clt = open_transcoders(name)
        assert isinstance(clt, CrossLayerTranscoder) and clt.n_layers == 5
        assert clt.n_layers * clt.d_sae == CROSS_LAYER[name].config.d_sae
        norms = clt.joint_norm[clt.joint_norm > 0]
        assert (norms - 1).abs().max() < 0.01
    assert isinstance(open_transcoders("atlas-mlp"), LayerTranscoders)
    with pytest.raises(SpecimenError, match="atlas-mlp"):
        open_transcoders("atlas-nothing")


@pytest.mark.slow
@pytest.mark.parametrize("name", transcoder_names())
def test_every_number_of_the_card_holds(name):
    assert [verdict.name for verdict in verify(name) if not verdict.holds] == []


def forget():
    """What is kept from one card to the next, here of fewer texts."""
    cross_layer_measures.read_mlps.cache_clear()
    cross_layer_measures.losses_without.cache_clear()


def test_a_training_in_small(tmp_path, monkeypatch):
    monkeypatch.setattr(cross_layer, "N_CHUNKS", 1)
    monkeypatch.setattr(cross_layer, "N_ROWS", 16)
    monkeypatch.setattr(cross_layer_measures, "N_ROWS", 16)
    monkeypatch.setattr(cross_layer_measures, "EVERY", 200)
    monkeypatch.setenv("MI_TUTOR_HOME", str(tmp_path / "home"))
    few = (cross_layer_measures.training_rows("atlas")[0][:4],)
    monkeypatch.setattr(cross_layer_measures, "training_rows", lambda model: few)
    monkeypatch.setattr(cross_layer_measures, "two_hop_texts", lambda: TEXTS)
    forget()
    recipe = CROSS_LAYER["atlas-clt"]
    small = replace(recipe.config, n_steps=2, batch_size=64, sparsity_warmup=0, d_sae=160)
    made = replace(recipe, config=small).make(tmp_path / "small", seed=3, progress=False)
    forget()
    assert made == card(tmp_path / "small") and made.seed == 3
    assert open_transcoders(tmp_path / "small").d_sae == 32
