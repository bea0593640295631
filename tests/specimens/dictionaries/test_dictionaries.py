"""Dictionaries on the shelf: opened, and trained in small."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mi_tutor.lab.dictionaries import site_of
from mi_tutor.specimens import (
    SpecimenError,
    card,
    dictionary_hook,
    dictionary_names,
    open_dictionary,
    open_specimen,
)
from mi_tutor.specimens.dictionaries import measures
from mi_tutor.specimens.dictionaries.finishing import Kept
from mi_tutor.specimens.dictionaries.further import FURTHER
from mi_tutor.specimens.dictionaries.recipes import DICTIONARIES
from mi_tutor.specimens.dictionaries.refusing import HOOK, REFUSING
from mi_tutor.specimens.opening.shelf import specimen_names

SMALL = replace(
    DICTIONARIES["atlas-resid2"].config, n_steps=2, d_sae=64, batch_size=64, sparsity_warmup=0
)


def test_every_dictionary_on_the_shelf_has_a_recipe_and_opens():
    assert set(dictionary_names()) == {*DICTIONARIES, *FURTHER, *REFUSING}
    assert not set(dictionary_names()) & set(specimen_names())
    for name, recipe in DICTIONARIES.items():
        sae = open_dictionary(name)
        assert (sae.d_sae, dictionary_hook(name)) == (recipe.config.d_sae, recipe.hook)
    assert {dictionary_hook(name) for name in REFUSING} == {HOOK}


def test_the_cards_miss_no_goal():
    """Every shipped dictionary reaches what was asked of it."""
    cards = [card(name) for name in dictionary_names()]
    assert [(c.name, m.name) for c in cards for m in c.measures if not m.meets_goal()] == []


def measures_of(name):
    return {measure.name: measure for measure in card(name).measures}


def test_what_a_text_makes_worth_knowing_has_a_latent():
    """Chapter 02's claim, from two cards whose numbers `cards/test_every_card.py` measures again."""
    orders = ("paragraphs", "sentences")
    marks = [measures_of(f"atlas-{order}-attn1")["concepts"] for order in orders]
    paragraphs, sentences = (
        {c: row[0] for c, row in zip(m.rows, m.value, strict=True)} for m in marks
    )
    for concept in ("language=french", "language=spanish", "context=law"):
        assert sentences[concept] + 0.15 < 0.9 < paragraphs[concept]
    assert max(sentences["language=english"], paragraphs["language=english"]) < 0.7
    losses = [measures_of(f"atlas-{order}")["first_paragraphs"].value for order in orders]
    assert losses[0] + 1 < losses[1]


def test_a_dictionary_is_no_model_and_a_model_no_dictionary():
    with pytest.raises(SpecimenError, match=r"open_dictionary\('atlas-resid2'\)"):
        open_specimen("atlas-resid2")
    with pytest.raises(SpecimenError, match=r"Did you mean 'atlas-resid2'"):
        open_dictionary("atlas-resid3")
    with pytest.raises(SpecimenError, match=r"cfg.json"):
        open_dictionary(Path(__file__).parent)


def test_a_training_in_small(tmp_path, monkeypatch):
    monkeypatch.setattr(measures, "N_ROWS", 30)
    monkeypatch.setattr("mi_tutor.specimens.dictionaries.recipes.N_ROWS", 16)
    monkeypatch.setenv("MI_TUTOR_HOME", str(tmp_path / "home"))
    recipe = replace(DICTIONARIES["atlas-resid2"], config=SMALL)
    made = recipe.make(tmp_path / "small", seed=3, progress=False)
    assert made == card(tmp_path / "small") and made.seed == 3
    assert open_dictionary(tmp_path / "small").d_sae == 64
    assert "seed" not in made.recipe


def test_chunks_are_computed_once():
    asked = []

    def chunk(i):
        asked.append(i)
        return torch.full((1,), float(i))

    kept = Kept(chunk, n_chunks=2)
    assert [kept(i).item() for i in (0, 1, 2, 3)] == [0, 1, 0, 1]
    assert asked == [0, 1]


def test_sites():
    assert site_of("blocks.2.hook_resid_pre") == (2, "resid_pre", None)
    assert site_of("blocks.3.hook_attn_out") == (3, "attn_out", None)
    assert site_of("blocks.0.mlp") == (0, "mlp_out", "mlp_in")
